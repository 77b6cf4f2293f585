"""Sender names: their kinds, what may be one, where they can be registered (senders.md)."""

import re
from collections.abc import Mapping
from enum import IntEnum

from vestnik.domain import number
from vestnik.domain.refusals import BadNumber, BadParameters

ALPHANUMERIC_MAX = 11
MAIL_MAX = 100

_alphanumeric = re.compile(rf"[A-Za-z0-9._-]{{1,{ALPHANUMERIC_MAX}}}").fullmatch
_digital = re.compile(r"[\s()\-]*\+?[\d\s()\-]+", re.ASCII).fullmatch
_mail = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class Kind(IntEnum):
    """What a name is made of."""

    ALPHANUMERIC = 0
    DIGITAL = 1
    MAIL = 2


class Status(IntEnum):
    """Where a name stands ("Life cycle")."""

    WAITING = 0
    APPROVED = 1
    REFUSED = 2
    NEEDS_DOCUMENTS = 3


class AtOperator(IntEnum):
    """Where a name stands with one operator."""

    NOT_ASKED = 0
    ASKED = 1
    IN_WORK = 2
    REGISTERED = 3
    REFUSED = 4
    OFF = 5


FREE, PAID, NATIONAL, INTERNATIONAL = "free", "paid", "national", "international"

# What asks for a registration: the operator or country, and the tariff there.
FLAGS: Mapping[str, tuple[str, str]] = {
    "mega": ("mega", FREE),
    "mega_step": ("mega", PAID),
    "mts": ("mts", FREE),
    "mts_step": ("mts", PAID),
    "tele2": ("tele2", FREE),
    "tele2_step": ("tele2", PAID),
    "bee_step": ("bee", PAID),
    "motiv": ("motiv", FREE),
    "motiv_step": ("motiv", PAID),
    "sber_step": ("sber", PAID),
    "winmob_step": ("winmob", PAID),
    "volnamob_step": ("volnamob", PAID),
    "ua_reg": ("ua", NATIONAL),
    "ua_int": ("ua", INTERNATIONAL),
    "by_reg": ("by", NATIONAL),
}
OPERATORS = tuple(dict.fromkeys(operator for operator, _ in FLAGS.values()))
# What switches on the replacement of the name by a common one.
COMMON = {"mega_int": "mega", "motiv_int": "motiv", "mts_int": "mts"}

# The details that a country asks for, and whether they must be there.
DETAILS: Mapping[str, Mapping[str, bool]] = {
    "ua": {
        "fio": True,
        "inn": False,
        "site": False,
        "email": True,
        "address": True,
        "desc": True,
        "subj": True,
    },
    "by": {"by_fio": True, "by_inn": True, "by_address": True, "by_ocup": True},
}
DETAIL_MAX = 500  # characters of one

FILE_MAX = 3 * 1024 * 1024  # octets
FILE_NAME_MAX = 100
_FILES: Mapping[str, tuple[str, tuple[bytes, ...]]] = {
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "tif": ("image/tiff", (b"II*\0", b"MM\0*")),
    "tiff": ("image/tiff", (b"II*\0", b"MM\0*")),
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "zip": ("application/zip", (b"PK\x03\x04",)),
    "rar": ("application/vnd.rar", (b"Rar!\x1a\x07",)),
}
_UNFIT = re.compile(r"[\x00-\x1f\x7f\"\\/:*?<>|\u2028\u2029]")


def folded(name: str) -> str:
    """What names are compared by."""
    return name.lower()


def read(text: str, *, mail: bool) -> tuple[str, Kind]:
    """A name as it is kept, and its kind; raises BadParameters for what no message can show.

    Digits alone are a telephone number: short ones belong to others.
    """
    name = text.strip()
    if mail:
        if len(name) > MAIL_MAX or not _mail.fullmatch(name):
            raise BadParameters("sender is not a mail address")
        return name, Kind.MAIL
    if _digital(name):
        try:
            return telephone(name), Kind.DIGITAL
        except BadNumber:
            raise BadParameters("sender: a telephone number has 7 to 15 digits") from None
    if not _alphanumeric(name):
        raise BadParameters(
            f"sender: a name has at most {ALPHANUMERIC_MAX} Latin letters, digits, '.', '-', '_'"
        )
    return name, Kind.ALPHANUMERIC


def telephone(text: str) -> str:
    """A digital name as it is kept, without "+"; raises BadNumber."""
    msisdn = number.parse(text) if _digital(text) else None
    if msisdn is None or not number.plausible(msisdn):
        raise BadNumber
    return msisdn


def missing(operators: Mapping[str, str], details: Mapping[str, str]) -> list[str]:
    """The details that these operators ask for and that are not there."""
    return [
        name
        for operator in operators
        for name, needed in DETAILS.get(operator, {}).items()
        if needed and not details.get(name)
    ]


def file_type(name: str, octets: bytes) -> tuple[str, str]:
    """The name of a document as it is kept, and its content type.

    Raises BadParameters for one that is too large, or is not what its name says.
    """
    if len(octets) > FILE_MAX:
        raise BadParameters(f"the file is larger than {FILE_MAX // 1024 // 1024} MB")
    stem, dot, ending = name.rpartition(".")
    known = _FILES.get(ending.lower())
    if not dot or known is None:
        raise BadParameters(f"a file is one of {', '.join(_FILES)}")
    content_type, beginnings = known
    if not octets.startswith(beginnings):
        raise BadParameters(f"the file is no {ending.lower()}")
    own = _UNFIT.sub("_", stem.replace("\\", "/").rpartition("/")[2]).strip(". ") or "document"
    return f"{own[: FILE_NAME_MAX - len(ending) - 1]}.{ending.lower()}", content_type
