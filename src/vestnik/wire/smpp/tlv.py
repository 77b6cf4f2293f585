"""Optional parameters: tags, octets, and readers for the types they come in.

On a PDU they are a mapping of tag to octets; a tag that is repeated keeps its last value.
"""

import struct
from collections.abc import Mapping
from typing import Final

Tlvs = Mapping[int, bytes]

DEST_ADDR_SUBUNIT: Final = 0x0005
SOURCE_ADDR_SUBUNIT: Final = 0x000D
PAYLOAD_TYPE: Final = 0x0019
ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
RECEIPTED_MESSAGE_ID: Final = 0x001E
MS_MSG_WAIT_FACILITIES: Final = 0x0030
PRIVACY_INDICATOR: Final = 0x0201
SOURCE_SUBADDRESS: Final = 0x0202
DEST_SUBADDRESS: Final = 0x0203
USER_MESSAGE_REFERENCE: Final = 0x0204
USER_RESPONSE_CODE: Final = 0x0205
SOURCE_PORT: Final = 0x020A
DESTINATION_PORT: Final = 0x020B
SAR_MSG_REF_NUM: Final = 0x020C
LANGUAGE_INDICATOR: Final = 0x020D
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
CALLBACK_NUM: Final = 0x0381
DPF_RESULT: Final = 0x0420
MS_AVAILABILITY_STATUS: Final = 0x0422
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
DELIVERY_FAILURE_REASON: Final = 0x0425
MORE_MESSAGES_TO_SEND: Final = 0x0426
MESSAGE_STATE: Final = 0x0427
USSD_SERVICE_OP: Final = 0x0501
DISPLAY_TIME: Final = 0x1201
SMS_SIGNAL: Final = 0x1203
MS_VALIDITY: Final = 0x1204
ALERT_ON_MESSAGE_DELIVERY: Final = 0x130C
ITS_REPLY_TYPE: Final = 0x1380
ITS_SESSION_INFO: Final = 0x1383

# The reference service's own, in its receipts (smpp.md).
COST: Final = 0x2000
FLAGS: Final = 0x2001
PARTS: Final = 0x2002
NETWORK: Final = 0x2003

_HEADER = struct.Struct(">HH")


class BadTlv(ValueError):
    """An optional parameter runs past its PDU."""


def read(body: bytes, at: int) -> dict[int, bytes]:
    """The parameters from `at` to the end; fewer than four octets left over are ignored."""
    found: dict[int, bytes] = {}
    end = len(body)
    while end - at >= 4:
        tag, length = _HEADER.unpack_from(body, at)
        at += 4
        if at + length > end:
            raise BadTlv(f"TLV 0x{tag:04X} of {length} octets, {end - at} left")
        found[tag] = body[at : at + length]
        at += length
    return found


def write(tlvs: Tlvs) -> bytes:
    """The parameters one after another; raises ValueError for a tag or value that is too big."""
    parts = []
    for tag, value in tlvs.items():
        if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
            raise ValueError(f"TLV 0x{tag:04X} of {len(value)} octets cannot be written")
        parts.append(_HEADER.pack(tag, len(value)) + value)
    return b"".join(parts)


def read_uint(tlvs: Tlvs, tag: int) -> int | None:
    """An integer of whatever size the peer chose; None when absent or empty."""
    value = tlvs.get(tag)
    return int.from_bytes(value, "big") if value else None


def read_cstring(tlvs: Tlvs, tag: int) -> str | None:
    """A C string, its NUL optional; None when absent."""
    value = tlvs.get(tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")


def uint8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def uint16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def cstring(value: str) -> bytes:
    return value.encode("latin-1") + b"\0"
