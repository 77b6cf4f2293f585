"""submit_sm and data_sm → what is to be sent, or a part of it (smpp.md, "SUBMIT_SM")."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag
from vestnik.doors.smpp import texts, times
from vestnik.doors.smpp.codes import Wrong
from vestnik.services.messages.draft import Order
from vestnik.services.sending.parts import Part
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv, udh
from vestnik.wire.smpp.command_status import (
    ESME_RINVDFTMSGID,
    ESME_RINVDSTADR,
    ESME_RINVESMCLASS,
    ESME_RINVMSGLEN,
    ESME_RINVPARLEN,
    ESME_RINVPRTFLG,
    ESME_RINVREPFLAG,
    ESME_ROPTPARNOTALLWD,
)
from vestnik.wire.smpp.receipt import ESM_TYPE_MASK

PRIORITY_MAX = 4  # of 5.0; 3.4 ends at 3
URGENT_FROM = 2  # priority_flag (smpp.md, "Speed")
RECEIPT_MASK = 0x03  # of registered_delivery: when a receipt is wanted
PROGRESS = 0x10
# Types of message besides the ordinary one that an ESME may submit: some libraries always say so.
_ACKNOWLEDGEMENTS = (0x08, 0x10)
_NO_RECIPIENT = frozenset(",;\r\n")  # one submit has one recipient

_DIGEST = blake2b(digest_size=16, person=b"smpp submit")  # to copy is cheaper than to make one

_encoder = msgspec.json.Encoder()


class Manner(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a message is to be read and sent: what all its parts share.

    `header` are elements of the user data header besides the place, `time` and `valid` are those
    of an Order and `when` what they were made of, `address` is the client's.
    """

    coding: int = 0
    iso: bool = False
    pid: int = 0
    header: bytes = b""
    time: str = ""
    valid: str = ""
    when: str = ""
    address: str = ""


_decoder = msgspec.json.Decoder(Manner)


@dataclass(slots=True)
class Submit:
    """One submit, read: `place` says which part of its message it is, `flags` are a message's."""

    sender: str
    phone: str
    octets: bytes
    place: udh.Place
    manner: Manner
    flags: int

    def order(self, client: Client, now_ms: int) -> Order:
        """The order of a submit that is a whole message; raises Wrong for octets that cannot be
        read."""
        return order_of(
            client, self.sender, self.phone, self.octets, self.flags, self.manner, now_ms
        )

    def part(self, client: Client) -> Part:
        """The submit as a part; raises Wrong for an alphabet that does not exist."""
        texts.coding_of(self.manner.coding, iso=self.manner.iso)
        return Part(
            client_id=client.id,
            sender=self.sender,
            phone=self.phone,
            reference=self.place.reference,
            total=self.place.total,
            number=self.place.index,
            coding=self.manner.coding,
            octets=self.octets,
            manner=_encoder.encode(self.manner).decode(),
            flags=self.flags,
        )


def manner_of(part: Part) -> Manner:
    """What `Submit.part` wrote down."""
    return _decoder.decode(part.manner)


def read(pdu: p.SubmitSm | p.DataSm, *, iso: bool, address: str, now_ms: int) -> Submit:
    """Read a submit; raises Wrong with the status that its first fault deserves."""
    esm_class = pdu.esm_class
    if esm_class & ESM_TYPE_MASK and esm_class & ESM_TYPE_MASK not in _ACKNOWLEDGEMENTS:
        raise Wrong(ESME_RINVESMCLASS)
    phone = pdu.destination_addr
    if not phone or not _NO_RECIPIENT.isdisjoint(phone) or _is_group(phone):
        raise Wrong(ESME_RINVDSTADR)
    octets, header, place = _octets(pdu), b"", udh.ALONE
    if esm_class & udh.ESM_UDHI:
        place, header, octets = texts.split_header(octets)
    if pdu.tlvs:
        place = _sar(pdu.tlvs) or place
    time = valid = when = ""
    protocol_id = 0
    if isinstance(pdu, p.SubmitSm):
        _check(pdu)
        protocol_id = pdu.protocol_id
        when = f"{pdu.schedule_delivery_time} {pdu.validity_period}"
        if pdu.schedule_delivery_time:
            time = times.schedule(pdu.schedule_delivery_time, now_ms)
        if pdu.validity_period:
            valid = times.validity(pdu.validity_period, times.due(time, now_ms), now_ms)
    manner = Manner(pdu.data_coding, iso, protocol_id, header, time, valid, when, address)
    flags = _flags(pdu.registered_delivery)
    return Submit(pdu.source_addr, phone, octets, place, manner, flags)


