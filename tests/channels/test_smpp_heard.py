import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.channels.smpp_heard import Ears
from vestnik.channels.smpp_settings import SmppSettings
from vestnik.domain.message import Incoming, Report, Status
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.pdu import DataSm, DeliverSm
from vestnik.wire.sms.segments import in_series


def receipt(text, *, esm_class=4, tlvs=None, **settings):
    pdu = DeliverSm(
        source_addr="+79991234567",
        esm_class=esm_class,
        short_message=text.encode(),
        tlvs=tlvs or {},
    )
    return Ears(SmppSettings(**settings)).hear(pdu)


def fate(text, **settings):
    report = receipt(text, **settings)
    return report.status, report.err


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("DELIVRD", (Status.DELIVERED, 0)),
        ("EXPIRED", (Status.EXPIRED, 6)),
        ("UNDELIV", (Status.UNDELIVERABLE, 255)),
        ("DELETED", (Status.UNDELIVERABLE, 255)),
        ("REJECTD", (Status.UNDELIVERABLE, 255)),
        ("UNKNOWN", (Status.UNDELIVERABLE, 245)),
        ("ACCEPTD", (Status.SENT, 0)),
        ("ENROUTE", (Status.SENT, 0)),
        ("delivrd", (Status.DELIVERED, 0)),
    ],
)
def test_the_word_of_a_receipt_is_our_status(stat, expected):
    assert fate(f"id:7 stat:{stat} err:001") == expected


def test_a_carriers_own_words_are_settings():
    stats = {"failed": (20, 13), "UNKNOWN": (0, 0)}

    assert fate("id:7 stat:FAILED", stats=stats) == (Status.UNDELIVERABLE, 13)
    assert fate("id:7 stat:UNKNOWN", stats=stats) == (Status.SENT, 0)


def test_a_carriers_own_errors_are_settings():
    errors = {"5": 1, "SYS": 11, "000": 6}

    assert fate("id:7 stat:UNDELIV err:005", receipt_errors=errors)[1] == 1
    assert fate("id:7 stat:UNDELIV err:SYS", receipt_errors=errors)[1] == 11
    assert fate("id:7 stat:UNDELIV err:000", receipt_errors=errors)[1] == 6
    assert fate("id:7 stat:UNDELIV err:006", receipt_errors=errors)[1] == 255
    assert fate("id:7 stat:DELIVRD err:005", receipt_errors=errors)[1] == 0


def test_a_carrier_of_our_own_kind_speaks_our_errors():
    assert fate("id:7 stat:UNDELIV err:013", receipt_errors_ours=True)[1] == 13
    assert fate("id:7 stat:UNDELIV err:abc", receipt_errors_ours=True)[1] == 255
    assert fate("id:7 stat:EXPIRED err:000", receipt_errors_ours=True)[1] == 6


@pytest.mark.parametrize("text", ["id:7", "stat:DELIVRD", "id:7 stat:WHATEVER", "nonsense"])
def test_a_receipt_that_says_nothing_is_passed_over(text):
    assert receipt(text) is None


TLVS = {tlv.RECEIPTED_MESSAGE_ID: b"D0D2D\0", tlv.MESSAGE_STATE: b"\x02"}


def test_tlvs_alone_are_enough():
    report = receipt("", esm_class=0, tlvs=TLVS)

    assert report == Report(
        "D0D2D", "79991234567", Status.DELIVERED, raw="id:D0D2D stat:DELIVRD err:"
    )


def test_which_form_is_believed_is_a_setting():
    text = "id:855341 stat:UNDELIV"

    assert receipt(text, tlvs=TLVS).ref == "855341"
    assert receipt(text, tlvs=TLVS, receipt_from="tlv").ref == "D0D2D"
    assert receipt(text, tlvs=TLVS, receipt_from="tlv", receipt_ids="hexadecimal").ref == "855341"


def test_the_words_of_the_message_are_not_kept():
    report = receipt("id:7 stat:DELIVRD err:000 Text:my secret code")

    assert report.raw == "id:7 stat:DELIVRD err:000"


def test_a_receipt_may_be_in_ucs2():
    pdu = DeliverSm(
        esm_class=4, data_coding=8, short_message="id:7 stat:DELIVRD".encode("utf-16-be")
    )

    assert Ears(SmppSettings()).hear(pdu).ref == "7"


