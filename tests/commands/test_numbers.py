"""`vestnik numbering`, `number` and `alarm` in this process, over the embedded store."""

import re

import pytest
from tests.migrated import new_store
from typer.testing import CliRunner

from vestnik.__main__ import app

HEADER = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН\r\n"
MTS = 'ПАО "Мобильные ТелеСистемы"'
ALTAI = f"913;5000000;5009999;10000;{MTS};г.о. Барнаул|Алтайский край;;7740000076\r\n"


@pytest.fixture
def vestnik(tmp_path):
    """Run a command on a data folder; gives its exit code, output and errors."""
    runner = CliRunner()

    def run(*words):
        done = runner.invoke(app, [*map(str, words), "--data", str(tmp_path / "data")])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    new_store(tmp_path / "data")
    return run


@pytest.fixture
def file(tmp_path):
    """A file with this text."""

    def made(text, name="numbers.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return made


def rows(done):
    assert done.exit_code == 0, done.stderr
    return [re.split(r"  +", line) for line in done.stdout.splitlines()]


def network(vestnik, phone):
    return dict(rows(vestnik("route", "trace", phone)))["network"]


# The plan.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1251"])
def test_files_of_the_register_are_loaded_together_in_either_encoding(vestnik, file, encoding):
    mobile = file(HEADER + ALTAI, "def-9xx.csv", encoding)
    fixed = file(
        HEADER + '495;0000000;0009999;10000;"ООО ""Связь""";г. Москва и Московская область;;1\r\n',
        "abc-4xx.csv",
        encoding,
    )

    done = vestnik("numbering", "load", mobile, fixed)

    assert done.stdout == "2 ranges loaded\n"
    assert 'no network is known of ООО "Связь": 10000 numbers' in done.stderr
    assert network(vestnik, "79135000001") == "Россия, МТС, Алтайский край, 25001, Asia/Barnaul"
    assert network(vestnik, "74950000001") == (
        'Россия, ООО "Связь", г. Москва и Московская область, Europe/Moscow'
    )


def test_companies_get_networks_by_a_table_of_the_operators_own(vestnik, file):
    register = file(HEADER + "999;0000000;0009999;10000;ООО «Связь»;Мордор;;1\r\n")
    operators = file("name;mccmnc;operator\nСвязь;25077;Моя связь\n", "operators.csv")

    done = vestnik("numbering", "load", register, "--operators", operators)

    assert "no network" not in done.stderr
    assert "no time zone is known of 'Мордор': 1 ranges" in done.stderr
    assert network(vestnik, "79990000001") == "Россия, Моя связь, Мордор, 25077"


def test_wrong_lines_of_a_register_are_told_and_left_out(vestnik, file):
    lines = "".join(ALTAI.replace("913;", f"{913 + n};") for n in range(20))
    done = vestnik("numbering", "load", file(HEADER + lines + "913;x;y;1;A;B;;1\r\n"))

    assert done.stdout == "20 ranges loaded\n"
    assert "line 22: '000000x' and '000000y' are not numbers of seven digits" in done.stderr
    assert "1 lines are left out" in done.stderr


def test_a_file_of_another_kind_loads_nothing(vestnik, file):
    done = vestnik("numbering", "load", file(HEADER + "x;y;z\r\n" * 30 + ALTAI))

    assert done.exit_code == 1
    assert "30 of 31 lines are wrong: nothing was loaded" in done.stderr
    assert done.stderr.count("line ") == 20  # the first ones


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the table is empty"),
        ("a;b\n", "line 1: the header is not prefix;country"),
        ("prefix;country;operator;region;mccmnc\n7916;RU;\udcff;;\n", "it is not in utf-8"),
    ],
)
def test_what_is_no_table_is_told_with_the_name_of_the_file(vestnik, tmp_path, text, words):
    path = tmp_path / "plan.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    done = vestnik("numbering", "load", path)

    assert done.exit_code == 1
    assert "plan.csv: " in done.stderr
    assert words in done.stderr


def test_a_file_that_is_not_there_is_one_sentence(vestnik, tmp_path):
    for command in ("load", "ported"):
        done = vestnik("numbering", command, tmp_path / "nothing.csv")

        assert done.exit_code == 1
        assert "nothing.csv cannot be read: No such file or directory" in done.stderr


# Ported numbers.


