import pytest

from vestnik.channels.base import SendFailed
from vestnik.channels.smpp_settings import SmppSettings
from vestnik.channels.smpp_submits import compose
from vestnik.domain.message import Kind, Outgoing, Status
from vestnik.wire.smpp import tlv

NOW_MS = 1_700_000_000_000
LONG = "Hello, world! " * 20  # 280 characters: two parts
LONG_UCS2 = "Привет, мир! " * 10  # 130 characters: two parts


def message(text="Hello", kind=Kind.SMS, **changes):
    values = {
        "client_id": 1,
        "id": 123 << 12,
        "kind": kind,
        "phone": "79991234567",
        "sender": "Vestnik",
        "text": text,
        "parts": 1,
        "options": {},
        "expires_at": None,
        "urgent": False,
        "attempt": 1,
    }
    return Outgoing(**(values | changes))


def pdus(outgoing, **settings):
    return [submit.pdu for submit in compose(outgoing, SmppSettings(**settings), NOW_MS)]


def pdu(outgoing, **settings):
    [one] = pdus(outgoing, **settings)
    return one


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Vestnik", (5, 0, "Vestnik")),
        ("79990000000", (1, 1, "79990000000")),
        ("+79990000000", (1, 1, "79990000000")),
        ("1234", (3, 0, "1234")),
        ("12 34", (5, 0, "12 34")),
        ("", (0, 0, "")),
    ],
)
def test_a_sender_has_the_type_it_looks_like(sender, expected):
    submit = pdu(message(sender=sender))

    assert (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr) == expected


def test_the_rules_for_addresses_are_settings():
    submit = pdu(
        message(sender="1234"), short_digits_max=3, number_ton=0, dest_npi=8, plus_sign=True
    )

    assert (submit.source_addr_ton, submit.source_addr_npi) == (0, 1)
    assert (submit.dest_addr_npi, submit.destination_addr) == (8, "+79991234567")


@pytest.mark.parametrize(
    ("text", "settings", "octets", "data_coding"),
    [
        ("Hi [€]", {}, b"Hi \x1b<\x1be\x1b>", 0),
        ("@é", {}, b"\x00\x05", 0),
        ("Да", {}, "Да".encode("utf-16-be"), 8),
        ("😀", {}, "😀".encode("utf-16-be"), 8),
        ("@é[", {"default_alphabet": "latin1"}, b"@\xe9[", 0),
        ("Ω", {"default_alphabet": "latin1"}, "Ω".encode("utf-16-be"), 8),
        ("Hi", {"default_alphabet": "ascii"}, b"Hi", 0),
        ("Hié", {"default_alphabet": "ascii"}, b"Hi\xe9", 3),
        ("€", {"default_alphabet": "ascii"}, b"\x20\xac", 8),
        ("Hi", {"coding_default": 1}, b"Hi", 1),
        ("Да", {"coding_ucs2": 24}, "Да".encode("utf-16-be"), 24),
    ],
)
def test_a_text_is_written_in_an_alphabet_of_the_carrier(text, settings, octets, data_coding):
    submit = pdu(message(text), **settings)

    assert (submit.short_message, submit.data_coding) == (octets, data_coding)


def test_a_long_text_without_a_place_in_the_default_alphabet_is_cut_anew():
    parts = pdus(message("Ω" * 100), default_alphabet="latin1")

    assert [len(part.short_message) for part in parts] == [6 + 134, 6 + 66]


def test_parts_are_joined_by_a_header():
    first, second = pdus(message(LONG))

    assert first.esm_class == second.esm_class == 0x40
    assert first.short_message[:3] == b"\x05\x00\x03"
    assert first.short_message[3] == second.short_message[3]
    assert (first.short_message[4:6], second.short_message[4:6]) == (b"\x02\x01", b"\x02\x02")
    assert len(first.short_message) == 6 + 153
    assert first.short_message[6:] + second.short_message[6:] == LONG.encode()


def test_each_try_makes_the_same_parts_and_each_message_its_own_reference():
    assert pdus(message(LONG)) == pdus(message(LONG, attempt=2))
    assert (
        pdus(message(LONG))[0].short_message[3]
        != pdus(message(LONG, id=124 << 12))[0].short_message[3]
    )


def test_parts_may_be_joined_by_tlvs():
    first, second = pdus(message(LONG_UCS2), long_messages="sar")

    assert (first.esm_class, first.data_coding) == (0, 8)
    assert (first.short_message + second.short_message).decode("utf-16-be") == LONG_UCS2
    assert first.tlvs[tlv.SAR_MSG_REF_NUM] == second.tlvs[tlv.SAR_MSG_REF_NUM]
    assert len(first.tlvs[tlv.SAR_MSG_REF_NUM]) == 2
    assert second.tlvs[tlv.SAR_TOTAL_SEGMENTS] == b"\x02"
    assert second.tlvs[tlv.SAR_SEGMENT_SEQNUM] == b"\x02"


