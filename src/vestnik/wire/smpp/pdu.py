"""The PDUs of SMPP 3.4: fields in wire order with their sizes, and how they are framed.

Compare with the specification line by line; `encode` and `decode` never grow.
"""

import struct
from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.command_status import (
    ESME_RINVCMDID,
    ESME_RINVOPTPARSTREAM,
)
from vestnik.wire.smpp.fields import BadBody, cstring, layout, octets, record, uint

HEADER = struct.Struct(">IIII")
PDU_OCTETS_MAX = 65536
RESPONSE = 0x80000000
SEQUENCE_MAX = 0x7FFFFFFF

# The specification gives 16 and 9, and 21 for an address; long keys, passwords and e-mail
# addresses are in real use (smpp.md).
LOGIN_OCTETS_MAX = 65
ADDRESS_OCTETS_MAX = 65


class Malformed(Exception):
    """The stream has lost its framing: the connection is of no more use."""

    def __init__(self, reason: str, *, sequence: int) -> None:
        super().__init__(reason)
        self.sequence = sequence


class Unreadable(Exception):
    """One PDU cannot be read; the stream goes on, and `status` is the answer it deserves."""

    def __init__(self, reason: str, *, sequence: int, command_id: int, status: int) -> None:
        super().__init__(reason)
        self.sequence = sequence
        self.command_id = command_id
        self.status = status


@record
class Pdu:
    """One protocol data unit without its header."""

    command_id: ClassVar[int]
    tlvs: Mapping[int, bytes] = field(default_factory=dict, kw_only=True)


@record
class Frame:
    """A PDU as it travels: with its sequence number and command_status."""

    pdu: Pdu
    sequence: int
    status: int = 0


@record
class BindRequest(Pdu):
    """What the three binds have in common: everything."""

    system_id: str = cstring(LOGIN_OCTETS_MAX)
    password: str = cstring(LOGIN_OCTETS_MAX)
    system_type: str = cstring(13)
    interface_version: int = uint()
    addr_ton: int = uint()
    addr_npi: int = uint()
    address_range: str = cstring(41)


@record
class _BindResp(Pdu):
    system_id: str = cstring(LOGIN_OCTETS_MAX)


@record
class BindReceiver(BindRequest):
    command_id = 0x00000001


@record
class BindReceiverResp(_BindResp):
    command_id = 0x80000001


@record
class BindTransmitter(BindRequest):
    command_id = 0x00000002


@record
class BindTransmitterResp(_BindResp):
    command_id = 0x80000002


@record
class BindTransceiver(BindRequest):
    command_id = 0x00000009


@record
class BindTransceiverResp(_BindResp):
    command_id = 0x80000009


@record
class Outbind(Pdu):
    command_id = 0x0000000B
    system_id: str = cstring(LOGIN_OCTETS_MAX)
    password: str = cstring(LOGIN_OCTETS_MAX)


@record
class Unbind(Pdu):
    command_id = 0x00000006


@record
class UnbindResp(Pdu):
    command_id = 0x80000006


@record
class GenericNack(Pdu):
    command_id = 0x80000000


@record
class EnquireLink(Pdu):
    command_id = 0x00000015


@record
class EnquireLinkResp(Pdu):
    command_id = 0x80000015


@record
class ShortMessage(Pdu):
    """What submit_sm and deliver_sm have in common: everything."""

    service_type: str = cstring(6)
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)
    dest_addr_ton: int = uint()
    dest_addr_npi: int = uint()
    destination_addr: str = cstring(ADDRESS_OCTETS_MAX)
    esm_class: int = uint()
    protocol_id: int = uint()
    priority_flag: int = uint()
    schedule_delivery_time: str = cstring(17)
    validity_period: str = cstring(17)
    registered_delivery: int = uint()
    replace_if_present_flag: int = uint()
    data_coding: int = uint()
    sm_default_msg_id: int = uint()
    short_message: bytes = octets()


@record
class SubmitSm(ShortMessage):
    command_id = 0x00000004


@record
class SubmitSmResp(Pdu):
    command_id = 0x80000004
    message_id: str = cstring(65)


@record
class DeliverSm(ShortMessage):
    command_id = 0x00000005


@record
class DeliverSmResp(Pdu):
    command_id = 0x80000005
    message_id: str = cstring(65)


@record
class DataSm(Pdu):
    command_id = 0x00000103
    service_type: str = cstring(6)
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)
    dest_addr_ton: int = uint()
    dest_addr_npi: int = uint()
    destination_addr: str = cstring(ADDRESS_OCTETS_MAX)
    esm_class: int = uint()
    registered_delivery: int = uint()
    data_coding: int = uint()


@record
class DataSmResp(Pdu):
    command_id = 0x80000103
    message_id: str = cstring(65)


@record
class QuerySm(Pdu):
    command_id = 0x00000003
    message_id: str = cstring(65)
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)


