"""One message → the submit_sm PDUs that carry it, by the settings of a carrier."""

from datetime import UTC, datetime

import msgspec

from vestnik.channels.base import SendFailed
from vestnik.channels.smpp_settings import SmppSettings
from vestnik.domain.message import Err, Kind, Outgoing, Status
from vestnik.wire.smpp import tlv, udh
from vestnik.wire.smpp.pdu import SubmitSm
from vestnik.wire.sms import gsm7, push
from vestnik.wire.sms.segments import (
    OCTETS_MAX,
    UNITS_EACH_MAX,
    Coding,
    Segment,
    binary_segments,
    in_series,
    segments,
)

# To look up a member of an enumeration takes a quarter of a microsecond; these are met at each
# message.
_SMS, _FLASH, _GSM7, _UCS2 = Kind.SMS, Kind.FLASH, Coding.GSM7, Coding.UCS2
_CLASS_0 = 0x10
_MS_DISPLAY = 1  # dest_addr_subunit
_NUMBER_DIGITS_MAX = 15
_SENDER_CHARACTERS_MAX = 20
_VALIDITY_S_MIN, _VALIDITY_S_MAX = 60, 63 * 86400  # what fits the two digits of a handset's days


class Submit(msgspec.Struct, frozen=True):
    """A PDU and the numbers of the parts that it carries: one, or all in message_payload."""

    parts: tuple[int, ...]
    pdu: SubmitSm


class _Body(msgspec.Struct, frozen=True):
    octets: bytes
    data_coding: int
    esm_class: int = 0
    protocol_id: int | None = None
    tlvs: tuple[tuple[int, bytes], ...] = ()
    parts: tuple[int, ...] = (1,)


def compose(message: Outgoing, settings: SmppSettings, now_ms: int) -> list[Submit]:
    """The PDUs of a message, in the order of its parts.

    The same message gives the same parts at each try.  Raises SendFailed, for good, for what this
    channel cannot carry.
    """
    source = _source(message.sender, settings)
    phone = "+" + message.phone if settings.plus_sign else message.phone
    if (
        not (message.phone.isascii() and message.phone.isdigit())
        or len(message.phone) > _NUMBER_DIGITS_MAX
    ):
        raise _refused("not a phone number", Status.BAD_NUMBER, Err.BAD_FORMAT)
    validity = _validity(message.expires_at, settings, now_ms)
    priority = settings.priority_urgent if message.urgent else settings.priority_normal
    receipt = settings.registered_delivery if settings.receipts == "yes" else 0
    return [
        Submit(
            body.parts,
            SubmitSm(
                settings.service_type,
                *source,
                settings.dest_ton,
                settings.dest_npi,
                phone,
                body.esm_class,
                settings.protocol_id if body.protocol_id is None else body.protocol_id,
                priority,
                "",
                validity,
                receipt,
                0,
                body.data_coding,
                0,
                body.octets,
                tlvs=dict(body.tlvs),
            ),
        )
        for body in _bodies(message, settings)
    ]


def _bodies(message: Outgoing, settings: SmppSettings) -> list[_Body]:
    if message.kind is _SMS or message.kind is _FLASH:
        return _text(message, settings)
    match message.kind:
        case Kind.BINARY:
            return _data(message, _hex(message), settings)
        case Kind.PUSH:
            try:
                data = push.service_indication(message.text)
            except ValueError as reason:
                raise _refused(str(reason)) from None
            return _data(message, data, settings)
        case Kind.PING:
            octets = settings.ping_text.encode("latin-1", "replace")
            return [_Body(octets, settings.coding_default, 0, settings.ping_protocol_id)]
        case kind:
            raise _refused(f"SMPP carries no {kind.name}", Status.UNREACHABLE, Err.NO_ROUTE)


def _text(message: Outgoing, settings: SmppSettings) -> list[_Body]:
    flash = message.kind is _FLASH
    pieces = _encoded(message.text, settings, flash)
    data_coding = _data_coding(pieces[0].coding, settings)
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if flash and settings.flash == "class":
        data_coding |= _CLASS_0
    elif flash:
        tlvs = ((tlv.DEST_ADDR_SUBUNIT, tlv.uint8(_MS_DISPLAY)),)
    if len(pieces) == 1:
        return [_Body(pieces[0].octets, data_coding, tlvs=tlvs)]
    return _long([piece.octets for piece in pieces], data_coding, tlvs, message, settings)


def _data_coding(coding: Coding, settings: SmppSettings) -> int:
    if coding is _GSM7:
        return settings.coding_default
    return settings.coding_ucs2 if coding is _UCS2 else settings.coding_latin1


