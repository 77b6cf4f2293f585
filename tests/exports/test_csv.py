import csv
import hashlib
import io

import pytest

from vestnik.exports import FORMATS
from vestnik.exports.base import Column
from vestnik.exports.csv import CSV

COLUMNS = (Column("id"), Column("sender", free=True), Column("message", free=True))


def written(tmp_path, *pages):
    path = tmp_path / "file"
    about = CSV.write(path, COLUMNS, pages)
    return path.read_bytes(), about


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("1", "SHOP", "test"), "1;SHOP;test"),
        (("1", "", ""), "1;;"),
        (("1", "SHOP", "a;b"), '1;SHOP;"a;b"'),
        (("1", "SHOP", 'say "hi"'), '1;SHOP;"say ""hi"""'),
        (("1", "SHOP", "two\nlines"), '1;SHOP;"two\nlines"'),
        (("1", "SHOP", "two\r\nlines"), '1;SHOP;"two\r\nlines"'),
        (("1", "SHOP", "two\rlines"), '1;SHOP;"two\rlines"'),
        (("a;b", "SHOP", "test"), '"a;b";SHOP;test'),
        (("1", "SHOP", "it's, fine"), "1;SHOP;it's, fine"),
    ],
)
def test_only_what_needs_quotes_has_them(tmp_path, row, line):
    octets, _ = written(tmp_path, [row])

    assert octets.decode() == f"id;sender;message\r\n{line}\r\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t"])
def test_a_free_text_is_no_formula(tmp_path, first):
    octets, _ = written(tmp_path, [(first + "1", first + "S", first + "2+2")])

    assert octets.decode() == f"id;sender;message\r\n{first}1;'{first}S;'{first}2+2\r\n"


def test_a_carriage_return_in_front_is_guarded_and_quoted(tmp_path):
    octets, _ = written(tmp_path, [("1", "S", "\r=2")])

    assert octets.decode() == 'id;sender;message\r\n1;S;"\'\r=2"\r\n'


def test_nothing_to_export_is_a_header(tmp_path):
    octets, about = written(tmp_path)

    assert octets == b"id;sender;message\r\n"
    assert (about.octets_utf8, about.octets_single) == (19, 19)
    assert written(tmp_path, [], [])[0] == octets


def test_the_file_is_counted_in_octets_and_in_characters(tmp_path):
    octets, about = written(tmp_path, [("1", "SHOP", "Привет, 😀")], [("2", "SHOP", "ё")])

    assert about.octets_utf8 == len(octets)
    assert about.octets_single == len(octets.decode())
    assert about.sha256 == hashlib.sha256(octets).hexdigest()


def test_a_reader_of_csv_gets_back_what_was_written(tmp_path):
    texts = ["a", 'a"b', '"', '""', "a;b", "\n", "a\r\nb", ";;;", " a ", "'a", 'x"\n;"y', "\u2028"]
    rows = [(str(number), "SHOP", text) for number, text in enumerate(texts)]

    octets, _ = written(tmp_path, rows[:5], rows[5:])

    found = list(csv.reader(io.StringIO(octets.decode(), newline=""), delimiter=";"))
    assert found == [["id", "sender", "message"], *map(list, rows)]


def test_every_format_is_known_by_its_name():
    assert {name: format.extension for name, format in FORMATS.items()} == {
        "csv": ".csv",
        "xlsx": ".xlsx",
    }
