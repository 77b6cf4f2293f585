import datetime as dt

import openpyxl
import pytest

from vestnik.domain.contact import Book
from vestnik.domain.refusals import BadParameters
from vestnik.services.contacts.files import Bad, Row, Source, columns


@pytest.fixture
def source(tmp_path):
    """A file with these octets, opened."""

    def opened(text, charset="utf-8-sig", name="contacts.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return Source(path, charset)

    return opened


def entries(source):
    found = list(source.rows())
    assert [row for row in found if isinstance(row, Bad)] == []
    return [(row.entry.addresses, row.entry.given.changes(), row.entry.groups) for row in found]


@pytest.mark.parametrize(
    "text",
    [
        "phone;name\n111;Анна\n",
        "phone,name\r\n111,Анна\r\n",
        "\ufeffphone\tname\n111\tАнна",
        '\n"Phone";" NAME "\n"111";"Анна"\n'.lstrip("\n"),
        "int_id;name;phone\n99;Анна;111\n\n;;\n",
    ],
)
def test_a_table_is_read_whatever_stands_between_its_values(source, text):
    assert entries(source(text)) == [(("111",), {"name": "Анна"}, ())]


def test_a_table_may_be_in_another_charset(source):
    text = "phone;name\n111;Анна\n"

    assert entries(source(text, "cp1251", encoding="cp1251")) == [(("111",), {"name": "Анна"}, ())]
    [bad] = source(text, encoding="cp1251").rows()
    assert bad.where == "line 2"
    assert "another charset" in bad.why


def test_a_row_has_every_field_of_an_answer(source):
    [row] = source(
        ";".join(columns(Book.PHONES))
        + '\n5;a-1;Title;"+7 (999) 000-00-01,123";1|2;F;L;M;01.02.1990;"c\nd";x, y;other\n'
    ).rows()

    assert row.entry.addresses == ("79990000001", "123")
    assert row.entry.groups == (1, 2)
    assert row.entry.given.changes() == {
        "my_id": "a-1",
        "name": "Title",
        "first_name": "F",
        "last_name": "L",
        "middle_name": "M",
        "birthday": "01.02.1990",
        "comments": "c\nd",
        "tags": "x, y",
        "phone_other": "other",
    }


def test_the_header_says_which_book_it_is(source):
    assert source("mail\na@b\n").book == Book.MAILS
    assert source("phone\n1\n").book == Book.PHONES
    assert [row.entry.addresses for row in source("mail\na@b;c@d\n".replace(";", " ")).rows()] == [
        ("a@b", "c@d")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "phone and mail"),
        ("name\nx\n", "phone and mail"),
        ("phone;mail\n1;a@b\n", "phone and mail"),
        ("phone;nmae\n1;x\n", "no column 'nmae'"),
        ("phone;name;name\n1;x;y\n", "twice"),
        ("телефон\n1\n".encode("cp1251"), "another charset"),
        ('"' + "x" * 200_000, "phone and mail"),
    ],
)
def test_a_file_that_is_none_of_contacts_is_refused(source, text, words):
    with pytest.raises(BadParameters, match=words):
        source(text)


def test_bad_rows_are_named_by_their_lines_and_the_others_are_read(source):
    found = list(
        source(
            "phone;name;birthday;group\n"
            "111;a;;\n"
            "12;b;;\n"
            "222;c\n"
            "333;d;31.02.1990;\n"
            '444;"e\nf";;\n'
            "555;g;;one\n"
            "666;h\x00;;\n"
            ";i;;\n"
            f"777;{'j' * 101};;\n"
            "888;k;;0\n"
        ).rows()
    )

    good = [row.entry.addresses[0] for row in found if isinstance(row, Row)]
    bad = {row.where: row.why for row in found if isinstance(row, Bad)}
    assert good == ["111", "444", "888"]
    assert list(bad) == [f"line {n}" for n in (3, 4, 5, 8, 9, 10, 11)]
    assert bad["line 3"] == "a number has 3 to 15 digits, not 2"
    assert bad["line 4"] == "2 values under 4 columns"
    assert bad["line 5"] == "a birthday is dd.mm.yyyy"


def test_a_quote_that_never_ends_spoils_so_much_and_no_more(source):
    rows = "".join(f"{n};x\n" for n in range(1_000, 60_000))

    found = list(source('phone;name\n111;"a\n' + rows).rows())

    assert isinstance(found[0], Bad)
    assert "limit" in found[0].why
    assert sum(isinstance(row, Row) for row in found) > 30_000


def test_what_was_kept_from_being_a_formula_is_itself_again(source):
    given = [row.entry.given.name for row in source("phone;name\n1111;'=1+1\n2222;'x\n").rows()]

    assert given == ["=1+1", "'x"]


@pytest.fixture
def book(tmp_path):
    """A spreadsheet with these sheets, opened."""

    def opened(*sheets):
        made = openpyxl.Workbook()
        made.remove(made.active)
        for number, rows in enumerate(sheets, start=1):
            sheet = made.create_sheet(f"S{number}")
            for row in rows:
                sheet.append(row)
        made.save(tmp_path / "contacts.xlsx")
        return Source(tmp_path / "contacts.xlsx")

    return opened


def test_a_spreadsheet_is_read_sheet_by_sheet(book):
    header = ["Phone", "name", "birthday", "comments"]

    source = book(
        [
            header,
            [79990000001, "Анна", dt.datetime(1990, 2, 1), 1.5],
            [],
            ["+7 999 000-00-02", None, dt.date(1990, 2, 1), True],
            [79990000003.0],
        ],
        [header, ["79990000004", "d"]],
        [["79990000005", "e"]],
    )

    assert entries(source) == [
        (("79990000001",), {"name": "Анна", "birthday": "01.02.1990", "comments": "1.5"}, ()),
        (("79990000002",), {"birthday": "01.02.1990", "comments": "1"}, ()),
        (("79990000003",), {}, ()),
        (("79990000004",), {"name": "d"}, ()),
        (("79990000005",), {"name": "e"}, ()),
    ]


def test_a_bad_row_of_a_spreadsheet_is_named_by_sheet_and_row(book):
    found = list(book([["phone"], [1], ["123", "more"], ["124", None, None]]).rows())

    assert [(row.where, isinstance(row, Bad)) for row in found] == [
        ("sheet 'S1', row 2", True),
        ("sheet 'S1', row 3", True),
        ("sheet 'S1', row 4", False),
    ]


@pytest.mark.parametrize("octets", [b"", b"no archive", b"PK\x03\x04broken"])
def test_what_is_no_spreadsheet_is_refused(source, octets):
    with pytest.raises(BadParameters, match="not a spreadsheet"):
        source(octets, name="contacts.xlsx")
