"""`vestnik contacts` in this process, over the embedded store."""

import openpyxl
import pytest
from tests.migrated import new_store
from typer.testing import CliRunner

from vestnik.__main__ import app

HEADER = (
    "int_id;id;name;phone;group;first_name;last_name;middle_name;birthday;comments;tags;phone_other"
)


@pytest.fixture
def vestnik(tmp_path):
    """Run a command on a data folder where alex and bob are clients."""
    runner = CliRunner()

    def run(*words):
        done = runner.invoke(app, [*map(str, words), "--data", str(tmp_path / "data")])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    new_store(tmp_path / "data")
    for login in ("alex", "bob"):
        run("client", "add", login, "--password", "password")
    return run


@pytest.fixture
def file(tmp_path):
    """A file with this text."""

    def made(text, name="contacts.csv"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return made


def exported(vestnik, tmp_path, *more, name="out.csv", login="alex"):
    done = vestnik("contacts", "export", login, tmp_path / name, *more)
    assert done.exit_code == 0, done.stderr
    return (tmp_path / name).read_bytes().decode("utf-8-sig").splitlines()


def test_contacts_come_from_a_file_and_go_into_one(vestnik, file, tmp_path):
    rows = "".join(f"{79_990_000_000 + n};n{n}\n" for n in range(2_500))

    done = vestnik("contacts", "import", "alex", file(f"phone;name\n{rows}"))

    assert (done.exit_code, done.stdout) == (0, "2500 contacts imported, 0 rows left out\n")
    lines = exported(vestnik, tmp_path)
    assert lines[:2] == [HEADER, "1;;n0;79990000000;0;;;;;;;"]
    assert lines[-1] == "2500;;n2499;79990002499;0;;;;;;;"
    assert len(lines) == 2_501
    assert exported(vestnik, tmp_path, login="bob") == [HEADER]


def test_what_was_exported_can_be_imported_again(vestnik, file, tmp_path):
    told = (
        f"{HEADER}\n"
        '1;a-1;"T; ""x""";111,222;1|2;F;L;M;01.02.1990;\'=1+1;x, y;+7 other\n'
        "2;;Анна;333;0;;;;;;;\n"
    )
    vestnik("contacts", "import", "alex", file(told))
    first = exported(vestnik, tmp_path)

    done = vestnik("contacts", "import", "alex", tmp_path / "out.csv")

    assert done.stdout == "2 contacts imported, 0 rows left out\n"
    assert exported(vestnik, tmp_path) == first
    assert first[1] == '1;a-1;"T; ""x""";111,222;1|2;F;L;M;01.02.1990;\'=1+1;x, y;\'+7 other'


def test_bad_rows_are_told_and_left_out(vestnik, file, tmp_path):
    text = "phone;group\n111;1\n12;1\n222;99\n333;0\n"

    done = vestnik("contacts", "import", "alex", file(text))

    assert (done.exit_code, done.stdout) == (0, "2 contacts imported, 2 rows left out\n")
    assert done.stderr == (
        "line 3: a number has 3 to 15 digits, not 2\nline 4: there is no group 99\n"
    )
    assert [line.split(";")[3:5] for line in exported(vestnik, tmp_path)[1:]] == [
        ["111", "1"],
        ["333", "0"],
    ]


def test_only_the_first_of_many_bad_rows_are_told(vestnik, file):
    done = vestnik("contacts", "import", "alex", file("phone\n" + "1\n" * 2_300))

    assert done.stdout == "0 contacts imported, 2300 rows left out\n"
    assert len(done.stderr.splitlines()) == 1_001
    assert done.stderr.splitlines()[-1] == "… and 1300 more"


def test_a_group_may_be_filled_and_exported(vestnik, file, tmp_path):
    vestnik("contacts", "import", "alex", file("phone;group\n111;1\n222;\n"))

    done = vestnik("contacts", "import", "alex", file("phone;group\n222;1\n333;1\n"), "--group", 2)

    assert done.stdout == "2 contacts imported, 0 rows left out\n"
    lines = exported(vestnik, tmp_path, "--group", "2")
    assert [line.split(";")[3:5] for line in lines[1:]] == [["222", "2"], ["333", "2"]]


def test_the_groups_that_an_account_begins_with_can_be_filled_at_once(vestnik, file):
    done = vestnik("contacts", "import", "alex", file("phone\n222\n"), "--group", 1)

    assert done.stdout == "1 contacts imported, 0 rows left out\n"


def test_contacts_by_e_mail_have_files_of_their_own(vestnik, file, tmp_path):
    done = vestnik("contacts", "import", "alex", file("mail,name\n+a@x.org,Anna\n"))

    assert done.stdout == "1 contacts imported, 0 rows left out\n"
    assert exported(vestnik, tmp_path) == [HEADER]
    assert exported(vestnik, tmp_path, "--mails") == [
        HEADER.replace("phone;", "mail;"),
        "1;;Anna;'+a@x.org;0;;;;;;;",
    ]


def test_a_spreadsheet_goes_and_comes(vestnik, file, tmp_path):
    vestnik("contacts", "import", "alex", file("phone;name\n111;=1+1\n79990000001;Анна\n"))

    assert vestnik("contacts", "export", "alex", tmp_path / "out.xlsx").exit_code == 0
    rows = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.values)
    assert rows[0] == tuple(HEADER.split(";"))
    assert [row[2:4] for row in rows[1:]] == [("=1+1", "111"), ("Анна", "79990000001")]

    done = vestnik("contacts", "import", "bob", tmp_path / "out.xlsx")

    assert done.stdout == "2 contacts imported, 0 rows left out\n"
    assert exported(vestnik, tmp_path, login="bob")[2] == "2;;Анна;79990000001;0;;;;;;;"


