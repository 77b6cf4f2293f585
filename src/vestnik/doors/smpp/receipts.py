"""News → deliver_sm: receipts, answers of look-ups, incoming messages (smpp.md, "Statuses")."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from vestnik.domain import look_up
from vestnik.domain.message import Kind, Status
from vestnik.doors.smpp.codes import STATS
from vestnik.doors.smpp.times import receipt_date
from vestnik.services.news import INCOMING, News
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.fields import SHORT_MESSAGE_OCTETS_MAX
from vestnik.wire.sms import gsm7

UCS2 = 8
ERR_MAX = 999  # three digits
COST_CHARACTERS = 6
MICRO = 1_000_000

_LOOK_UPS = (Kind.HLR, Kind.PING)

_INTERNATIONAL, _ALPHANUMERIC, _ISDN, _UNKNOWN = 1, 5, 1, 0


def deliver_sm(news: News, zone: tzinfo, *, own_tlvs: bool = True) -> p.DeliverSm:
    """What tells a client the news; `zone` is that of its dates.

    Without `own_tlvs` a receipt has the TLVs of the standard alone: there are programs that cannot
    read a PDU with others.
    """
    if news.kind == INCOMING:
        return _incoming(news.payload)
    return _receipt(news.payload, zone, _own_tlvs(news.payload) if own_tlvs else {})


def _receipt(message: Mapping[str, Any], zone: tzinfo, more: dict[int, bytes]) -> p.DeliverSm:
    status = Status(message["status"])
    stat, err = STATS[status], min(message["err"], ERR_MAX)
    receipt = r.Receipt(
        id=message["wire_id"],
        stat=stat,
        err=f"{err:03d}",
        dlvrd="001" if status.reached else "000",
        submit_date=receipt_date(message["sent_at"], zone),
        done_date=receipt_date(message["at"], zone),
    )
    if message["type"] in _LOOK_UPS:
        line = _look_up_line(receipt, message)
    else:
        line = r.write_text(receipt)
    ton, npi = _numbering(message["sender"])
    return p.DeliverSm(
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        source_addr=message["phone"],
        dest_addr_ton=ton,
        dest_addr_npi=npi,
        destination_addr=message["sender"],
        esm_class=r.ESM_RECEIPT if status.final else r.ESM_INTERMEDIATE,
        short_message=_short(line),
        tlvs=r.write_tlvs(receipt) | more | _payload(line),
    )


def _look_up_line(receipt: r.Receipt, message: Mapping[str, Any]) -> bytes:
    told = look_up.written(message.get("hlr") or {})
    return f"id:{receipt.id} stat:{receipt.stat} err:{receipt.err} {told}".encode("ascii")


def _own_tlvs(message: Mapping[str, Any]) -> dict[int, bytes]:
    """What the reference service adds of its own."""
    cost = f"{message['cost'] / MICRO:.4f}"[:COST_CHARACTERS].rstrip(".")
    return {
        tlv.COST: tlv.cstring(cost),
        tlv.FLAGS: tlv.uint16(message["flag"] & 0xFFFF),
        tlv.PARTS: tlv.uint16(min(message["parts"], 0xFFFF)),
        tlv.NETWORK: tlv.cstring(message["mccmnc"][:5]),
    }


def _incoming(message: Mapping[str, Any]) -> p.DeliverSm:
    text = message["text"]
    data_coding = 0 if gsm7.fits(text) else UCS2
    octets = text.encode("utf-16-be", "replace") if data_coding else gsm7.encode(text)
    return p.DeliverSm(
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        source_addr=_address(message["phone"]),
        dest_addr_ton=_INTERNATIONAL,
        dest_addr_npi=_ISDN,
        destination_addr=_address(message["to"]),
        data_coding=data_coding,
        short_message=_short(octets),
        tlvs=_payload(octets),
    )


def _short(octets: bytes) -> bytes:
    """What stands in the PDU itself: all of it, or nothing."""
    return octets if len(octets) <= SHORT_MESSAGE_OCTETS_MAX else b""


def _payload(octets: bytes) -> dict[int, bytes]:
    """Where what is too long for the PDU itself stands."""
    long = len(octets) > SHORT_MESSAGE_OCTETS_MAX
    return {tlv.MESSAGE_PAYLOAD: octets} if long else {}


def _numbering(sender: str) -> tuple[int, int]:
    if not sender:
        return _UNKNOWN, _UNKNOWN
    digits = sender.removeprefix("+").isdecimal()
    return (_INTERNATIONAL, _ISDN) if digits else (_ALPHANUMERIC, _UNKNOWN)


def _address(phone: str) -> str:
    """A number as the field can hold it; what a carrier calls a number may be anything."""
    return phone.encode("latin-1", "replace").decode("latin-1")[: p.ADDRESS_OCTETS_MAX - 1]
