"""Makes names of people and companies, and the ways in which the same name is written elsewhere. Pure functions of a generator."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from unicodedata import normalize

from sources.demo.words import (
    FAMILY,
    GIVEN,
    JAPANESE_TRADE,
    LEGAL_FORM,
    STEM_KANJI,
    WESTERN_FAMILY,
    WESTERN_GIVEN,
    WESTERN_STEM,
    WESTERN_TRADE,
)


@dataclass(frozen=True, slots=True)
class PersonName:
    """`kana` parts are None for people without a Japanese reading; `latin` is (given, family) in ASCII."""

    family: str
    given: str
    family_kana: str | None
    given_kana: str | None
    latin: tuple[str, str]


@dataclass(frozen=True, slots=True)
class CompanyName:
    """`core` has no legal form, `latin` is the name's ASCII form, `slug` starts its domain."""

    full: str
    core: str
    latin: str
    slug: str
    industry: str


_GERMAN = str.maketrans({"ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss", "'": None, " ": None})


def ascii_of(text: str) -> str:
    plain = normalize("NFKD", text.lower().translate(_GERMAN))
    return "".join(char for char in plain if char.isascii() and (char.isalnum() or char in "-."))


def japanese_person(rng: Random) -> PersonName:
    family, family_kana, family_latin = rng.choice(FAMILY)
    given, given_kana, given_latin = rng.choice(GIVEN)
    return PersonName(family, given, family_kana, given_kana, (given_latin, family_latin))


def western_person(rng: Random) -> PersonName:
    family, given = rng.choice(WESTERN_FAMILY), rng.choice(WESTERN_GIVEN)
    return PersonName(family, given, None, None, (ascii_of(given).title(), ascii_of(family).title()))


def japanese_company(rng: Random) -> CompanyName:
    trade, trade_latin, industry = rng.choice(JAPANESE_TRADE)
    if rng.random() < 0.35:
        stem, _, stem_latin = rng.choice(FAMILY)
        stem_latin = stem_latin.lower()
    else:
        (one, one_latin), (two, two_latin) = rng.sample(STEM_KANJI, 2)
        stem, stem_latin = one + two, one_latin + two_latin
        if rng.random() < 0.3:
            three, three_latin = rng.choice(STEM_KANJI)
            stem, stem_latin = stem + three, stem_latin + three_latin
    core = stem + trade
    full = f"株式会社{core}" if rng.random() < 0.62 else f"{core}株式会社"
    latin = f"{stem_latin.title()} {trade_latin.title()} Co., Ltd."
    return CompanyName(full, core, latin, f"{stem_latin}-{trade_latin}", industry)


def western_company(rng: Random, country: str) -> CompanyName:
    one, two = rng.sample(WESTERN_STEM, 2)
    trade, industry = rng.choice(WESTERN_TRADE)
    core = f"{one}{two.lower()} {trade}" if rng.random() < 0.7 else f"{one} {two} {trade}"
    return CompanyName(f"{core} {LEGAL_FORM[country]}", core, core, ascii_of(core.replace(" ", "")), industry)


_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def respelled(rng: Random, name: CompanyName, extra: str = "") -> str:
    """The company as another tool's user wrote it; `extra` is the branch, which is never left out."""
    if name.full == f"{name.core} {name.full.rsplit(' ', 1)[-1]}":
        return rng.choice((name.core, name.core.upper(), f"{name.core}, {name.full.rsplit(' ', 1)[-1]}")) + extra
    front = name.full.startswith("株式会社")
    written = rng.choice(
        (
            f"（株）{name.core}" if front else f"{name.core}（株）",
            f"㈱{name.core}" if front else f"{name.core}㈱",
            f"株式会社 {name.core}" if front else f"{name.core} 株式会社",
            name.core,
            f"{name.core}株式会社" if front else f"株式会社{name.core}",
        )
    )
    return written + extra


def wide(text: str) -> str:
    """Full-width letters and digits, as typed with a Japanese keyboard."""
    return text.translate(_WIDE)


def corporate_number(rng: Random) -> str:
    """13 digits; the first is the check digit of the other twelve (国税庁: 9 - Σ Pn × Qn mod 9)."""
    body = f"{rng.randrange(10**11, 10**12)}"
    total = sum(int(digit) * (1 if place % 2 == 0 else 2) for place, digit in enumerate(reversed(body)))
    return f"{9 - total % 9}{body}"


def respelled_phone(rng: Random, phone: str) -> str:
    """The same Japanese number in another notation."""
    digits = phone.replace("-", "")
    return rng.choice((digits, f"+81 {phone[1:]}", f"+81{digits[1:]}", wide(phone)))
