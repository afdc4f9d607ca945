"""Normal forms of e-mail addresses, domains, telephone numbers and 法人番号.

A function gives the normal form or None: a value that cannot be right is no key. Nothing here asks the network: the
public suffix list is the one bundled with tldextract.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]]+@[^@\s<>,;:\"()\[\]]+\.[^@\s<>,;:\"()\[\]]+")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_PLUS_KEPT = frozenset({"docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp"})
"""Carriers whose mailboxes may contain a plus sign of their own."""


@lru_cache(maxsize=65_536)
def normalize_email(value: str | None) -> str | None:
    """Lower case, without display name, plus tag and Gmail's dots, or None when it is not one address.

    Dots: https://support.google.com/mail/answer/7436150; plus tags: RFC 5233.
    """
    if not value:
        return None
    text = unicodedata.normalize("NFKC", value).strip().casefold().removeprefix("mailto:")
    found = _ADDRESS.findall(text)
    if len(found) != 1:
        return None
    mailbox, _, domain = str(found[0]).strip(".'").rpartition("@")
    domain = domain.rstrip(".")
    if domain not in _PLUS_KEPT:
        mailbox = mailbox.partition("+")[0] or mailbox
    if domain in _GMAIL:
        mailbox, domain = mailbox.replace(".", ""), "gmail.com"
    return f"{mailbox}@{_ascii(domain)}" if mailbox else None


def email_domain(value: str | None) -> str | None:
    """Registrable domain of an e-mail address, of a web address or of a bare domain; None for free-mail and hosts of all.

    mail.example.co.jp and https://www.example.co.jp/ja are example.co.jp; a shop on a hosting service (the private part
    of https://publicsuffix.org) is a domain of its own.
    """
    domain = registrable_domain(value)
    return None if domain is None or domain in free_mail_domains() or domain in shared_sites() else domain


@lru_cache(maxsize=65_536)
def registrable_domain(value: str | None) -> str | None:
    """Registrable domain, free-mail or not; None for addresses without one (localhost, an IP, nonsense)."""
    if not value:
        return None
    text = unicodedata.normalize("NFKC", value).strip().casefold().rpartition("@")[2]
    if " " in text or not text:
        return None
    return _suffixes().extract_str(text).top_domain_under_public_suffix or None


def is_shared_mailbox(email: str) -> bool:
    """Whether the mailbox of a normalised address belongs to a desk (info@, sales@) and not to a person."""
    mailbox = email.partition("@")[0]
    return mailbox in shared_mailboxes() or re.sub(r"[\W_\d]+", "", mailbox) in shared_mailboxes()


@lru_cache(maxsize=65_536)
def normalize_phone(value: str | None, region: str = "JP") -> str | None:
    """E.164 (+81312345678), numbers without a country code read as of `region`; None when the number cannot exist."""
    if not value or sum(character.isdigit() for character in value) < 6:
        return None
    import phonenumbers

    text = re.sub(r"[\u2010-\u2015\u2212\u30fc\uff0d\uff70]", "-", unicodedata.normalize("NFKC", value))
    text = re.sub(r"(?i)^\s*(?:tel|phone|電話|携帯|直通)[.:\s]*", "", text)
    try:
        number = phonenumbers.parse(text.replace("+81(0)", "+81").replace("+81-0", "+81"), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    plain = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    return phonenumbers.format_number(plain, phonenumbers.PhoneNumberFormat.E164)


def corporate_number(value: str | None) -> str | None:
    """The 13 digits of a 法人番号 whose check digit is right, or None. An invoice number (T + 13 digits) is accepted.

    Check digit: 法人番号の指定等に関する省令 (平成26年財務省令第70号) article 2, as explained by the National Tax Agency at
    https://www.houjin-bangou.nta.go.jp/documents/checkdigit.pdf: 9 - (Σ Pn × Qn mod 9), Pn the n-th digit from the right
    of the 12-digit base number, Qn = 1 for odd n and 2 for even n. Base numbers start with 0 to 5 (registered
    companies) or 7 (others), so that 9999999999999, which would pass, is no number.
    """
    if not value:
        return None
    text = unicodedata.normalize("NFKC", str(value)).strip().upper().removeprefix("T")
    if text.endswith(".0"):
        text = text[:-2]  # a spreadsheet's number
    digits = re.sub(r"[\s\-‐‑–−ー]", "", text)
    if not re.fullmatch(r"[1-9][0-57]\d{11}", digits) or len(set(digits)) == 1:
        return None
    total = sum(int(digit) * (1 if n % 2 else 2) for n, digit in enumerate(reversed(digits[1:]), start=1))
    return digits if int(digits[0]) == 9 - total % 9 else None


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains at which anybody gets a mailbox (`data/free_mail_domains.txt`)."""
    return _lines("free_mail_domains.txt")


@cache
def shared_sites() -> frozenset[str]:
    """Sites on which many companies have a page (`data/shared_sites.txt`)."""
    return _lines("shared_sites.txt")


@cache
def shared_mailboxes() -> frozenset[str]:
    """Mailbox names that belong to a desk (`data/shared_mailboxes.txt`)."""
    return _lines("shared_mailboxes.txt")


def _lines(name: str) -> frozenset[str]:
    text = (Path(__file__).parent / "data" / name).read_text(encoding="utf-8")
    return frozenset(line for raw in text.splitlines() if (line := raw.partition("#")[0].strip()))


@cache
def _suffixes() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
