"""The normal form of a person's name, and when two of them are clearly two people.

The form is a text `native|reading`: native as written in kanji, reading in folded Latin letters. `family, given` when
the parts are known, plain words when the order is a guess. It judges names only; an e-mail address is judged elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from orchestration.identity.characters import plain, without_accents

_HONORIFICS = re.compile(
    r"(?:様|さん|さま|殿|氏|先生|御中|社長|専務|常務|部長|次長|課長|係長|主任|取締役|ちゃん|くん)$"
    r"|^(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|herr|frau|mme|mlle)\.?\s+"
    r"|[\s,]+(?:jr|sr|ii|iii|phd|md|mba|esq|san|sama)\.?$"
)
_NOT_NAME = re.compile(r"\([^()]*\)|[\"“”「」『』*|]")
_SIGNS = re.compile(r"[.·・･_/]+")
_APOSTROPHES = re.compile(r"['’`´]")
_KANA = re.compile(r"^[\u3041-\u3096\u30a1-\u30fc\s-]+$")
_LATIN = re.compile(r"^[a-z\s,'-]+$")


@dataclass(frozen=True)
class PersonName:
    """A name as words; `family, given` where the parts are known. Both are empty when unknown."""

    native: str = ""
    reading: str = ""

    def __str__(self) -> str:
        return f"{self.native}|{self.reading}"

    @staticmethod
    def parse(form: str) -> PersonName:
        """The inverse of `str`."""
        native, _, reading = form.partition("|")
        return PersonName(native, reading)


def normalize_person(
    full: str | None,
    family: str | None = None,
    given: str | None = None,
    family_kana: str | None = None,
    given_kana: str | None = None,
) -> PersonName | None:
    """Normal form of a name from whatever parts a tool has, or None when there is no name in them.

    >>> str(normalize_person("山田　太郎 様", family_kana="ヤマダ", given_kana="タロウ"))
    '山田 太郎|yamada taro'
    """
    return _normalize(full or "", family or "", given or "", family_kana or "", given_kana or "")


@lru_cache(maxsize=65_536)
def _normalize(full: str, family: str, given: str, family_kana: str, given_kana: str) -> PersonName | None:
    words = _join(_clean(family), _clean(given))
    if ", " not in words:
        words = _order(full) or words
    reading = _join(romanize(_clean(family_kana)), romanize(_clean(given_kana)))
    if not words and not reading:
        return None
    if _LATIN.match(words) or _KANA.match(words):
        return PersonName("", reading or _join(*(romanize(part) for part in words.split(", "))))
    return PersonName(words, reading)


def _join(family: str, given: str = "") -> str:
    return f"{family}, {given}" if family and given else family or given


def _clean(text: str) -> str:
    text = _NOT_NAME.sub(" ", _APOSTROPHES.sub("", without_accents(plain(text))))
    text = _SIGNS.sub(" ", text).strip()
    while True:
        bare = _HONORIFICS.sub("", text).strip()
        if bare == text:
            return " ".join(text.replace(",", " ").split()) if any(letter.isalpha() for letter in text) else ""
        text = bare


def _order(full: str) -> str:
    """A full name as words. 'Yamada, Taro' tells the family name, and so do capitals: 'YAMADA Taro', 'Taro YAMADA'."""
    if full.count(",") == 1:
        family, given = (_clean(part) for part in full.split(","))
        if family and given and _LATIN.match(family) and not _HONORIFICS.search(plain(full)):
            return _join(family, given)
    words = _clean_latin_case(full).split()
    shouting = [word for word in words if len(word) > 1 and word.isascii() and word.isalpha() and word.isupper()]
    if len(words) == 2 and len(shouting) == 1:
        given = next(word for word in words if word != shouting[0])
        if given.isascii():
            return _join(_clean(shouting[0]), _clean(given))
    return _clean(full)


def _clean_latin_case(full: str) -> str:
    return re.sub(r"(?i)^(?:mr|mrs|ms|miss|mx|dr|prof)\.?\s+", "", " ".join(full.split()))


_ROMAJI = (
    ("ō", "o"), ("ū", "u"), ("â", "a"), ("sya", "sha"), ("syu", "shu"), ("syo", "sho"), ("tya", "cha"), ("tyu", "chu"),
    ("tyo", "cho"), ("cya", "cha"), ("cyu", "chu"), ("cyo", "cho"), ("zya", "ja"), ("zyu", "ju"), ("zyo", "jo"),
    ("jya", "ja"), ("jyu", "ju"), ("jyo", "jo"), ("dzu", "zu"), ("du", "zu"), ("di", "ji"), ("zi", "ji"),
    ("tchi", "cchi"), ("tcha", "ccha"), ("tchu", "cchu"), ("tcho", "ccho"), ("mb", "nb"), ("mp", "np"), ("mm", "nm"),
)  # fmt: skip
_SI, _TI = re.compile(r"(?<!s)si"), re.compile(r"ti")
_TU, _HU = re.compile(r"(?<!t)tu"), re.compile(r"(?<![cs])hu")
_LONG = re.compile(r"o[ou]|uu|oh(?=$|[^aiueo])")


def romanize(text: str) -> str:
    """Kana or Latin letters as one folded Latin spelling: ヤマダ タロウ, Tarou YAMADA and Tarō give the same words.

    Folded for comparing only: long vowels are short, Kunrei and Hepburn are one, n before b, p, m is n.
    """
    if not text:
        return ""
    if not text.isascii():
        import jaconv

        text = jaconv.kana2alphabet(jaconv.kata2hira(text.replace("ー", "")))
    folded = re.sub(r"[^a-z ]", "", without_accents(text.casefold()))
    for spelled, plain_spelling in _ROMAJI:
        folded = folded.replace(spelled, plain_spelling)
    folded = _HU.sub("fu", _TU.sub("tsu", _TI.sub("chi", _SI.sub("shi", folded))))
    return " ".join(_LONG.sub(lambda m: m[0][0], word) for word in folded.split())


def same_name(left: PersonName, right: PersonName) -> bool:
    """Whether both are the full name of one person, whatever the order of the words."""
    if left.native and right.native:
        return _is_full(left.native) and _same_words(left.native, right.native)
    if left.reading and right.reading:
        return len(_words(left.reading)) > 1 and _same_words(left.reading, right.reading)
    return False


def clearly_different(left: PersonName, right: PersonName) -> bool:
    """Whether two names cannot be spellings of one person's name. Unknown or partial names are never clearly different."""
    if left.native and right.native:
        return not _native_agree(left, right)
    if left.reading and right.reading:
        return not _reading_agree(left.reading, right.reading)
    return False


