"""A company's own maps as files: reading them, and saying what is wrong with file, line, column, value and remedy.

What a column may hold is written beside its description in `dbt_project/seeds/_seeds.yml`. Reads files only.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from orchestration.override_rows import contradictions
from orchestration.settings import SettingsError

SHOWN: Final = 5
"""Mistakes that one message names."""
CLOSEST: Final = 8
"""Of many words that would be right, those named that are nearest to the wrong one."""
OVERRIDES: Final = "identity_overrides"
CURRENCY_COLUMNS: Final = ("currency", "from_currency", "to_currency")
Row = dict[str, str]


@dataclass(frozen=True)
class Map:
    """One map as `_seeds.yml` describes it."""

    name: str
    types: Mapping[str, str]
    """Column -> type, in the order of the header."""
    keys: tuple[str, ...]
    once: tuple[str, ...]
    """Columns that together stand on one line only, where the last of them has a value."""
    rules: Mapping[str, Mapping[str, Any]]
    """Column -> what it may hold: `required`, `one_of` (words), `word_of` ("map.column where column = value"), `least`,
    `most`."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)


class Maps:
    """The shipped maps of a seeds folder."""

    def __init__(self, seeds_dir: Path) -> None:
        self.folder = seeds_dir

    @cached_property
    def known(self) -> Mapping[str, Map]:
        import yaml

        described = self.folder / "_seeds.yml"
        document: Any = yaml.safe_load(described.read_text(encoding="utf-8")) if described.exists() else {}
        told = {str(one["name"]): one for one in document.get("seeds", [])}
        return {path.stem: _map(path, told.get(path.stem, {})) for path in sorted(self.folder.glob("*.csv"))}

    def shipped(self, name: str) -> list[Row]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def read(self, folder: Path) -> dict[str, list[Row]]:
        """The company's rows by map. Raises SettingsError that names each mistake (the first few) and its remedy."""
        files = {path.stem: path for path in sorted(folder.glob("*.csv"))}
        rows: dict[str, list[tuple[int, Row]]] = {}
        wrong: list[str] = []
        for name, path in files.items():
            try:
                rows[name] = list(self._lines(path))
            except SettingsError as problem:
                wrong.append(str(problem))
        own = {name: [row for _, row in lines] for name, lines in rows.items()}
        for name, lines in rows.items():
            wrong += _mistakes(files[name], self.known[name], lines, self, own)
        if wrong:
            more = f" And {len(wrong) - SHOWN} more." if len(wrong) > SHOWN else ""
            raise SettingsError(". ".join(words.rstrip(".") for words in wrong[:SHOWN]) + "." + more)
        return own

    def words(self, reference: str, own: Mapping[str, list[Row]]) -> set[str]:
        """The words of another map's column, the company's included: "stages.stage where entity = person"."""
        place, _, condition = reference.partition(" where ")
        name, column = place.split(".")
        wanted, _, value = (part.strip() for part in condition.partition("=")) if condition else ("", "", "")
        rows = [*self.shipped(name), *own.get(name, [])]
        return {row.get(column, "") for row in rows if not wanted or row.get(wanted) == value} - {""}

    def _lines(self, path: Path) -> Iterator[tuple[int, Row]]:
        if path.stem not in self.known:
            names = ", ".join(self.known)
            raise SettingsError(f"{path}: there is no map '{path.stem}' (maps: {names}). Rename or remove the file")
        columns = self.known[path.stem].columns
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                table = csv.reader(file)
                header = [name.strip() for name in next(table, [])]
                for name in header:
                    if name not in columns:
                        raise SettingsError(f"{path}, line 1: unknown column '{name}' (known: {', '.join(columns)})")
                for values in table:
                    if len(values) > len(header):
                        raise SettingsError(
                            f"{path}, line {table.line_num}: {len(values)} values for {len(header)} columns. Quote a "
                            "value that has a comma in it"
                        )
                    row = {name: value.strip() for name, value in zip(header, values, strict=False)}
                    if any(row.values()):
                        yield table.line_num, row
        except UnicodeDecodeError as error:
            raise SettingsError(
                f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as CSV UTF-8"
            ) from error