def _is_group(phone: str) -> bool:
    """A group of contacts is many recipients."""
    return phone[0] in "Gg" and phone[1:].isdecimal()


def urgent(pdu: p.SubmitSm | p.DataSm) -> bool:
    """The submit itself says that it is urgent."""
    return isinstance(pdu, p.SubmitSm) and pdu.priority_flag >= URGENT_FROM


def order_of(
    client: Client,
    sender: str,
    phone: str,
    octets: bytes,
    flags: int,
    manner: Manner,
    now_ms: int,
) -> Order:
    """The order of a whole message; raises Wrong for octets that cannot be read."""
    saying = texts.say(octets, manner.header, manner.coding, manner.pid, iso=manner.iso)
    asked = digest(sender, phone, octets, manner)
    order = Order(client, saying.kind, (ListLine(phone, saying.text),), asked, now_ms)
    # An empty one, and ".", switch the account's default off (smpp.md).
    order.sender = "" if sender == "." else sender
    order.time, order.valid = manner.time, manner.valid
    order.options, order.flags = saying.options, flags
    order.address, order.origin = manner.address, "smpp"
    return order


def digest(sender: str, phone: str, octets: bytes, manner: Manner) -> bytes:
    """What makes two submits "the same request": all that the subscriber would see of them."""
    asked = f"{sender}\0{phone}\0{manner.coding}\0{manner.pid}\0{manner.when}\0"
    said = bytes((len(manner.header),)) + manner.header + octets
    made = _DIGEST.copy()
    made.update(asked.encode() + said)
    return made.digest()


def _octets(pdu: p.SubmitSm | p.DataSm) -> bytes:
    payload = pdu.tlvs.get(tlv.MESSAGE_PAYLOAD) if pdu.tlvs else None
    if isinstance(pdu, p.DataSm):
        return payload or b""
    if not payload:
        return pdu.short_message
    if pdu.short_message:
        raise Wrong(ESME_ROPTPARNOTALLWD)
    return payload


def _check(pdu: p.SubmitSm) -> None:
    if pdu.priority_flag > PRIORITY_MAX:
        raise Wrong(ESME_RINVPRTFLG)
    if pdu.replace_if_present_flag:
        raise Wrong(ESME_RINVREPFLAG)
    if pdu.sm_default_msg_id and not pdu.short_message:
        raise Wrong(ESME_RINVDFTMSGID)


def _flags(registered_delivery: int) -> int:
    if not registered_delivery & RECEIPT_MASK:
        return 0
    if registered_delivery & PROGRESS:
        return Flag.RECEIPT_WANTED | Flag.PROGRESS_WANTED
    return Flag.RECEIPT_WANTED


def _sar(tlvs: Mapping[int, bytes]) -> udh.Place | None:
    """The place that sar_* name; None without them."""
    reference = tlvs.get(tlv.SAR_MSG_REF_NUM)
    total = tlvs.get(tlv.SAR_TOTAL_SEGMENTS)
    number = tlvs.get(tlv.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    if len(reference) != 2 or len(total) != 1 or len(number) != 1:
        raise Wrong(ESME_RINVPARLEN)
    place = udh.checked(int.from_bytes(reference, "big"), total[0], number[0])
    if place is None:
        raise Wrong(ESME_RINVMSGLEN)
    return place
