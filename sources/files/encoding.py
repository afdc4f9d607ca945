"""Bytes of a text file → which encoding they are in. Fixed rules first, statistics last, and the mapping overrules both.

Order: byte-order mark; UTF-8 when the whole file is valid UTF-8; else whichever of UTF-8, CP932 (Microsoft's Shift_JIS with the
NEC and IBM extension characters such as ① ㈱ 髙) and EUC-JP leaves the fewest bytes unread; else what `charset-normalizer` finds.
Bytes that are no character become lone surrogates, so that the reader can set aside the line they stand in.
"""

import codecs
import re

# `shift_jis` lacks ①, ㈱ and 髙, which every Japanese Windows program writes under that name.
_WIDER: dict[str, str] = dict.fromkeys(["shift_jis", "shift-jis", "shiftjis", "sjis", "ms932", "windows-31j"], "cp932")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 18
# Above this share of unreadable characters the encoding itself is wrong, not a line of the file.
_HOPELESS = 0.1
UNREADABLE = re.compile("[\udc80-\udcff]")


def detect(data: bytes, declared: str | None = None) -> tuple[str, int]:
    """The codec of `data` and the length of its byte-order mark. Raises `ValueError` with the remedy when none fits."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    if declared:
        return _declared(declared), 0
    if _is_utf8(data):
        return "utf-8", 0
    sample = data[:_SAMPLE]
    share, name = min((_unread_share(sample, name), name) for name in _candidates(sample))
    return (name, 0) if share <= _HOPELESS else (_guess(sample), 0)


def text_of(data: bytes, encoding: str) -> str:
    """The text; bytes that are no character stay as lone surrogates (`UNREADABLE` finds them)."""
    return data.decode(encoding, "surrogateescape")


def _declared(name: str) -> str:
    codec = _WIDER.get(name.strip().lower(), name.strip())
    try:
        return codecs.lookup(codec).name
    except LookupError:
        raise ValueError(f"{name!r} is no encoding that Python knows; write for example cp932 or utf-8") from None


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _SAMPLE):
            decoder.decode(data[start : start + _SAMPLE])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _candidates(sample: bytes) -> tuple[str, ...]:
    # EUC-JP text is often valid CP932 too (as half-width kana), never the other way round. Hiragana, the commonest
    # characters of Japanese text, start with 0xA4 in EUC-JP and with 0x82 in CP932.
    return ("utf-8", "euc_jp") if sample.count(b"\xa4") > 2 * sample.count(b"\x82") else ("utf-8", "cp932")


def _unread_share(sample: bytes, name: str) -> float:
    text = text_of(sample, name)
    return len(UNREADABLE.findall(text)) / max(1, sum(character > "\x7f" for character in text))


def _guess(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # slow to import, and needed for odd files only

    best = from_bytes(sample).best()
    if best is None:
        raise ValueError("the encoding was not recognised; save the file as UTF-8, or set `encoding:` in the mapping")
    return codecs.lookup(best.encoding).name
