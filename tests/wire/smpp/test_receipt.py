import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp import tlv

USUAL = (
    "id:855469 sub:001 dlvrd:001 submit date:2303171647 done date:2303171648 "
    "stat:DELIVRD err:000 text:Hello wor"
)


def test_the_usual_line_is_read_whole():
    assert r.parse_text(USUAL) == r.Receipt(
        id="855469",
        stat="DELIVRD",
        err="000",
        sub="001",
        dlvrd="001",
        submit_date="2303171647",
        done_date="2303171648",
        text="Hello wor",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id:7 stat:UNDELIV", r.Receipt("7", "UNDELIV")),
        ("ID:7 STAT:delivrd ERR:0a1", r.Receipt("7", "DELIVRD", "0a1")),
        ("id: 7 stat: EXPIRED err: 34", r.Receipt("7", "EXPIRED", "34")),
        ("id:7-ab_c stat:DELIVRD foo:1 err:SYS", r.Receipt("7-ab_c", "DELIVRD", "SYS")),
        (
            "stat:REJECTD done date:230317164810 id:7",
            r.Receipt("7", "REJECTD", done_date="230317164810"),
        ),
        (
            "id:7 stat:DELIVRD text:stat:UNDELIV id:8",
            r.Receipt("7", "DELIVRD", text="stat:UNDELIV id:8"),
        ),
        (
            "id:7 submitdate:2303 donedate:2304 stat:X",
            r.Receipt("7", "X", submit_date="2303", done_date="2304"),
        ),
        ("id:7\r\nstat:DELIVRD\0", r.Receipt("7", "DELIVRD")),
        (
            "id:855469 stat:DELIVRD err:000 imsi:250023012345678 msc: cn:Russian+Federation rnet:",
            r.Receipt("855469", "DELIVRD", "000"),
        ),
    ],
)
def test_carriers_write_it_in_many_ways(text, expected):
    assert r.parse_text(text) == expected


def test_the_usual_line_is_read_like_any_other():
    unusual = USUAL.replace("id:", "id: ", 1)

    assert r.parse_text(USUAL) == r.parse_text(unusual)


@pytest.mark.parametrize("text", ["", "stat:DELIVRD err:000", "id: stat:DELIVRD", "Hello, id is 7"])
def test_without_an_id_it_is_no_receipt(text):
    assert r.parse_text(text) is None


@given(st.text())
def test_no_text_makes_the_reader_raise(text):
    r.parse_text(text)


@given(st.text("idstaerx: \0:", max_size=60))
def test_no_near_miss_makes_the_reader_raise(text):
    receipt = r.parse_text(text)

    assert receipt is None or receipt.id


TLVS = {
    tlv.RECEIPTED_MESSAGE_ID: b"D0D2D\0",
    tlv.MESSAGE_STATE: b"\x05",
    tlv.NETWORK_ERROR_CODE: b"\x03\x00\x0b",
}


def test_tlvs_alone_are_a_receipt():
    assert r.parse("", TLVS) == r.Receipt("D0D2D", "UNDELIV", "011")


def test_the_preferred_form_rules_and_the_other_fills_in():
    text = "id:855469 done date:2303171648 err:"

    assert r.parse(text, TLVS).id == "855469"
    assert r.parse(text, TLVS, "tlv") == r.Receipt(
        "D0D2D", "UNDELIV", "011", done_date="2303171648"
    )
    assert r.parse(text, TLVS).stat == "UNDELIV"


@pytest.mark.parametrize("state", [b"", b"\x63", b"\x00\x00\x00\x02"])
def test_an_odd_message_state_is_no_reason_to_fail(state):
    receipt = r.parse_tlvs({**TLVS, tlv.MESSAGE_STATE: state})

    assert receipt.stat in ("", "DELIVRD")


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "expected"),
    [
        (0x00, {}, False),
        (0x04, {}, True),
        (0x20, {}, True),
        (0x08, {}, False),
        (0x10, {}, False),
        (0x40, {}, False),
        (0x44, {}, True),
        (0xC4, {}, True),
        (0x00, TLVS, True),
        (0x08, TLVS, True),
    ],
)
def test_a_receipt_is_known_by_its_class_or_by_the_id_beside_it(esm_class, tlvs, expected):
    assert r.is_receipt(esm_class, tlvs) is expected


def test_what_is_written_is_read_again():
    receipt = r.Receipt(
        "855469", "UNDELIV", "011", "001", "000", "2303171647", "2303171648", "Hello"
    )

    assert r.parse_text(r.write_text(receipt).decode("latin-1")) == receipt
    assert r.parse_tlvs(r.write_tlvs(receipt)) == r.Receipt("855469", "UNDELIV", "011")


def test_the_line_is_the_one_of_the_specification():
    receipt = r.Receipt(
        "7", "DELIVRD", dlvrd="001", submit_date="2303171647", done_date="2303171648"
    )

    assert r.write_text(receipt) == (
        b"id:7 sub:001 dlvrd:001 submit date:2303171647 done date:2303171648"
        b" stat:DELIVRD err:000 text:"
    )


@pytest.mark.parametrize(
    ("ref", "form", "expected"),
    [
        ("D0D2D", "hexadecimal", "855341"),
        ("0xD0d2d", "hexadecimal", "855341"),
        ("0000855341", "decimal", "855341"),
        ("000D0D2D", "hexadecimal", "855341"),
        ("0000855341", "as_is", "0000855341"),
        ("abc-7", "decimal", "abc-7"),
        (" 77 ", "as_is", "77"),
    ],
)
def test_ids_compare_equal_however_they_are_written(ref, form, expected):
    assert r.normal_id(ref, form) == expected