def test_a_subclient_that_may_has_its_main_account_s_contacts(vestnik, file, tmp_path):
    vestnik("client", "add", "guest", "--password", "password", "--parent", "alex")
    vestnik("client", "set", "guest", "parent_contacts=1")

    vestnik("contacts", "import", "guest", file("phone\n111\n"))

    assert len(exported(vestnik, tmp_path, login="alex")) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["import", "nobody", "FILE"], "there is no client 'nobody'"),
        (["import", "alex", "missing.csv"], "missing.csv cannot be read: No such file"),
        (["import", "alex", "FILE", "--group", "9"], "there is no group 9: add_group of"),
        (["import", "alex", "FILE", "--charset", "utf-16"], "there is no charset 'utf-16'"),
        (["import", "alex", "WRONG"], "WRONG: there is no column 'telephone'"),
        (["export", "nobody", "out.csv"], "there is no client 'nobody'"),
        (["export", "alex", "out.pdf"], "out.pdf is not a name that ends in one of .csv, .xlsx"),
        (["export", "alex", "no/folder/out.csv"], "no/folder/out.csv cannot be written"),
        (["export", "alex", "out.csv", "--group", "9"], "there is no group 9"),
    ],
)
def test_it_says_what_is_wrong(vestnik, file, words, expected):
    files = {"FILE": file("phone\n111\n"), "WRONG": file("telephone\n111\n", "wrong.csv")}

    done = vestnik("contacts", *(files.get(word, word) for word in words))

    assert done.exit_code == 1
    assert expected.replace("WRONG", str(files["WRONG"])) in done.stderr
    assert done.stderr.startswith("vestnik: ")
    assert done.stderr.count("\n") == 1


def test_a_file_that_could_not_be_made_leaves_nothing_behind(vestnik, file, tmp_path, monkeypatch):
    folder = tmp_path / "out.csv"
    folder.mkdir()

    done = vestnik("contacts", "export", "alex", folder)

    assert done.exit_code == 1
    assert list(tmp_path.glob("*.partial")) == []