def _map(path: Path, told: Mapping[str, Any]) -> Map:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = [name.strip() for name in next(csv.reader(file), [])]
    config: Mapping[str, Any] = told.get("config", {})
    types = {name: str(config.get("column_types", {}).get(name, "varchar")) for name in header}
    columns: Sequence[Mapping[str, Any]] = told.get("columns", [])
    rules = {str(one["name"]): one.get("config", {}).get("meta", {}) for one in columns}
    meta: Mapping[str, Any] = config.get("meta", {})
    return Map(path.stem, types, tuple(meta.get("keys", ())), tuple(meta.get("once", ())), rules)


def _mistakes(
    path: Path, one: Map, lines: Sequence[tuple[int, Row]], maps: Maps, own: Mapping[str, list[Row]]
) -> Iterator[str]:
    """One sentence for each value that cannot be right, with what would be."""
    allowed = {
        column: maps.words(rule["word_of"], own) if "word_of" in rule else set(rule.get("one_of", ()))
        for column, rule in one.rules.items()
    }
    seen: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
    for number, row in lines:
        takes_away = not any(value for column, value in row.items() if column not in one.keys)
        for column in one.columns:
            value = row.get(column, "")
            words = _wrong(value, column, one, allowed.get(column, set()), takes_away=takes_away)
            if words:
                yield f"{path}, line {number}, column {column}: {words}"
        for columns in (one.keys, one.once):
            if not columns or (columns == one.once and not row.get(columns[-1])):
                continue
            key = columns, tuple(row.get(column, "").lower() for column in columns)
            if key in seen:
                shown = ", ".join(f"{column} '{row.get(column, '')}'" for column in columns)
                yield f"{path}, line {number}: {shown} stands on line {seen[key]} already. Remove one of the two"
            seen.setdefault(key, number)
    if one.name == OVERRIDES:
        yield from (f"{path}, {words}" for words in contradictions(lines))


def _wrong(value: str, column: str, one: Map, allowed: set[str], *, takes_away: bool) -> str | None:
    """What is wrong with a value and what would be right, or None."""
    rule = one.rules.get(column, {})
    if not value:
        is_needed = rule.get("required") and (column in one.keys or not takes_away)
        return "is empty. Give it a value or remove the line" if is_needed else None
    remedy = _misspelled(value, one.types[column])
    if remedy:
        return f"'{value}' is {remedy}"
    if allowed and value not in allowed:
        return f"'{value}' is none of {_nearest(value, allowed)}. Take one of these"
    if column in CURRENCY_COLUMNS and not re.fullmatch("[A-Z]{3}", value):
        return f"'{value}' is no currency. Write its three capital letters, such as JPY"
    least, most = rule.get("least"), rule.get("most")
    if (least is not None and float(value) < least) or (most is not None and float(value) > most):
        span = f"from {least} to {most}" if most is not None else f"of at least {least}"
        return f"'{value}' is out of range. Write a number {span}"
    return None


def _nearest(value: str, allowed: set[str]) -> str:
    """The words that would be right; of many, the nearest to the wrong one."""
    if len(allowed) <= 3 * CLOSEST:
        return ", ".join(sorted(allowed))
    near = difflib.get_close_matches(value, sorted(allowed), CLOSEST, 0.0)
    return f"{len(allowed)} words such as {', '.join(near)}"


def _misspelled(value: str, kind: str) -> str | None:
    """What to write where a value is not of its column's type."""
    if kind == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            return "no day. Write it as 2026-04-01"
    elif kind == "boolean":
        if value.lower() not in ("true", "false"):
            return "neither true nor false. Write one of these"
    elif kind == "bigint":
        if not re.fullmatch(r"[+-]?\d{1,18}", value):
            return "no whole number. Write digits only, such as 12"
    elif kind != "varchar" and not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value):
        return "no number. Write digits and a point only, such as 1234.5"
    return None