def _long(
    pieces: list[bytes],
    data_coding: int,
    tlvs: tuple[tuple[int, bytes], ...],
    message: Outgoing,
    settings: SmppSettings,
) -> list[_Body]:
    total, reference = len(pieces), udh.reference_of(message.id)
    if settings.long_messages == "payload":
        whole = (tlv.MESSAGE_PAYLOAD, b"".join(pieces))
        every = tuple(range(1, total + 1))
        return [_Body(b"", data_coding, tlvs=(*tlvs, whole), parts=every)]
    if settings.long_messages == "sar":
        of_message = (
            (tlv.SAR_MSG_REF_NUM, tlv.uint16(reference)),
            (tlv.SAR_TOTAL_SEGMENTS, tlv.uint8(total)),
        )
        return [
            _Body(
                octets,
                data_coding,
                tlvs=(*tlvs, *of_message, (tlv.SAR_SEGMENT_SEQNUM, tlv.uint8(index))),
                parts=(index,),
            )
            for index, octets in enumerate(pieces, 1)
        ]
    return [
        _Body(
            in_series(b"\0" + octets, reference, total, index),
            data_coding,
            udh.ESM_UDHI,
            tlvs=tlvs,
            parts=(index,),
        )
        for index, octets in enumerate(pieces, 1)
    ]


def _encoded(text: str, settings: SmppSettings, flash: bool) -> list[Segment]:
    """Segments in an alphabet that the carrier knows."""
    pieces = segments(text)
    if settings.default_alphabet == "gsm7" or pieces[0].coding is not _GSM7:
        return pieces
    for codec, coding in _alphabets(settings, flash):
        try:
            return [Segment(gsm7.decode(p.octets).encode(codec), coding) for p in pieces]
        except UnicodeEncodeError:
            continue
    return _ucs2(text)


def _alphabets(settings: SmppSettings, flash: bool) -> list[tuple[str, Coding]]:
    if settings.default_alphabet == "latin1":
        return [("latin-1", Coding.GSM7)]
    # Class 0 has no number for Latin-1 beside the default alphabet.
    return [("ascii", Coding.GSM7)] + ([] if flash else [("latin-1", Coding.LATIN1)])


def _ucs2(text: str) -> list[Segment]:
    """A text in UCS-2 though the GSM alphabet has it; characters of that are never in pairs."""
    octets = text.encode("utf-16-be")
    if len(octets) <= OCTETS_MAX:
        return [Segment(octets, Coding.UCS2)]
    each = 2 * UNITS_EACH_MAX
    return [
        Segment(octets[start : start + each], Coding.UCS2) for start in range(0, len(octets), each)
    ]


def _data(message: Outgoing, data: bytes, settings: SmppSettings) -> list[_Body]:
    """Data that begins with the length of its header (channels.md)."""
    data_coding = _octet(message, "dcs", settings.coding_binary)
    protocol_id = _octet(message, "pid", settings.protocol_id)
    try:
        pieces = binary_segments(data)
    except ValueError as reason:
        raise _refused(str(reason)) from None
    total, reference = len(pieces), udh.reference_of(message.id)
    bodies = []
    for index, piece in enumerate(pieces, 1):
        octets = in_series(piece, reference, total, index) if total > 1 else piece
        esm_class = udh.ESM_UDHI if octets[0] else 0
        bare = octets if octets[0] else octets[1:]
        bodies.append(_Body(bare, data_coding, esm_class, protocol_id, parts=(index,)))
    return bodies


def _hex(message: Outgoing) -> bytes:
    try:
        data = bytes.fromhex(str(message.options.get("data", "")))
    except ValueError:
        raise _refused("the data is not hexadecimal") from None
    if not data:
        raise _refused("there is no data")
    return data


def _octet(message: Outgoing, name: str, default: int) -> int:
    value = message.options.get(name, default)
    if not isinstance(value, int) or not 0 <= value <= 255:
        raise _refused(f"{name} is not an octet")
    return value


def _source(sender: str, settings: SmppSettings) -> tuple[int, int, str]:
    """TON, NPI and address of a sender; an empty one leaves the choice to the carrier.

    Raises SendFailed for one that cannot be written in ASCII or is longer than the field.
    """
    digits = sender.removeprefix("+")
    if not sender:
        return 0, 0, ""
    if len(sender) > _SENDER_CHARACTERS_MAX or not sender.isascii():
        raise _refused("not a sender", Status.FORBIDDEN, Err.UNREGISTERED_SENDER)
    if not digits.isdigit():
        return settings.alpha_ton, settings.alpha_npi, sender
    if len(digits) <= settings.short_digits_max:
        return settings.short_ton, settings.short_npi, digits
    return settings.number_ton, settings.number_npi, digits


def _validity(expires_at: int | None, settings: SmppSettings, now_ms: int) -> str:
    if expires_at is None or settings.validity == "none":
        return ""
    left_s = (expires_at - now_ms) // 1000
    left_s = max(_VALIDITY_S_MIN, min(left_s, _VALIDITY_S_MAX))
    if settings.validity == "absolute":
        moment = datetime.fromtimestamp(now_ms / 1000 + left_s, UTC)
        return f"{moment:%y%m%d%H%M%S}000+"
    minutes, seconds = divmod(left_s, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def _refused(
    reason: str, status: Status = Status.UNDELIVERABLE, err: int = Err.REJECTED
) -> SendFailed:
    return SendFailed(reason, retry=False, status=status, err=err)
