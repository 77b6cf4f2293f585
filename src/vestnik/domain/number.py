"""Telephone numbers and sender names: reading, correcting, judging, hiding.

An msisdn is the digits of a number in international form (E.164), without "+".
"""

import re
from collections.abc import Callable

DIGITS_MIN, DIGITS_MAX = 7, 15

_separators = str.maketrans(";\r\n", ",,,")
_ornaments = re.compile(r"[\s()\[\].\-\u2010-\u2015\u2212]+")
_digits = re.compile(rf"[1-9][0-9]{{{DIGITS_MIN - 1},{DIGITS_MAX - 1}}}").fullmatch
_sender = re.compile(r"(?! )[A-Za-z0-9 .\-_&!'+@/()]{1,11}(?<! )|\+?[0-9]{1,15}").fullmatch

# Digits of a whole number, by calling code; where it is not one length, the least and the most.
_LENGTHS: dict[str, tuple[int, int]] = {
    code: (least, most)
    for least, most, codes in (
        (8, 13, "39"),
        (9, 9, "376"),
        (9, 12, "46 95"),
        (9, 13, "358"),
        (10, 10, "45 47 65 354"),
        (10, 11, "32 36 51 66 372 961"),
        (10, 12, "60 64 353"),
        (10, 15, "43 49 62"),
        (11, 11, "1 7 27 31 33 34 40 41 48 56 93 94"),
        (11, 11, "356 357 370 371 373 374 382 387 852 853 965 968 973 974 976 993"),
        (11, 12, "44 61 63 81 82 84 92 355 359 377 381 385 386 389 886 962 971 972"),
        (11, 13, "86"),
        (12, 12, "30 57 58 90 91 98 351 375 380 420 421 963 966 967 992 994 995 996 998"),
        (12, 13, "20 52 54 55 964"),
        (13, 13, "977"),
    )
    for code in codes.split()
}
_RUSSIAN_SECOND = frozenset("3456789")  # of numbers that begin with 7: Kazakhstan's are 6 and 7


def parse(phone: str) -> str | None:
    """The msisdn that somebody meant by `phone`, or None if it is not a number (conventions.md).

    Spaces, brackets, dashes and dots are ignored.  A leading "+" is taken at its word; without it
    Russian habits are corrected: 8 and ten digits, and ten digits from 9, become numbers from 7.
    """
    if len(phone) == 11 and phone.isdigit() and phone.isascii() and phone[0] > "0":
        return "7" + phone[1:] if phone[0] == "8" else phone
    digits = _ornaments.sub("", phone)
    if digits.startswith("+"):
        digits = digits[1:]
    elif len(digits) == 11 and digits[0] == "8":
        digits = "7" + digits[1:]
    elif len(digits) == 10 and digits[0] == "9":
        digits = "7" + digits
    return digits if _digits(digits) else None


def plausible(msisdn: str) -> bool:
    """Whether code and length fit (err 249 of status.md); of unknown codes anything may be."""
    if msisdn[0] == "7":
        return len(msisdn) == 11 and msisdn[1] in _RUSSIAN_SECOND
    if msisdn[0] == "1":  # an area code begins with 2 to 9
        return len(msisdn) == 11 and msisdn[1] > "1"
    least, most = _LENGTHS.get(_code(msisdn), (DIGITS_MIN, DIGITS_MAX))
    return least <= len(msisdn) <= most


def split_phones(text: str) -> list[str]:
    """The members of a list by commas, semicolons or line breaks; empty ones are dropped."""
    pieces = text.translate(_separators).split(",")
    return [phone for piece in pieces if (phone := piece.strip())]


def valid_sender(text: str) -> bool:
    """Whether a message can show it as its sender (send.md).

    Up to 11 English letters, digits, inner spaces and symbols, or up to 15 digits.
    """
    return _sender(text) is not None


def mask(phone: str) -> str:
    """The number as a log may show it: its calling code and the last two digits."""
    msisdn = phone.removeprefix("+")
    if not _digits(msisdn):
        return "***"
    code = _code(msisdn)
    return code + "*" * (len(msisdn) - len(code) - 2) + msisdn[-2:]


def _code(msisdn: str) -> str:
    """The calling code; three digits where the table does not know better."""
    for length in (1, 2):
        if msisdn[:length] in _LENGTHS:
            return msisdn[:length]
    return msisdn[:3]


def prefixes(rules: str) -> Callable[[str], bool] | None:
    """Which msisdns rules of phone codes let through, None for all of them (users.md, `fmts`).

    A code lets through, with a minus it forbids, and the longer one counts; where no code is named
    that lets through, those that none forbids may pass.
    """
    codes = [rule.strip() for rule in rules.split(",") if rule.strip()] if rules else []
    if not codes:
        return None
    open_ = all(code.startswith("-") for code in codes)

    def allowed(msisdn: str) -> bool:
        best, verdict = -1, open_
        for code in codes:
            digits = code.lstrip("-")
            if msisdn.startswith(digits) and len(digits) > best:
                best, verdict = len(digits), not code.startswith("-")
        return verdict

    return allowed
