"""Delivery receipts: the text of Appendix B and the TLVs beside it, read and written.

Carriers agree on little: keys in any case, fields missing or added, errors in letters.  What is
written is the line of smpp.md.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

import msgspec

from vestnik.wire.smpp import tlv

# What a deliver_sm is, in bits 2 to 5 of esm_class.
ESM_TYPE_MASK = 0x3C
ESM_RECEIPT = 0x04
ESM_DELIVERY_ACK = 0x08
ESM_USER_ACK = 0x10
ESM_INTERMEDIATE = 0x20

NETWORK_GSM = 3
TEXT_CHARACTERS_MAX = 20

IdForm = Literal["as_is", "decimal", "hexadecimal"]


class MessageState(IntEnum):
    """The message_state TLV; 0 and 9 came with SMPP 5.0."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


STATES: dict[str, MessageState] = {  # the word after stat:
    "SCHEDUL": MessageState.SCHEDULED,
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
    "SKIPPED": MessageState.SKIPPED,
}
_WORD_OF: dict[int | None, str] = {state: word for word, state in STATES.items()}


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What a carrier says of one message; what it leaves out is empty.

    `stat` is its word in capitals, `err` its literal, the dates are its digits; `sub` and `dlvrd`
    count parts.  Times have no zone on the wire.
    """

    id: str
    stat: str = ""
    err: str = ""
    sub: str = ""
    dlvrd: str = ""
    submit_date: str = ""
    done_date: str = ""
    text: str = ""


# Keys stand at the start or after a space; a value runs to the next key, so it may hold spaces.
_KEYS = {
    "id": "id",
    "sub": "sub",
    "dlvrd": "dlvrd",
    "submit date": "submit_date",
    "submitdate": "submit_date",
    "submit_date": "submit_date",
    "done date": "done_date",
    "donedate": "done_date",
    "done_date": "done_date",
    "stat": "stat",
    "err": "err",
    "text": "text",
}
_KEY = re.compile(
    r"(?:^|(?<=\s))(submit[ _]?date|done[ _]?date|[a-z][a-z0-9_]*)\s?:", re.IGNORECASE
)

# The line as most carriers write it: a third of the time of looking for each key.
_USUAL = re.compile(
    r"id:(\S+) sub:(\S*) dlvrd:(\S*) submit date:(\S*) done date:(\S*) stat:(\S*) err:(\S*)"
    r"(?:\s+text:(.*))?",
    re.IGNORECASE | re.DOTALL,
)


def is_receipt(esm_class: int, tlvs: Mapping[int, bytes]) -> bool:
    """Whether a deliver_sm tells of a message of ours rather than brings a new one."""
    kind = esm_class & ESM_TYPE_MASK
    return kind in (ESM_RECEIPT, ESM_INTERMEDIATE) or tlv.RECEIPTED_MESSAGE_ID in tlvs


def parse_text(text: str) -> Receipt | None:
    """Read the text of a receipt; None where there is no id in it."""
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        ref, sub, dlvrd, submitted, done, stat, err, rest = usual.groups("")
        return Receipt(ref, stat.upper(), err, sub, dlvrd, submitted, done, rest.strip())
    found: dict[str, str] = {}
    keys = list(_KEY.finditer(text))
    for index, key in enumerate(keys):
        name = _KEYS.get(key[1].lower())
        if name == "text":  # the last field, whatever it holds
            found.setdefault(name, text[key.end() :].strip())
            break
        end = keys[index + 1].start() if index + 1 < len(keys) else len(text)
        if name is not None:
            found.setdefault(name, text[key.end() : end].strip(" \t\r\n\0"))
    if not found.get("id"):
        return None
    found["stat"] = found.get("stat", "").upper()
    return Receipt(**found)


def parse_tlvs(tlvs: Mapping[int, bytes]) -> Receipt | None:
    """Read a receipt from its TLVs; None without a receipted_message_id.

    An error of the GSM network is its number in three digits, as in the text.
    """
    ref = tlv.read_cstring(tlvs, tlv.RECEIPTED_MESSAGE_ID)
    if not ref:
        return None
    state = tlv.read_uint(tlvs, tlv.MESSAGE_STATE)
    return Receipt(
        id=ref,
        stat=_WORD_OF.get(state, ""),
        err=_network_error(tlvs.get(tlv.NETWORK_ERROR_CODE, b"")),
    )


def parse(
    text: str, tlvs: Mapping[int, bytes], prefer: Literal["text", "tlv"] = "text"
) -> Receipt | None:
    """Read both forms; what the preferred one leaves out comes from the other."""
    first, second = parse_text(text), parse_tlvs(tlvs)
    if prefer == "tlv":
        first, second = second, first
    if first is None or second is None:
        return first or second
    return Receipt(
        first.id,
        first.stat or second.stat,
        first.err or second.err,
        first.sub or second.sub,
        first.dlvrd or second.dlvrd,
        first.submit_date or second.submit_date,
        first.done_date or second.done_date,
        first.text or second.text,
    )


def normal_id(ref: str, form: IdForm) -> str:
    """A message id that compares equal however it was written: decimal, without leading zeros.

    An id that is not in the form stays as it is.
    """
    ref = ref.strip()
    if form == "as_is":
        return ref
    try:
        return str(int(ref, 16 if form == "hexadecimal" else 10))
    except ValueError:
        return ref


def write_text(receipt: Receipt) -> bytes:
    """The line of a receipt (smpp.md, "DELIVER_SM with a receipt")."""
    line = (
        f"id:{receipt.id} sub:{receipt.sub or '001'} dlvrd:{receipt.dlvrd or '000'}"
        f" submit date:{receipt.submit_date} done date:{receipt.done_date}"
        f" stat:{receipt.stat} err:{receipt.err or '000'} text:"
    )
    return (line + receipt.text[:TEXT_CHARACTERS_MAX]).encode("latin-1", "replace")


def write_tlvs(receipt: Receipt) -> dict[int, bytes]:
    """The three TLVs that say the same; raises KeyError for an unknown word of state."""
    error = int(receipt.err) if receipt.err.isdecimal() else 0
    return {
        tlv.RECEIPTED_MESSAGE_ID: tlv.cstring(receipt.id),
        tlv.MESSAGE_STATE: tlv.uint8(STATES[receipt.stat]),
        tlv.NETWORK_ERROR_CODE: tlv.uint8(NETWORK_GSM) + tlv.uint16(min(error, 0xFFFF)),
    }


def _network_error(octets: bytes) -> str:
    return f"{int.from_bytes(octets[1:3], 'big'):03d}" if len(octets) == 3 else ""
