import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.refusals import BadCredentials, BadNumber
from vestnik.doors.http import codes
from vestnik.doors.http.reply import (
    OK,
    Listing,
    Marks,
    Reply,
    Rows,
    Texts,
    refused,
    render,
    wire_id,
)

RECORD = Reply({"id": 1, "name": "Анна"}, "id = {id}, name = {name}", "{id},{name}", root="one")


def told(answer, fmt, charset="utf-8"):
    return render(answer, fmt, charset).decode(charset)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 7 (invalid number), ID - 34"),
        (1, "34,-7"),
        (
            2,
            (
                "<result>\n<error>invalid number</error>\n<error_code>7</error_code>\n"
                "<id>34</id>\n</result>"
            ),
        ),
        (3, '{\n"error": "invalid number",\n"error_code": 7,\n"id": 34\n}'),
    ],
)
def test_a_refusal_of_a_message_on_record_names_it(fmt, expected):
    reply = refused(BadNumber(message_id="34"), codes.SEND)

    assert told(reply, fmt) == expected


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 2 (authorise error)"),
        (1, "0,-2"),
        (
            2,
            "<result>\n<error>authorise error</error>\n<error_code>2</error_code>\n</result>",
        ),
        (3, '{\n"error": "authorise error",\n"error_code": 2\n}'),
    ],
)
def test_a_refusal_without_a_message_names_none(fmt, expected):
    assert told(refused(BadCredentials(), codes.COMMON), fmt) == expected


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
def test_an_operation_without_data_answers_ok(fmt, expected):
    assert told(OK, fmt) == expected


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "id = 1, name = Анна\nid = 1, name = Анна"),
        (1, "1,Анна\n1,Анна"),
        (
            2,
            (
                "<list>\n<one><id>1</id><name>Анна</name></one>\n"
                "<one><id>1</id><name>Анна</name></one>\n</list>"
            ),
        ),
        (3, '[{\n"id": 1,\n"name": "Анна"\n},\n{\n"id": 1,\n"name": "Анна"\n}]'),
    ],
)
def test_a_list_has_a_line_an_element_or_an_object_for_each_record(fmt, expected):
    assert told(Listing([RECORD, RECORD], root="list"), fmt) == expected


@pytest.mark.parametrize(("fmt", "expected"), [(0, ""), (1, ""), (2, "<list></list>"), (3, "[]")])
def test_an_empty_list_is_empty_in_every_format(fmt, expected):
    assert told(Listing([], root="list"), fmt) == expected


def test_rows_inside_an_answer_are_an_array_of_objects():
    rows = Rows(
        "phones", "phone", [{"phone": "7", "cost": "1"}, {"phone": "8", "cost": "2"}], "", ""
    )
    reply = Reply({"id": 1}, "", "", rows=rows)

    assert told(reply, 3) == (
        '{\n"id": 1,\n"phones": [{\n"phone": "7",\n"cost": "1"\n},\n'
        '{\n"phone": "8",\n"cost": "2"\n}]\n}'
    )
    assert told(reply, 2) == (
        "<result>\n<id>1</id>\n"
        '<phones><phone cost="1">7</phone><phone cost="2">8</phone></phones>\n</result>'
    )


def test_a_text_with_line_breaks_stays_on_its_line_where_a_record_is_a_line():
    reply = Reply({"text": "a\r\nb\nc"}, "text = {text}", "{text}")

    assert told(reply, 0) == "text = a b c"
    assert told(reply, 1) == "a b c"
    assert json.loads(told(reply, 3)) == {"text": "a\r\nb\nc"}


def test_braces_of_a_text_are_told_as_they_are():
    assert told(Reply({"text": "{id} {}"}, "{text}", ""), 0) == "{id} {}"


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "Привет ?".encode("cp1251")),
        (2, b"<text>" + "Привет ".encode("cp1251") + b"&#8381;</text>"),
        (3, '{\n"text": "Привет ?"\n}'.encode("cp1251")),
    ],
)
def test_what_a_charset_lacks_is_a_question_mark_or_in_xml_a_reference(fmt, expected):
    reply = Reply({"text": "Привет \u20bd"}, "{text}", "", root=None)

    assert render(reply, fmt, "windows-1251") == expected


def test_xml_has_no_character_that_xml_forbids():
    reply = Reply({"text": "a\x01<&>\r\n\"'\ufffe"}, "", "", root=None)

    document = told(reply, 2)

    assert document == "<text>a?&lt;&amp;&gt;&#13;\n&quot;'?</text>"
    assert ET.fromstring(document).text == "a?<&>\r\n\"'?"


@given(st.text())
def test_any_text_comes_back_from_json_and_xml(text):
    text = text.encode("utf-8", "replace").decode()
    reply = Reply({"text": text}, "", "", root=None)

    assert json.loads(told(reply, 3)) == {"text": text}
    assert len(ET.fromstring(told(reply, 2)).text or "") == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("33", 33),
        ("0", 0),
        ("007", "007"),
        ("order-1", "order-1"),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("1" * 40, "1" * 40),
        ("٣", "٣"),
        ("", ""),
    ],
)
def test_an_id_is_a_number_if_it_reads_the_same_as_one(text, expected):
    assert wire_id(text) == expected


NAMED = Reply(
    {"sender": "A&B", "id": 7},
    "name = {sender}, at = {operators}",
    "{sender},{operators}",
    root="sender",
    text="sender",
    marks=Marks("operators", {"mts": 3, "mega": 0}),
)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "name = A&B, at = mts:3;mega:0"),
        (1, "A&B,mts:3;mega:0"),
        (2, '<sender id="7" mts="3" mega="0">A&amp;B</sender>'),
        (
            3,
            '{\n"sender": "A&B",\n"id": 7,\n"operators": {\n"mts": 3,\n"mega": 0\n}\n}',
        ),
    ],
)
def test_a_record_may_be_one_element_with_attributes_and_have_marks(fmt, expected):
    assert told(NAMED, fmt) == expected


def test_a_list_of_such_records_has_an_element_each():
    assert told(Listing([NAMED, NAMED], root="senders"), 2) == (
        "<senders>\n"
        '<sender id="7" mts="3" mega="0">A&amp;B</sender>\n'
        '<sender id="7" mts="3" mega="0">A&amp;B</sender>\n'
        "</senders>"
    )


PHONES = Reply(
    {"phone": "1"},
    "phone = {phone}, all = 1;2",
    "{phone},1;2",
    rows=Texts("all", "phone", ["1", 'a"<b']),
)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "phone = 1, all = 1;2"),
        (1, "1,1;2"),
        (
            2,
            (
                "<result>\n<phone>1</phone>\n<all><phone>1</phone><phone>a&quot;&lt;b</phone></all>\n"
                "</result>"
            ),
        ),
        (3, '{\n"phone": "1",\n"all": ["1", "a\\"<b"]\n}'),
    ],
)
def test_an_answer_may_hold_plain_texts(fmt, expected):
    assert told(PHONES, fmt) == expected


ZONES = Listing([Reply({"zone": 1}, "{zone}", "{zone}", root="item")], "zones", {"currency": "RUB"})


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "1"),
        (1, "1"),
        (2, "<zones>\n<item><zone>1</zone></item>\n</zones>"),
        (3, '{\n"currency": "RUB",\n"zones": [{\n"zone": 1\n}]\n}'),
    ],
)
def test_json_may_have_members_beside_a_list(fmt, expected):
    assert told(ZONES, fmt) == expected
