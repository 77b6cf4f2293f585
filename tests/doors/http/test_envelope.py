import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestnik.doors.http.envelope import (
    SOAP_11,
    SOAP_12,
    Envelope,
    Unreadable,
    read_envelope,
    write_answer,
    write_fault,
)

NS = "https://centre.example/sys/soap.php"


def envelope(body, version=SOAP_11, head=""):
    return (
        f'{head}<e:Envelope xmlns:e="{version}"><e:Header><login>no</login></e:Header>'
        f"<e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


QUALIFIED = f'<send_sms xmlns="{NS}"><login>alex</login><mes>a &lt; Ы</mes><id/></send_sms>'
PARAMS = {"login": "alex", "mes": "a < Ы", "id": ""}


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_an_envelope_is_an_operation_and_its_parameters(version):
    assert read_envelope(envelope(QUALIFIED, version)) == Envelope(
        version, "send_sms", NS, True, PARAMS
    )


def test_parameters_may_stand_in_no_namespace():
    body = f'<t:send_sms xmlns:t="{NS}"><login>alex</login><mes>Hi</mes></t:send_sms>'

    asked = read_envelope(envelope(body))

    assert (asked.namespace, asked.qualified) == (NS, False)
    assert asked.params == {"login": "alex", "mes": "Hi"}


def test_parameters_may_stand_in_a_structure():
    body = "<send_sms><request><login>alex</login><mes>Hi</mes></request></send_sms>"

    assert read_envelope(envelope(body)).params == {"login": "alex", "mes": "Hi"}


def test_an_envelope_may_be_written_in_another_charset():
    octets = b'<?xml version="1.0" encoding="windows-1251"?>' + envelope(QUALIFIED).decode().encode(
        "cp1251"
    )

    assert read_envelope(octets).params == PARAMS


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "not XML"),
        (b"alex:123", "not XML"),
        (b"\0" * 100, "not XML"),
        (b"<a>" * 10, "no SOAP Envelope"),
        (b"<Envelope/>", "no SOAP Envelope"),
        (envelope(QUALIFIED)[:-1], "not XML"),
        (envelope(QUALIFIED, head="<?xml version='1.0' encoding='klingon'?>"), "not XML"),
        (envelope("<send_sms>&#0;</send_sms>"), "not XML"),
        (envelope("<send_sms>&nobody;</send_sms>"), "not XML"),
        (envelope("<send_sms>\ud800".encode("utf-8", "surrogatepass").decode("latin-1")), "XML"),
        (envelope(QUALIFIED, head="<!DOCTYPE e:Envelope SYSTEM 'file:///etc/passwd'>"), "type"),
        (envelope("<send_sms><mes>&b;</mes></send_sms>", head=BOMB), "document type"),
        (envelope(""), "no operation"),
        (envelope(QUALIFIED * 2), "more than one operation"),
        (envelope(f"<send_sms>{'<a/>' * 200}</send_sms>"), "more than 200 elements"),
        (envelope("<a>" * 30), "more than 200 elements"),
        (f'<e:Envelope xmlns:e="{SOAP_11}"><Body/></e:Envelope>'.encode(), "alone"),
    ],
)
def test_what_cannot_be_read_is_told_in_plain_words(octets, words):
    with pytest.raises(Unreadable, match=words):
        read_envelope(octets)


def test_a_fault_has_the_version_of_its_envelope():
    with pytest.raises(Unreadable) as raised:
        read_envelope(envelope("", SOAP_12))

    assert raised.value.version == SOAP_12


@pytest.mark.parametrize(
    "octets",
    [
        b"<a>" * 300_000,
        envelope("<send_sms><mes>" + "x" * 900_000 + "</mes></send_sms>"),
        envelope("<send_sms " + " ".join(f"a{n}='1'" for n in range(80_000)) + "/>"),
    ],
)
def test_a_hostile_envelope_takes_no_longer_than_its_size_allows(octets):
    began = time.process_time()
    try:
        read_envelope(octets)
    except Unreadable:
        pass
    took = time.process_time() - began

    assert took < 1.0


def test_an_answer_stands_in_the_namespace_of_its_request():
    asked = Envelope(SOAP_11, "send_sms", NS, True, {})

    assert write_answer(asked, "SendResponse", "sendresult", {"id": "1"}).endswith(
        f'<s:Body><r:SendResponse xmlns:r="{NS}"><r:sendresult><r:id>1</r:id></r:sendresult>'
        "</r:SendResponse></s:Body></s:Envelope>".encode()
    )


def test_an_answer_is_qualified_as_its_request_was():
    asked = Envelope(SOAP_11, "send_sms", NS, False, {})

    assert b"><sendresult><id>1</id></sendresult></r:SendResponse>" in write_answer(
        asked, "SendResponse", "sendresult", {"id": "1"}
    )


def test_an_answer_to_a_request_without_a_namespace_has_none():
    asked = Envelope(SOAP_11, "send_sms", "", True, {})

    assert b"<s:Body><SendResponse><sendresult><id>&lt;1&gt;</id></sendresult>" in write_answer(
        asked, "SendResponse", "sendresult", {"id": "<1>"}
    )


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (SOAP_11, b"<faultcode>s:Client</faultcode><faultstring>a &lt; b</faultstring>"),
        (SOAP_12, b'<s:Text xml:lang="en">a &lt; b</s:Text>'),
    ],
)
def test_a_fault_has_its_words(version, expected):
    assert expected in write_fault(version, "a < b")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [
                    b"<e:Body>",
                    b"</e:Body>",
                    b"<send_sms>",
                    b"</send_sms>",
                    b"<!DOCTYPE a [",
                    b"<![CDATA[",
                    b"<?xml ",
                    b"&#x110000;",
                    b"xmlns:e=''",
                ]
            ),
        ),
        max_size=20,
    )
)
def test_any_octets_are_an_envelope_or_are_refused(pieces):
    octets = f'<e:Envelope xmlns:e="{SOAP_11}">'.encode() + b"".join(pieces)
    try:
        asked = read_envelope(octets)
    except Unreadable:
        return
    assert asked.operation