def test_ported_numbers_are_loaded_changed_and_found(vestnik, file):
    whole = file("Phone;mccmnc\n79160000001;25002\n79160000002;25020\n79160000002;25002\n")

    done = vestnik("numbering", "ported", whole)

    assert done.stdout == "2 ported numbers loaded; 1 stood twice, the later counts\n"
    assert network(vestnik, "79160000001").split(", ")[1] == "МегаФон"

    changes = file("79160000001;\n79160000003;25020\n", "changes.csv")
    done = vestnik("numbering", "ported", changes, "--changes", "--date", "16.06.2025")

    assert done.stdout == "2 changes made; 2 ported numbers\n"
    assert network(vestnik, "79160000001").split(", ")[1] == "МТС"
    assert network(vestnik, "79160000003").split(", ")[1] == "Т2"


def test_wrong_lines_of_ported_numbers_are_told(vestnik, file):
    good = "".join(f"7916000{n:04};25002\n" for n in range(50))
    done = vestnik("numbering", "ported", file(good + "abc;25002\n"))

    assert done.stdout == "50 ported numbers loaded\n"
    assert "line 51: the phone is not 7 to 15 digits" in done.stderr

    done = vestnik("numbering", "ported", file("x\n" * 9))

    assert done.exit_code == 1
    assert "9 of 9 lines are wrong: nothing was loaded" in done.stderr
    assert network(vestnik, "79160000001").split(", ")[1] == "МегаФон"


def test_an_empty_file_does_not_take_the_place_of_all_numbers(vestnik, file):
    vestnik("numbering", "ported", file("79160000001;25002\n"))

    done = vestnik("numbering", "ported", file(""))

    assert done.stderr == "vestnik: no number stands in these files: nothing was loaded\n"
    assert network(vestnik, "79160000001").split(", ")[1] == "МегаФон"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--date", "16.06.2025"], "--date is the day of --changes"),
        (["--changes", "--date", "16/06/2025"], "--date: the date is not dd.mm.yyyy"),
    ],
)
def test_a_day_is_that_of_changes(vestnik, file, words, expected):
    done = vestnik("numbering", "ported", file("79160000001;25002\n"), *words)

    assert (done.exit_code, done.stderr) == (1, f"vestnik: {expected}\n")


# The centre's own numbers, and alarms.


def test_numbers_are_added_listed_and_removed(vestnik):
    assert vestnik("number", "add", "8 (999) 000-07-77", "--cost", "300").stdout == (
        "number 79990000777 added\n"
    )
    assert vestnik("number", "add", "74950000001", "--calls").stdout == (
        "number 74950000001 added for calls\n"
    )

    listed = rows(vestnik("number", "list"))[1:]
    assert listed == [
        ["74950000001", "call", "0.00", "Россия", "-", "-", "-"],
        ["79990000777", "rent", "300.00", "Россия", "-", "-", "-"],
    ]

    assert vestnik("number", "remove", "74950000001").exit_code == 0
    assert len(rows(vestnik("number", "list"))) == 2
    assert "there is no number 74950000001" in vestnik("number", "remove", "74950000001").stderr
    assert "'12' is not a phone number" in vestnik("number", "add", "12").stderr


def test_a_call_that_nobody_waits_for_is_told(vestnik):
    done = vestnik("number", "call", "79160000001", "74950000001")

    assert (done.exit_code, done.stderr) == (
        1,
        "vestnik: nobody waits for a call from 79160000001 to 74950000001\n",
    )


def test_alarms_are_added_listed_and_removed(vestnik):
    vestnik("client", "add", "alex", "--password", "password")

    done = vestnik("alarm", "add", "alex", "--to", "79160000001,ops@example.com", "--name", "night")

    assert done.stdout == "alarm 1 of alex added\n"
    assert rows(vestnik("alarm", "list"))[1] == [
        *("alex", "1", "night", "sms", "79160000001,ops@example.com"),
        "{NAME} ({HOST}) has failed. {INFO}",
    ]
    assert vestnik("alarm", "remove", "alex", 1).stdout == "alarm 1 of alex removed\n"
    assert "has no alarm 1" in vestnik("alarm", "remove", "alex", 1).stderr
    assert "neither a phone number" in vestnik("alarm", "add", "alex", "--to", "x").stderr
    assert "there is no client 'bob'" in vestnik("alarm", "add", "bob", "--to", "7916").stderr
