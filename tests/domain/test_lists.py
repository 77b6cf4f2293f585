import pytest

from vestnik.domain.lists import ListLine, list_lines
from vestnik.domain.refusals import BadParameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("79990000001:Hello", [ListLine("79990000001", "Hello")]),
        ("79990000001;Hello: you", [ListLine("79990000001", "Hello: you")]),
        ("79990000001,79990000002:Hi", [ListLine("79990000001,79990000002", "Hi")]),
        (
            "79990000001:a\r\n\n  \n79990000002:b\n",
            [ListLine("79990000001", "a"), ListLine("79990000002", "b")],
        ),
        ("79990000001:a\\nb\\n", [ListLine("79990000001", "a\nb\n")]),
        ("Shop|79990000001:a|b", [ListLine("79990000001", "a|b", "Shop")]),
        ("Shop, -3 |79990000001:a", [ListLine("79990000001", "a", "Shop", "-3")]),
        (".|79990000001:a", [ListLine("79990000001", "a", ".")]),
        ("|79990000001:a", [ListLine("79990000001", "a", "")]),
        ("79990000001:", [ListLine("79990000001", "")]),
        ("", []),
        (" \n", []),
    ],
)
def test_a_line_is_phones_and_a_text(text, expected):
    assert list(list_lines(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("79990000001:a\nHello", "line 2 of the list has no ':'"),
        (":Hello", "line 1 of the list has no phones"),
        ("Shop|:Hello", "line 1 of the list has no phones"),
    ],
)
def test_a_line_that_is_no_record_is_named(text, expected):
    with pytest.raises(BadParameters, match=expected):
        list(list_lines(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "79990000001:Dear Ann,\nwe meet at 12:30;\n\nbring 3: tea\n\n89990000002:Hi",
            [
                ListLine("79990000001", "Dear Ann,\nwe meet at 12:30;\n\nbring 3: tea"),
                ListLine("89990000002", "Hi"),
            ],
        ),
        (
            "Shop,2|+7 (999) 000-00-01, 79990000002;a\r\nb\\nc",
            [ListLine("+7 (999) 000-00-01, 79990000002", "a\nb\nc", "Shop", "2")],
        ),
        ("g12:a\nann@example.org:b", [ListLine("g12", "a"), ListLine("ann@example.org", "b")]),
        ("\n\n79990000001:a", [ListLine("79990000001", "a")]),
        ("", []),
    ],
)
def test_with_nl_a_text_goes_on_until_the_next_phones(text, expected):
    assert list(list_lines(text, nl=True)) == expected


def test_with_nl_the_list_begins_with_phones():
    with pytest.raises(BadParameters, match="line 2 of the list does not begin with phones"):
        list(list_lines("\nHello: you", nl=True))


def test_lines_are_read_one_by_one():
    lines = list_lines("79990000001:a\nno record")

    assert next(lines) == ListLine("79990000001", "a")
