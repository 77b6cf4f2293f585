"""What a carrier's deliver_sm or data_sm says, in our words: a report or an incoming message."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from vestnik.channels.smpp_refusals import stats
from vestnik.channels.smpp_settings import SmppSettings
from vestnik.domain import look_up
from vestnik.domain.message import Incoming, Report, Status
from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp import tlv, udh
from vestnik.wire.smpp.pdu import DataSm, DeliverSm
from vestnik.wire.sms import gsm7

RAW_CHARACTERS_MAX = 300

# data_coding below 0x10, as the specification numbers it; 0 is the carrier's own.
_CODECS = {
    1: "ascii",
    2: "latin-1",
    3: "latin-1",
    4: "latin-1",
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    8: "utf-16-be",
    13: "shift_jis",
    14: "euc_kr",
}
_CODEC_OF_ALPHABET = {"latin1": "latin-1", "ascii": "latin-1"}  # ASCII's upper half is anyone's
_DATE_FORMATS = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}


class Ears:
    """Reads what one carrier says, by its settings."""

    def __init__(self, settings: SmppSettings) -> None:
        self._settings = settings
        self._stats: Mapping[str, tuple[int, int]] = stats(settings)
        self._zone = ZoneInfo(settings.receipt_zone) if settings.receipt_zone else None

    def hear(self, pdu: DeliverSm | DataSm) -> Report | Incoming | None:
        """What it says; None for a receipt that names no message or no state."""
        octets = pdu.tlvs.get(tlv.MESSAGE_PAYLOAD, b"")
        if isinstance(pdu, DeliverSm):
            octets = pdu.short_message or octets
        place = udh.ALONE
        if pdu.esm_class & udh.ESM_UDHI:
            place, octets = udh.split(octets)
        if r.is_receipt(pdu.esm_class, pdu.tlvs):
            return self._report(pdu, octets)
        place = _sar(pdu.tlvs) or place
        return Incoming(
            phone=pdu.source_addr.removeprefix("+"),
            to=pdu.destination_addr.removeprefix("+"),
            text=self._decode(octets, pdu.data_coding),
            reference=place.reference,
            total=place.total,
            index=place.index,
        )

    def _report(self, pdu: DeliverSm | DataSm, octets: bytes) -> Report | None:
        text = _receipt_text(octets, pdu.data_coding)
        receipt = r.parse(text, pdu.tlvs, self._settings.receipt_from)
        if receipt is None or receipt.stat not in self._stats:
            return None
        status, err = self._stats[receipt.stat]
        if status not in (Status.DELIVERED, Status.SENT, Status.READ):
            err = self._err(receipt.err, err)
        return Report(
            r.normal_id(receipt.id, self._settings.receipt_ids),
            pdu.source_addr.removeprefix("+"),
            Status(status),
            err,
            self._moment(receipt.done_date),
            _without_text(text, receipt),
            look_up.read(text) or None,
        )

    def _err(self, said: str, default: int) -> int:
        """Our err for the carrier's."""
        for key in (said, said.lstrip("0")):
            if key in self._settings.receipt_errors:
                return self._settings.receipt_errors[key]
        if self._settings.receipt_errors_ours and said.isdecimal() and int(said):
            return int(said)
        return default

    def _moment(self, date: str) -> int:
        pattern = _DATE_FORMATS.get(len(date))
        if self._zone is None or pattern is None:
            return 0
        try:
            moment = datetime.strptime(date, pattern).replace(tzinfo=self._zone)
        except ValueError:
            return 0
        return int(moment.timestamp() * 1000)

    def _decode(self, octets: bytes, data_coding: int) -> str:
        codec = _codec(data_coding)
        if codec is None:
            codec = _CODEC_OF_ALPHABET.get(self._settings.default_alphabet)
        text = gsm7.decode(octets) if codec is None else octets.decode(codec, "replace")
        return text.replace("\0", "")  # the store can keep none


def _codec(data_coding: int) -> str | None:
    """The codec of a data_coding; None for the default alphabet."""
    if data_coding < 0x10:
        return _CODECS.get(data_coding)
    # The groups of GSM 03.38 with a message class or a compression bit.
    alphabet = data_coding >> 2 & 3
    if data_coding >= 0xF0:
        alphabet &= 1
    elif data_coding >= 0xC0:  # message waiting
        alphabet = 2 if data_coding >= 0xE0 else 0
    return {1: "latin-1", 2: "utf-16-be"}.get(alphabet)


def _sar(tlvs: Mapping[int, bytes]) -> udh.Place | None:
    reference = tlv.read_uint(tlvs, tlv.SAR_MSG_REF_NUM)
    total = tlv.read_uint(tlvs, tlv.SAR_TOTAL_SEGMENTS)
    index = tlv.read_uint(tlvs, tlv.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or index is None:
        return None
    return udh.checked(reference, total, index)


def _receipt_text(octets: bytes, data_coding: int) -> str:
    """The line of a receipt: its words are ASCII in every alphabet but UCS-2."""
    if _codec(data_coding) == "utf-16-be" and b"\0" in octets:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def _without_text(text: str, receipt: r.Receipt) -> str:
    """What the carrier said, without the message's own words, which it repeats at the end."""
    if not text.strip():
        return f"id:{receipt.id} stat:{receipt.stat} err:{receipt.err}"
    said = text.replace("\0", "")
    at = said.lower().find("text:")
    return (said[:at] if at >= 0 else said).strip()[:RAW_CHARACTERS_MAX]
