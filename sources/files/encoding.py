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
_SAMPLE = 1 << 16
_PIECE = 1 << 20
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
    # Cut at a line's end, so that the sample's own end is no broken character.
    sample = data[:_SAMPLE]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    share, _, name = min((_unread_share(sample, name), place, name) for place, name in enumerate(_candidates(sample)))
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
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _candidates(sample: bytes) -> tuple[str, ...]:
    """In order of preference where several leave as little unread.

    EUC-JP text can be valid CP932 too (as half-width kana). Hiragana, the commonest characters of Japanese text, start
    with 0xA4 in EUC-JP and with 0x82 in CP932; 0xA4 alone says little, it ends 商 in CP932.
    """
    looks_euc = sample.count(b"\xa4") > 2 * sample.count(b"\x82")
    return ("utf-8", "euc_jp", "cp932") if looks_euc else ("utf-8", "cp932", "euc_jp")


def _unread_share(sample: bytes, name: str) -> float:
    text = text_of(sample, name)
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return len(UNREADABLE.findall(text)) / max(1, beyond_ascii)


def _guess(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # slow to import, and needed for odd files only

    best = from_bytes(sample).best()
    if best is None:
        raise ValueError("the encoding was not recognised; save the file as UTF-8, or set `encoding:` in the mapping")
    return codecs.lookup(best.encoding).name
