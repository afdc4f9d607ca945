"""The benchmark's loopback server: one vendor's pages, in a process of its own. `python -m tests.bench.server SHAPE ROWS`.

Prints its port. Keeps the list of requests (`GET /_log`), so that the limit is measured with exactly the same ones;
`GET /_later` makes it the day after, with one of a hundred records changed.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.bench.shapes import SHAPES, Pages


def main() -> None:
    shape = SHAPES[sys.argv[1]]()
    pages = Pages(shape, int(sys.argv[2]))
    log: list[tuple[str, str, str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def answer(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            is_part = False
            if self.path == "/_log":
                found: bytes | None = json.dumps(log).encode()
                log.clear()
            elif self.path == "/_later":
                pages.later()
                found = b"{}"
            else:
                wanted = self.headers.get("Range") or ""
                log.append((method, self.path, body.decode(), self.headers.get("Content-Type") or "", wanted))
                found = shape.answer(shape, pages, method, self.path, body)
                if found is not None and wanted:
                    first, last = map(int, wanted.removeprefix("bytes=").split("-"))
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {first}-{min(last + 1, len(found)) - 1}/{len(found)}")
                    found, is_part = found[first : last + 1], True
            if not is_part:
                self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(found or b"")))
            for name, text in pages.headers.items():
                self.send_header(name, text)
            pages.headers = {}
            self.send_header("X-HubSpot-RateLimit-Max", "1000000000")
            self.send_header("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
            self.end_headers()
            self.wfile.write(found or b"")
            self.wfile.flush()

        def do_GET(self) -> None:
            self.answer("GET")

        def do_DELETE(self) -> None:
            self.answer("DELETE")

        def do_POST(self) -> None:
            self.answer("POST")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
