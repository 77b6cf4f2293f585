from urllib.parse import unquote_to_bytes

import pytest

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.parameters import PAIRS_MAX, PIECE, Form, read_json, read_pairs


def params(query, charset="windows-1251"):
    return Form(query).decoded(charset)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a&b=&=x&&c=d=e", {"a": "", "b": "", "c": "d=e"}),
        (b"mes=Hello+big%20world%2B", {"mes": "Hello big world+"}),
        (b"mes=100%&b=%zz%4", {"mes": "100%", "b": "%zz%4"}),
        (b"%6des=x", {"mes": "x"}),
        (b"mes=%CF%F0%E8", {"mes": "При"}),
        (b"mes=\xcf\xf0\xe8", {"mes": "При"}),
        (b"phones[]=1&phones[]=2&a=b", {"phones": "1,2", "a": "b"}),
        (b"phones%5B0%5D=1&phones%5b1%5d=2", {"phones": "1,2"}),
        (b"list[]=1:a&list[]=2:b", {"list[]": "2:b"}),
        (b"mes=[x]&b=%5B", {"mes": "[x]", "b": "["}),
    ],
)
def test_a_query_is_taken_apart(query, expected):
    assert params(query) == expected


@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("escape", [b"%41", b"%%4", b"%", b"x%zz"])
def test_a_long_value_is_unquoted_as_a_short_one_is(shift, escape):
    value = b"-" * shift + escape * (3 * PIECE // len(escape)) + b"%41%"

    assert read_pairs(b"mes=" + value) == {b"mes": unquote_to_bytes(value)}


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
def test_text_is_read_in_the_charset_of_the_request(charset):
    query = b"mes=" + b"".join(b"%%%02X" % octet for octet in "Привет".encode(charset))

    assert params(query, charset) == {"mes": "Привет"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"UTF-8", "utf-8"),
        (b"utf8", "utf-8"),
        (b"cp1251", "windows-1251"),
        (b"Win-1251", "windows-1251"),
        (b"koi8r", "koi8-r"),
        (b"", "windows-1251"),
    ],
)
def test_charsets_have_several_spellings(given, expected):
    assert Form(b"charset=" + given).charset("windows-1251") == expected


@pytest.mark.parametrize(
    ("query", "charset"),
    [
        (b"mes=%FF", "utf-8"),
        (b"mes=%98", "windows-1251"),
        (b"mes=a%00b", "utf-8"),
        (b"m%00es=a", "utf-8"),
        (b"mes=%ED%A0%80", "utf-8"),
    ],
)
def test_what_is_no_text_is_refused(query, charset):
    with pytest.raises(BadParameters):
        params(query, charset)


def test_an_unknown_charset_is_refused():
    with pytest.raises(BadParameters, match="windows-1251, utf-8, koi8-r"):
        Form(b"charset=ebcdic").charset("windows-1251")


def test_an_unknown_fmt_is_0_and_none_is_the_addresses_own():
    assert Form(b"fmt=9").fmt(3) == 0
    assert Form(b"").fmt(3) == 3
    assert Form(b"fmt=2").fmt(3) == 2


def test_binary_octets_are_kept_whole():
    assert params(b"bin=1&mes=%00%98%FF", "utf-8")["mes"] == "\x00\x98\xff"


def test_binary_json_holds_octets_only():
    form = Form(b"")
    form.add(b"application/json", b'{"bin": 1, "mes": "\\u0000\\u0100"}', guess_json=False)

    with pytest.raises(BadParameters, match="mes is not binary"):
        form.decoded("utf-8")


def test_more_parameters_than_anybody_needs_are_refused():
    with pytest.raises(BadParameters):
        read_pairs(b"&" * PAIRS_MAX)


def test_the_body_wins_over_the_query():
    form = Form(b"a=query&b=query")
    form.add(b"application/x-www-form-urlencoded", b"b=body&c=body\r\n", guess_json=False)

    assert form.decoded("utf-8") == {"a": "query", "b": "body", "c": "body"}


def test_json_members_are_parameters():
    texts = read_json(
        b'{"phones": [79990000001, "79990000002"], "cost": 3, "tz": -2, "period": 0.5, "n": 1.0,'
        b' "flash": true, "push": false, "sender": null, "mes": "\\u041f"}'
    )

    assert texts == {
        "phones": "79990000001,79990000002",
        "cost": "3",
        "tz": "-2",
        "period": "0.5",
        "n": "1",
        "flash": "1",
        "push": "0",
        "mes": "П",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"a": {"b": 1}}',
        b'{"phones": [["7"]]}',
        b'{"mes": ["a", "b"]}',
        b'{"a": "\xff"}',
        b'{"phones": [{}]}',
        b"[" * 100_000,
    ],
)
def test_other_json_is_refused(body):
    with pytest.raises(BadParameters):
        read_json(body)


@pytest.mark.parametrize(
    "body", [b'{"mes": "a\\u0000"}', b'{"mes": "\\u041f\\u0000"}', b'{"mes": "\\ud800"}']
)
def test_json_text_has_no_nul_and_no_half_characters(body):
    form = Form(b"")

    with pytest.raises(BadParameters):
        form.add(b"application/json; charset=utf-8", body, guess_json=False)
        form.decoded("utf-8")


@pytest.mark.parametrize(
    ("query", "content_type", "charset"),
    [
        (b"", b"application/json", "utf-8"),
        (b"charset=windows-1251", b"application/json", "cp1251"),
        (b"", b'application/json; charset="windows-1251"', "cp1251"),
    ],
)
def test_a_json_body_is_utf_8_unless_it_says_otherwise(query, content_type, charset):
    form = Form(query)
    form.add(content_type, '{"mes": "Привет"}'.encode(charset), guess_json=False)

    assert form.decoded("utf-8")["mes"] == "Привет"


def test_json_under_a_wrong_name_is_recognised_where_json_is_expected():
    form = Form(b"")
    form.add(b"application/x-www-form-urlencoded", b' {"mes": "a"}', guess_json=True)

    assert form.decoded("utf-8") == {"mes": "a"}