def _native_agree(left: PersonName, right: PersonName) -> bool:
    a, b = "".join(_words(left.native)), "".join(_words(right.native))
    if _same_words(left.native, right.native) or a.startswith(b) or b.startswith(a):
        return True
    if _given(left.native) and _given(left.native) == _given(right.native):
        return True  # a family name changes by marriage, the given name stays
    return bool(left.reading and right.reading and _same_words(left.reading, right.reading))


def _reading_agree(left: str, right: str) -> bool:
    a, b = _words(left), _words(right)
    if _same_words(left, right) or set(a) <= set(b) or set(b) <= set(a):
        return True
    if len(_given(left)) > 2 and _given(left) == _given(right):
        return True
    rest_a, rest_b = sorted(set(a) - set(b)), sorted(set(b) - set(a))
    return len(a) == len(b) and all(_near(x, y) for x, y in zip(rest_a, rest_b, strict=False))


def _near(a: str, b: str) -> bool:
    """An initial of the other, or one letter more or less (Jon, John)."""
    short, long = sorted((a, b), key=len)
    if len(short) == 1:
        return long.startswith(short)
    if len(long) < 4 or len(long) - len(short) != 1:
        return False
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def _words(name: str) -> list[str]:
    return name.replace(",", "").split()


def _given(name: str) -> str:
    """The given name where it is known to be one."""
    return name.partition(", ")[2]


def _same_words(a: str, b: str) -> bool:
    return sorted(_words(a)) == sorted(_words(b)) or "".join(_words(a)) == "".join(_words(b))


def _is_full(native: str) -> bool:
    return len("".join(_words(native))) >= 3 or len(_words(native)) > 1
