"""Loaded by every Python process of an end-to-end test: a connection beyond this machine fails and is written down."""

import os
import socket

_connect = socket.socket.connect
_lookup = socket.getaddrinfo
LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def _note(what: object) -> None:
    where = os.environ.get("OUTSIDE_REQUESTS")
    if where:
        with open(where, "a", encoding="utf-8") as log:  # noqa: PTH123  as early as this nothing may be imported
            log.write(f"{what}\n")


def _guarded_connect(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(LOCAL):
        _note(address)
        raise OSError(f"the network is blocked in this test: {address}")
    _connect(self, address)


def _guarded_lookup(host: object, *rest: object, **more: object) -> object:
    name = host.decode() if isinstance(host, bytes) else host
    if name and not str(name).startswith(LOCAL) and str(name) != socket.gethostname():
        _note(name)
        raise socket.gaierror(f"the network is blocked in this test: {name}")
    return _lookup(host, *rest, **more)


socket.socket.connect = _guarded_connect
socket.getaddrinfo = _guarded_lookup