@pytest.mark.parametrize(
    ("date", "zone", "expected"),
    [
        ("2303171648", "UTC", 1679071680000),
        ("230317164805", "UTC", 1679071685000),
        ("20230317164805", "UTC", 1679071685000),
        ("2303171648", "Europe/Moscow", 1679060880000),
        ("2303171648", "", 0),
        ("2313171648", "UTC", 0),
        ("soon", "UTC", 0),
    ],
)
def test_a_date_is_used_where_its_zone_is_known(date, zone, expected):
    assert receipt(f"id:7 stat:DELIVRD done date:{date}", receipt_zone=zone).at == expected


def incoming(octets, data_coding=0, esm_class=0, tlvs=None, **settings):
    pdu = DeliverSm(
        source_addr="79991234567",
        destination_addr="1234",
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
        tlvs=tlvs or {},
    )
    return Ears(SmppSettings(**settings)).hear(pdu)


@pytest.mark.parametrize(
    ("octets", "data_coding", "settings", "expected"),
    [
        (b"\x00Hi\x1be", 0, {}, "@Hi€"),
        (b"@\xe9", 0, {"default_alphabet": "latin1"}, "@é"),
        (b"@Hi", 1, {}, "@Hi"),
        (b"\xe9", 3, {}, "é"),
        ("Да 😀".encode("utf-16-be"), 8, {}, "Да 😀"),
        ("Да".encode("utf-16-be"), 0x18, {}, "Да"),
        ("Да".encode("utf-16-be"), 0xE0, {}, "Да"),
        (b"\x00Hi", 0x10, {}, "@Hi"),
        (b"\x00Hi", 0xF1, {}, "@Hi"),
        (b"@\xe9", 0xF5, {}, "@é"),
        ("Да".encode("iso8859-5"), 6, {}, "Да"),
        (b"\x04\x14\x04", 8, {}, "Д\ufffd"),
        (b"\x00\x00\x00A", 8, {}, "A"),
    ],
)
def test_a_subscribers_text_is_read_by_its_coding(octets, data_coding, settings, expected):
    assert incoming(octets, data_coding, **settings).text == expected


def test_a_part_says_where_it_stands():
    octets = in_series(b"\0Hello", 42, 3, 2)

    assert incoming(octets, esm_class=0x40) == Incoming(
        "79991234567", "1234", "Hello", reference=42, total=3, index=2
    )


def test_tlvs_say_it_too():
    tlvs = {
        tlv.SAR_MSG_REF_NUM: b"\x01\x2a",
        tlv.SAR_TOTAL_SEGMENTS: b"\x03",
        tlv.SAR_SEGMENT_SEQNUM: b"\x02",
    }

    part = incoming(b"Hello", tlvs=tlvs)
    odd = incoming(b"Hello", tlvs=tlvs | {tlv.SAR_SEGMENT_SEQNUM: b"\x04"})

    assert (part.reference, part.total, part.index) == (298, 3, 2)
    assert (odd.reference, odd.total, odd.index) == (0, 1, 1)


def test_a_long_text_may_come_whole():
    assert incoming(b"", tlvs={tlv.MESSAGE_PAYLOAD: b"Hello" * 100}).text == "Hello" * 100


@pytest.mark.parametrize("esm_class", [0x08, 0x10])
def test_an_answer_of_the_subscribers_own_program_is_a_message(esm_class):
    assert isinstance(incoming(b"Read", esm_class=esm_class), Incoming)


@given(
    st.sampled_from([DeliverSm, DataSm]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=100),
    st.dictionaries(
        st.sampled_from([0x001E, 0x0423, 0x0424, 0x0427, 0x020C, 0x020E, 0x020F]),
        st.binary(max_size=10),
    ),
)
def test_nothing_a_carrier_says_makes_us_raise(kind, esm_class, data_coding, octets, tlvs):
    pdu = kind(esm_class=esm_class, data_coding=data_coding, tlvs=tlvs)
    if kind is DeliverSm:
        pdu = DeliverSm(
            esm_class=esm_class, data_coding=data_coding, tlvs=tlvs, short_message=octets
        )

    said = Ears(SmppSettings()).hear(pdu)

    assert said is None or isinstance(said, Report | Incoming)


def test_what_a_look_up_found_is_read_from_its_receipt():
    line = (
        "id:855469 stat:DELIVRD err:000 imsi:250023012345678 msc:79232510066 mcc:250 mnc:02"
        " cn:Russian+Federation net:MegaFON rcn: rnet:"
    )

    found = receipt(line)

    assert (found.ref, found.status) == ("855469", Status.DELIVERED)
    assert found.hlr["cn"] == "Russian Federation"
    assert found.hlr["rnet"] == ""
