"""The small home as Dagster sees it: a made-up vendor `shop` with two streams. Used by tests only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.settings import TELEMETRY_OFF
from sources.stream import Stream, Vendor
from tests.orchestration.small_home import SmallSettings, account, load, person, small_home


def _refuse(*_: object) -> None:
    raise AssertionError("a test asked the made-up vendor for a connection")


SHOP = Vendor(
    name="shop",
    label="Shop",
    streams=(
        Stream(
            name="account",
            object="Account",
            key=("id",),
            columns={"id": "text", "name": "text"},
        ),
        Stream(name="person", object="Person", key=("id",), columns={"id": "text"}, deletes="sweep"),
    ),
    connect=_refuse,  # type: ignore[arg-type]
)


@dataclass(frozen=True)
class ShopSettings(SmallSettings):
    """The small home's settings with what Dagster is told."""

    def export(self) -> dict[str, str]:
        return {**super().export(), "DAGSTER_HOME": str(self.dagster_home), **TELEMETRY_OFF}


def know_shop(patch: pytest.MonkeyPatch) -> None:
    """Every part finds the made-up vendor."""
    patch.setattr("sources.stream.load_vendor", lambda name: SHOP)
    patch.setattr("orchestration.syncs.load_vendor", lambda name: SHOP)


def shop_home(folder: Path, *names: str) -> ShopSettings:
    """A home with one load; `names`: its instances, all of the vendor shop (default: shop)."""
    small = small_home(folder)
    first = small.instances[0]
    settings = ShopSettings(
        home=folder, instances=tuple(type(first)(name, "shop") for name in (names or (first.name,)))
    )
    load(settings, 0, account=[account(1, "Yamada"), account(2, "Sato")], person=[person(1, "山田 太郎")])
    return settings


@contextmanager
def environment_kept() -> Iterator[None]:
    """`Settings.activate` writes into the environment of the process; a test must not leave it there."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