def test_a_long_text_may_travel_whole():
    [submit] = compose(message(LONG), SmppSettings(long_messages="payload"), NOW_MS)

    assert submit.parts == (1, 2)
    assert submit.pdu.short_message == b""
    assert submit.pdu.tlvs == {tlv.MESSAGE_PAYLOAD: LONG.encode()}


@pytest.mark.parametrize(("text", "data_coding"), [("Hello", 0x10), ("Привет", 0x18)])
def test_flash_is_class_0(text, data_coding):
    assert pdu(message(text, Kind.FLASH)).data_coding == data_coding


def test_flash_may_be_a_tlv():
    submit = pdu(message(kind=Kind.FLASH), flash="tlv")

    assert (submit.data_coding, submit.tlvs) == (0, {tlv.DEST_ADDR_SUBUNIT: b"\x01"})


def test_flash_in_latin_1_has_no_number_so_it_is_ucs2():
    submit = pdu(message("é", Kind.FLASH), default_alphabet="ascii")

    assert (submit.data_coding, submit.short_message) == (0x18, b"\x00\xe9")


def test_a_ping_is_silent():
    submit = pdu(message("", Kind.PING))

    assert (submit.protocol_id, submit.short_message, submit.registered_delivery) == (0x40, b" ", 1)


def test_data_with_a_header_leaves_as_it_is():
    data = "0605040b8423f0dc0601ae"
    submit = pdu(message("", Kind.BINARY, options={"data": data, "pid": 5, "dcs": 245}))

    assert submit.short_message == bytes.fromhex(data)
    assert (submit.esm_class, submit.protocol_id, submit.data_coding) == (0x40, 5, 245)


def test_data_without_a_header_loses_the_zero_that_says_so():
    submit = pdu(message("", Kind.BINARY, options={"data": "00616263"}))

    assert (submit.short_message, submit.esm_class, submit.data_coding) == (b"abc", 0, 4)


@pytest.mark.parametrize("header", ["00", "0605040b8423f0"])
def test_long_data_is_cut_and_joined(header):
    parts = pdus(message("", Kind.BINARY, options={"data": header + "61" * 200}))

    assert [part.esm_class for part in parts] == [0x40, 0x40]
    assert all(len(part.short_message) <= 140 for part in parts)
    assert sum(part.short_message.count(b"a") for part in parts) == 200


def test_a_push_goes_to_its_port():
    submit = pdu(message("http://example.com/1\nNews", Kind.PUSH))

    assert submit.short_message.startswith(bytes.fromhex("0605040b8423f0dc0601ae"))
    assert (submit.esm_class, submit.data_coding) == (0x40, 4)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": Kind.BINARY}, (Status.UNDELIVERABLE, 255)),
        ({"kind": Kind.BINARY, "options": {"data": "xyz"}}, (Status.UNDELIVERABLE, 255)),
        ({"kind": Kind.BINARY, "options": {"data": "0561"}}, (Status.UNDELIVERABLE, 255)),
        (
            {"kind": Kind.BINARY, "options": {"data": "0061", "pid": 256}},
            (Status.UNDELIVERABLE, 255),
        ),
        ({"kind": Kind.PUSH, "text": ""}, (Status.UNDELIVERABLE, 255)),
        ({"kind": Kind.VIBER}, (Status.UNREACHABLE, 248)),
        ({"phone": "user@example.com"}, (Status.BAD_NUMBER, 249)),
        ({"phone": "7" * 16}, (Status.BAD_NUMBER, 249)),
        ({"sender": "Вестник"}, (Status.FORBIDDEN, 254)),
        ({"sender": "V" * 21}, (Status.FORBIDDEN, 254)),
    ],
)
def test_what_cannot_be_carried_is_refused_for_good(changes, expected):
    with pytest.raises(SendFailed) as caught:
        compose(message(**changes), SmppSettings(), NOW_MS)

    failed = caught.value
    assert (failed.retry, failed.sure, failed.status, failed.err) == (False, True, *expected)


@pytest.mark.parametrize(
    ("expires_in_s", "way", "expected"),
    [
        (None, "relative", ""),
        (86400, "none", ""),
        (86400, "relative", "000001000000000R"),
        (93784, "relative", "000001020304000R"),
        (5, "relative", "000000000100000R"),
        (-5, "relative", "000000000100000R"),
        (10**9, "relative", "000063000000000R"),
        (3600, "absolute", "231114231320000+"),
    ],
)
def test_the_validity_is_what_is_left(expires_in_s, way, expected):
    expires_at = None if expires_in_s is None else NOW_MS + expires_in_s * 1000

    assert pdu(message(expires_at=expires_at), validity=way).validity_period == expected


def test_an_urgent_message_has_its_flag():
    assert pdu(message()).priority_flag == 0
    assert pdu(message(urgent=True)).priority_flag == 3
    assert pdu(message(urgent=True), priority_urgent=1).priority_flag == 1


def test_a_carrier_without_receipts_is_not_asked_for_one():
    assert pdu(message()).registered_delivery == 1
    assert pdu(message(), receipts="none").registered_delivery == 0