@record
class QuerySmResp(Pdu):
    command_id = 0x80000003
    message_id: str = cstring(65)
    final_date: str = cstring(17)
    message_state: int = uint()
    error_code: int = uint()


@record
class CancelSm(Pdu):
    command_id = 0x00000008
    service_type: str = cstring(6)
    message_id: str = cstring(65)
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)
    dest_addr_ton: int = uint()
    dest_addr_npi: int = uint()
    destination_addr: str = cstring(ADDRESS_OCTETS_MAX)


@record
class CancelSmResp(Pdu):
    command_id = 0x80000008


@record
class ReplaceSm(Pdu):
    command_id = 0x00000007
    message_id: str = cstring(65)
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)
    schedule_delivery_time: str = cstring(17)
    validity_period: str = cstring(17)
    registered_delivery: int = uint()
    sm_default_msg_id: int = uint()
    short_message: bytes = octets()


@record
class ReplaceSmResp(Pdu):
    command_id = 0x80000007


@record
class AlertNotification(Pdu):
    command_id = 0x00000102
    source_addr_ton: int = uint()
    source_addr_npi: int = uint()
    source_addr: str = cstring(ADDRESS_OCTETS_MAX)
    esme_addr_ton: int = uint()
    esme_addr_npi: int = uint()
    esme_addr: str = cstring(ADDRESS_OCTETS_MAX)


# Each request with its response; submit_multi is left out: the reference service has none.
RESPONSES: dict[type[Pdu], type[Pdu]] = {
    BindReceiver: BindReceiverResp,
    BindTransmitter: BindTransmitterResp,
    BindTransceiver: BindTransceiverResp,
    Unbind: UnbindResp,
    EnquireLink: EnquireLinkResp,
    SubmitSm: SubmitSmResp,
    DeliverSm: DeliverSmResp,
    DataSm: DataSmResp,
    QuerySm: QuerySmResp,
    CancelSm: CancelSmResp,
    ReplaceSm: ReplaceSmResp,
}
UNANSWERED: tuple[type[Pdu], ...] = (Outbind, AlertNotification)

_ALL: tuple[type[Pdu], ...] = (*RESPONSES, *RESPONSES.values(), *UNANSWERED, GenericNack)
PDUS: dict[int, type[Pdu]] = {kind.command_id: kind for kind in _ALL}
_LAYOUTS = {kind: layout(kind) for kind in _ALL}


def response_to(command_id: int) -> Pdu:
    """An empty response to that command; generic_nack for one that has none."""
    kind = PDUS.get(command_id)
    return RESPONSES[kind]() if kind in RESPONSES else GenericNack()


def encode(pdu: Pdu, sequence: int, status: int = 0) -> bytes:
    """One PDU with its header; raises ValueError for a value that does not fit its field."""
    body = _LAYOUTS[type(pdu)].write(pdu)
    if pdu.tlvs:
        body += tlv.write(pdu.tlvs)
    return HEADER.pack(16 + len(body), pdu.command_id, status, sequence) + body


def decode(buffer: bytearray) -> Frame | None:
    """Take one PDU off the buffer, or nothing while it has not all arrived.

    Raises Malformed when no PDU can begin here, Unreadable for one PDU (which is off the buffer).
    """
    if len(buffer) < 16:
        return None
    length, command_id, status, sequence = HEADER.unpack_from(buffer)
    if not 16 <= length <= PDU_OCTETS_MAX:
        raise Malformed(f"command_length {length}", sequence=sequence)
    if len(buffer) < length:
        return None
    body = bytes(buffer[16:length])
    del buffer[:length]
    kind = PDUS.get(command_id)
    if kind is None:
        reason = f"command_id 0x{command_id:08X}"
        raise Unreadable(reason, sequence=sequence, command_id=command_id, status=ESME_RINVCMDID)
    if command_id & RESPONSE:
        return Frame(_read_response(kind, body), sequence, status)
    try:
        values, end = _LAYOUTS[kind].read(body)
        pdu: Pdu = kind(*values)
        if end < length - 16:
            pdu = kind(*values, tlvs=tlv.read(body, end))
    except (BadBody, tlv.BadTlv) as reason:
        raise Unreadable(
            str(reason),
            sequence=sequence,
            command_id=command_id,
            status=getattr(reason, "status", ESME_RINVOPTPARSTREAM),
        ) from None
    return Frame(pdu, sequence, status)


def _read_response(kind: type[Pdu], body: bytes) -> Pdu:
    """A response, whatever its body: a refusing one may be empty, some carriers forget the NUL.

    Nobody can be told that an answer is unreadable, so what cannot be read keeps its default.
    """
    for candidate in (body, body + b"\0"):
        try:
            values, end = _LAYOUTS[kind].read(candidate)
        except BadBody:
            continue
        if end < len(candidate):
            try:
                return kind(*values, tlvs=tlv.read(candidate, end))
            except tlv.BadTlv:
                pass  # the fields before it are good
        return kind(*values)
    return kind()
