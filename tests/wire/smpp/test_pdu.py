import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.smpp import fields, tlv
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.command_status import (
    ESME_RINVCMDID,
    ESME_RINVMSGLEN,
    ESME_RINVOPTPARSTREAM,
    ESME_RTHROTTLED,
    STATUS_NAMES,
    described,
)

HELLO = p.SubmitSm(
    source_addr_ton=5,
    source_addr="Vestnik",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="79991234567",
    registered_delivery=1,
    short_message=b"Hello",
)
HELLO_OCTETS = bytes.fromhex(
    "00000038 00000004 00000000 00000007"
    "00 05 00 566573746e696b00 01 01 373939393132333435363700"
    "00 00 00 00 00 01 00 00 00 05 48656c6c6f"
)


def values(field):
    kind = field.metadata.get("wire")
    if kind == "cstring":
        limit = field.metadata["octets_max"] - 1
        latin = st.characters(codec="latin-1", exclude_characters="\0")
        return st.text(latin, max_size=limit)
    if kind == "uint":
        return st.integers(0, 255)
    if kind == "octets":
        return st.binary(max_size=254)
    return st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=300), max_size=4)


def pdus():
    return st.one_of(
        st.builds(kind, **{f.name: values(f) for f in dataclasses.fields(kind)})
        for kind in p.PDUS.values()
    )


@given(pdus(), st.integers(0, p.SEQUENCE_MAX), st.integers(0, 0xFFFFFFFF))
def test_what_is_written_is_read_again(pdu, sequence, status):
    buffer = bytearray(p.encode(pdu, sequence, status))

    assert p.decode(buffer) == p.Frame(pdu, sequence, status)
    assert buffer == b""


def test_the_octets_are_those_of_the_specification():
    assert p.encode(HELLO, 7) == HELLO_OCTETS


def test_a_pdu_that_has_not_all_arrived_is_left_in_the_buffer():
    for size in range(len(HELLO_OCTETS)):
        buffer = bytearray(HELLO_OCTETS[:size])

        assert p.decode(buffer) is None
        assert len(buffer) == size


def test_two_pdus_come_off_one_after_the_other():
    buffer = bytearray(HELLO_OCTETS * 2)

    assert [p.decode(buffer), p.decode(buffer), p.decode(buffer)] == [
        p.Frame(HELLO, 7),
        p.Frame(HELLO, 7),
        None,
    ]


@pytest.mark.parametrize("length", [0, 15, p.PDU_OCTETS_MAX + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_loses_the_framing(length):
    buffer = bytearray(struct.pack(">IIII", length, 4, 0, 9))

    with pytest.raises(p.Malformed) as caught:
        p.decode(buffer)

    assert caught.value.sequence == 9


def test_an_unknown_command_is_one_unreadable_pdu():
    buffer = bytearray(struct.pack(">IIII", 18, 0x21, 0, 9) + b"ab" + HELLO_OCTETS)

    with pytest.raises(p.Unreadable) as caught:
        p.decode(buffer)

    assert (caught.value.command_id, caught.value.sequence) == (0x21, 9)
    assert caught.value.status == ESME_RINVCMDID
    assert p.decode(buffer) == p.Frame(HELLO, 7)


def framed(command_id, body, status=0):
    return bytearray(struct.pack(">IIII", 16 + len(body), command_id, status, 1) + body)


def test_a_short_message_longer_than_its_pdu_is_a_wrong_message_length():
    with pytest.raises(p.Unreadable) as caught:
        p.decode(framed(4, HELLO_OCTETS[16:-1]))

    assert caught.value.status == ESME_RINVMSGLEN


def test_a_tlv_longer_than_its_pdu_is_an_error_of_the_optional_part():
    with pytest.raises(p.Unreadable) as caught:
        p.decode(framed(4, HELLO_OCTETS[16:] + bytes.fromhex("04240005 61")))

    assert caught.value.status == ESME_RINVOPTPARSTREAM


@given(st.integers(0, len(HELLO_OCTETS) - 17))
def test_a_body_cut_anywhere_is_unreadable_and_nothing_worse(size):
    with pytest.raises(p.Unreadable):
        p.decode(framed(4, HELLO_OCTETS[16 : 16 + size]))


def test_octets_left_over_that_are_no_tlv_are_ignored():
    assert p.decode(framed(4, HELLO_OCTETS[16:] + b"\0\0")) == p.Frame(HELLO, 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", p.SubmitSmResp("")),
        (b"77\0", p.SubmitSmResp("77")),
        (b"77", p.SubmitSmResp("77")),
        (b"77\0\x02", p.SubmitSmResp("77")),
        (b"77\0\x04\x24\x00\x09ab", p.SubmitSmResp("77")),
        (b"x" * 300, p.SubmitSmResp("")),
    ],
)
@pytest.mark.parametrize("status", [0, ESME_RTHROTTLED])
def test_a_response_is_read_as_far_as_it_can_be(body, expected, status):
    assert p.decode(framed(p.SubmitSmResp.command_id, body, status)) == p.Frame(expected, 1, status)


def test_a_refused_bind_may_have_no_body():
    frame = p.decode(framed(p.BindTransceiverResp.command_id, b"", 0x0D))

    assert frame == p.Frame(p.BindTransceiverResp(), 1, 0x0D)


def test_a_c_string_over_its_limit_is_read_but_not_written():
    octets = bytes(HELLO_OCTETS[16:]).replace(b"Vestnik", b"V" * 255)
    frame = p.decode(framed(4, octets))

    assert frame.pdu.source_addr == "V" * 255
    with pytest.raises(ValueError, match="over 65 octets"):
        p.encode(frame.pdu, 1)


def test_a_c_string_without_an_end_in_sight_is_unreadable():
    octets = bytes(HELLO_OCTETS[16:]).replace(b"Vestnik", b"V" * fields.CSTRING_OCTETS_MAX)

    with pytest.raises(p.Unreadable):
        p.decode(framed(4, octets))


@pytest.mark.parametrize(
    "pdu",
    [
        p.SubmitSm(source_addr="V\0"),
        p.SubmitSm(source_addr="Вестник"),
        p.SubmitSm(service_type="123456"),
        p.SubmitSm(data_coding=256),
        p.SubmitSm(data_coding=-1),
        p.SubmitSm(short_message=b"x" * 255),
        p.SubmitSm(tlvs={0x10000: b""}),
        p.SubmitSm(tlvs={0x0424: b"x" * 65536}),
    ],
)
def test_a_value_that_does_not_fit_is_our_mistake(pdu):
    with pytest.raises(ValueError):
        p.encode(pdu, 1)


def test_every_request_has_its_response():
    for request, response in p.RESPONSES.items():
        assert p.response_to(request.command_id) == response()
        assert response.command_id == request.command_id | p.RESPONSE
    assert p.response_to(0x21) == p.GenericNack()


def test_an_integer_of_any_size_is_read_from_a_tlv():
    tlvs = {1: b"\x05", 2: b"\x01\x00", 3: b""}

    assert [tlv.read_uint(tlvs, tag) for tag in (1, 2, 3, 4)] == [5, 256, None, None]


def test_a_c_string_of_a_tlv_may_lack_its_nul():
    tlvs = {1: b"77\0", 2: b"77", 3: b""}

    assert [tlv.read_cstring(tlvs, tag) for tag in (1, 2, 3, 4)] == ["77", "77", "", None]


def test_a_status_is_described_by_number_and_name():
    assert described(0x58) == "0x58 ESME_RTHROTTLED"
    assert described(0x499) == "0x499"
    assert STATUS_NAMES[0] == "ESME_ROK"
