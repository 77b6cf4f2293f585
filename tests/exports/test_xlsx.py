import hashlib
import resource
import subprocess
import sys

import openpyxl

from vestnik.exports import xlsx
from vestnik.exports.base import Column
from vestnik.exports.xlsx import XLSX

COLUMNS = (Column("phone"), Column("cost", number=True), Column("message", free=True))


def written(tmp_path, *pages):
    path = tmp_path / "file"
    about = XLSX.write(path, COLUMNS, pages)
    with path.open("rb") as file:
        book = openpyxl.load_workbook(file)
    return [[tuple(row) for row in sheet.values] for sheet in book], about


def test_numbers_are_numbers_and_phones_are_text(tmp_path):
    [rows], _ = written(tmp_path, [("79160000001", "1.20", "test")], [("79160000002", "0.00", "")])

    assert rows == [
        ("phone", "cost", "message"),
        ("79160000001", 1.2, "test"),
        ("79160000002", 0, ""),
    ]


def test_a_text_is_never_a_formula_nor_a_link(tmp_path):
    texts = ["=2+2", "http://example.org/", "{=1}", "+1", 'a"b<c>&d', "two\nlines"]

    [[_, *rows]], _ = written(tmp_path, [("1", "1", text) for text in texts])

    assert [row[2] for row in rows] == texts
    with (tmp_path / "file").open("rb") as file:
        sheet = openpyxl.load_workbook(file).active
        cells = list(sheet["C"])
    assert not [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_rows_beyond_a_sheet_go_to_a_further_one(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "SHEET_ROWS_MAX", 3)
    rows = [(str(number), "1", "test") for number in range(7)]

    sheets, _ = written(tmp_path, rows[:2], rows[2:])

    assert [[row[0] for row in sheet] for sheet in sheets] == [
        ["phone", "0", "1", "2"],
        ["phone", "3", "4", "5"],
        ["phone", "6"],
    ]


def test_a_full_sheet_needs_no_further_one(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "SHEET_ROWS_MAX", 2)

    sheets, _ = written(tmp_path, [("1", "1", "a"), ("2", "1", "b")])

    assert len(sheets) == 1


def test_a_text_longer_than_a_cell_is_cut(tmp_path):
    [[_, row]], _ = written(tmp_path, [("1", "1", "x" * 40_000)])

    assert len(row[2]) == xlsx.CELL_CHARACTERS_MAX


def test_its_size_and_digest_are_those_of_the_file(tmp_path):
    _, about = written(tmp_path, [("1", "1", "test")])
    octets = (tmp_path / "file").read_bytes()

    assert about.octets_utf8 == about.octets_single == len(octets)
    assert about.sha256 == hashlib.sha256(octets).hexdigest()


def test_a_disk_that_is_full_is_an_os_error(tmp_path):
    script = (
        "import errno, pathlib, sys\n"
        "from vestnik.exports.xlsx import XLSX\n"
        "from vestnik.exports.base import Column\n"
        "rows = [(str(n), 'text %d' % n) for n in range(30_000)]\n"
        "try:\n"
        "    XLSX.write(pathlib.Path(sys.argv[1]), (Column('a'), Column('b')), [rows])\n"
        "except OSError as failure:\n"
        "    sys.exit(0 if failure.errno == errno.EFBIG else 2)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "file"],
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )

    assert ended.returncode == 0
