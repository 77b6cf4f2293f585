"""The command line in this process, over the embedded store."""

import re

import apsw
import pytest
from tests.migrated import new_store
from typer.testing import CliRunner

from vestnik.__main__ import app
from vestnik.store.migrations.run import newest


def running(folder):
    """Run a command on a data folder; gives its exit code, output and errors."""
    runner = CliRunner()

    def run(line, *more, given=""):
        words = [*line.split(), *more, "--data", str(folder)]
        done = runner.invoke(app, words, input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture(autouse=True)
def other_doors(monkeypatch):
    """Any ports: the usual ones may be somebody's."""
    monkeypatch.setenv("VESTNIK_SMTP__LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("VESTNIK_SMPP__LISTEN", "127.0.0.1:0")


@pytest.fixture
def vestnik(tmp_path):
    """Run a command on a data folder with a new store."""
    new_store(tmp_path / "data")
    return running(tmp_path / "data")


def lines(done):
    assert done.exit_code == 0, done.stderr
    return [re.split(r"  +", line) for line in done.stdout.splitlines()]


@pytest.fixture
def alex(vestnik):
    vestnik("client add alex --password password --balance 100")
    return "alex"


def test_on_an_empty_folder_a_command_makes_the_store(tmp_path):
    vestnik = running(tmp_path / "data")

    done = vestnik("client add Alex --password password --balance 100.50")

    assert (done.exit_code, done.stdout) == (0, "client alex added with 100.50 RUB\n")
    assert (tmp_path / "data" / "vestnik.db").exists()
    assert lines(vestnik("client list"))[1] == ["1", "alex", "100.50", "0.00", "0.00", "RUB"]


def test_a_password_that_is_not_given_is_asked_for_twice(vestnik):
    done = vestnik("client add alex", given="long enough\nlong enough\n")

    assert done.exit_code == 0
    assert done.stdout.endswith("client alex added with 0.00 RUB\n")
    assert "long enough" not in done.stdout


def test_what_cannot_be_done_is_one_sentence_on_stderr(vestnik, alex):
    done = vestnik("client add alex --password password")

    assert done.exit_code == 1
    assert (done.stdout, done.stderr) == ("", "vestnik: there is a client 'alex' already\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("client add x --password 1234567", "a password has 8 to 200 characters, not 7"),
        ("client add bob --password password --balance much", "'much' is not an amount of money"),
        ("client topup bob 5", "there is no client 'bob'; 'vestnik client list' shows all"),
        ("client topup alex -100.01", "'alex' has 100.00 RUB to spend: 100.01 cannot be taken"),
        ("client set alex day_limit", "'day_limit' is not NAME=VALUE, such as day_limit=500"),
        ("client set alex dya=5", "there is no setting 'dya'; 'vestnik client set alex' shows all"),
        ("client key remove alex 9", "'alex' has no key 9"),
        (
            "carrier add mts --channel pigeon",
            "there is no channel 'pigeon'; there are smpp, virtual",
        ),
        ("carrier add mts --host h windwo=5", "unknown setting 'windwo'; did you mean 'window'"),
        ("carrier set mts", "there is no carrier 'mts'; 'vestnik carrier list' shows all"),
        ("carrier remove mts", "there is no carrier 'mts'"),
        ("route add --carrier mts", "there is no carrier 'mts'"),
        ("route remove 5", "there is no route 5; 'vestnik route list' shows all"),
        ("route trace 12", "'12' is not a phone number"),
        ("rate load missing.csv", "missing.csv cannot be read: No such file or directory"),
        ("rate remove --client bob", "there is no client 'bob'"),
        ("client list --config missing.toml", "there is no settings file missing.toml"),
    ],
)
def test_it_says_what_is_wrong(vestnik, alex, line, words):
    done = vestnik(line)

    assert done.exit_code == 1
    assert done.stderr.startswith(f"vestnik: {words}")
    assert done.stderr.count("\n") == 1


def test_money_is_topped_up_and_corrected(vestnik, alex):
    assert vestnik("client topup alex 10.5").stdout == "alex has 110.50 RUB now\n"
    assert vestnik("client topup alex -0.50 --note mistake").stdout == "alex has 110.00 RUB now\n"


def test_limits_are_shown_with_their_help_and_changed(vestnik, alex):
    shown = {row[0]: row[1:] for row in lines(vestnik("client set alex"))}

    assert shown["day_limit"] == ["0", "0", "messages a day in all"]

    changed = lines(vestnik("client set alex day-limit=500 sender=Shop"))

    assert [row[:2] for row in changed[1:]] == [["sender", "Shop"], ["day_limit", "500"]]


def test_a_key_is_shown_once(vestnik, alex):
    key = vestnik("client key add alex --note", "cash desk").stdout.strip()
    listed = vestnik("client key list alex")

    assert len(key) >= 40
    assert key not in listed.stdout
    assert lines(listed)[1][2] == "cash desk"

    number = lines(listed)[1][0]

    assert vestnik(f"client key remove alex {number}").exit_code == 0
    assert len(lines(vestnik("client key list alex"))) == 1


def test_a_password_is_replaced(vestnik, alex):
    done = vestnik("client passwd alex --password", "something new")

    assert done.stdout == "alex has a new password\n"


def test_a_carrier_is_added_shown_changed_and_removed(vestnik):
    vestnik(
        "carrier add mts --host smsc.example --port 2776 --system-id us --password pass"
        " --window 50 --on-unknown resend long_messages=sar"
    )
    shown = vestnik("carrier list").stdout

    assert "host=smsc.example port=2776 system_id=us password=*** window=50" in shown
    assert "pass " not in shown

    settings = {row[0]: row[1] for row in lines(vestnik("carrier set mts")) if len(row) == 3}

    assert settings["on_unknown"] == "resend"
    assert settings["long_messages"] == "sar"
    assert lines(vestnik("carrier set mts window= enabled=0"))[1][:2] == ["enabled", "0"]
    assert "window=50" not in vestnik("carrier list").stdout
    assert vestnik("carrier remove mts").stdout == "carrier mts removed\n"


def test_a_carrier_is_tried(vestnik, monkeypatch):
    monkeypatch.setattr("vestnik.commands.carrier.TEST_S", 1.5)
    vestnik("carrier add mts --host 127.0.0.1 --port 1")

    assert vestnik("carrier test virtual").stdout.startswith("carrier virtual: ")

    done = vestnik("carrier test mts")

    assert done.exit_code == 1
    assert "carrier mts cannot be reached: connecting: connection refused" in done.stderr


def test_routes_lead_where_a_trace_says(vestnik, alex):
    vestnik("carrier add mts --host h")
    vestnik("carrier add beeline --host h")

    assert vestnik("route add --prefix 7916 --carrier mts --priority 5").stdout == "route 1 added\n"

    vestnik("route add --carrier beeline --client alex")

    assert [row[-1] for row in lines(vestnik("route list"))[1:]] == ["mts", "beeline"]

    trace = dict(lines(vestnik("route trace 89161234567 --client alex")))

    assert trace["phone"] == "79161234567"
    assert trace["carriers"] == "mts, then beeline"
    assert trace["price"] == "1.00 a part"
    assert dict(lines(vestnik("route trace 79031234567")))["carriers"].startswith("none:")
    assert vestnik("route remove 1").stdout == "route 1 removed\n"
    assert len(lines(vestnik("route list"))) == 2


def test_rates_are_loaded_listed_and_removed(vestnik, alex, tmp_path):
    file = tmp_path / "rates.csv"
    file.write_text("client;channel;prefix;operator;price\n;sms;7;;2.5\nalex;sms;;;1.25\n")

    assert vestnik("rate load", str(file)).stdout == "2 prices of 2 tariffs loaded\n"
    assert lines(vestnik("rate list"))[1:] == [
        ["*", "sms", "7", "*", "2.50"],
        ["alex", "sms", "*", "*", "1.25"],
    ]

    vestnik("rate remove --client alex")

    assert len(lines(vestnik("rate list"))) == 2


def test_a_file_in_another_encoding_is_refused(vestnik, tmp_path):
    file = tmp_path / "rates.csv"
    file.write_bytes("клиент".encode("cp1251"))

    done = vestnik("rate load", str(file))

    assert done.exit_code == 1
    assert "is not in UTF-8 (octet 0): save it in UTF-8 and try again" in done.stderr


def test_a_numbering_plan_is_loaded(vestnik, tmp_path):
    file = tmp_path / "plan.csv"
    file.write_text(
        "prefix;country;operator;region;mccmnc;zone\n7916;RU;Own;Omsk;25099;Asia/Omsk\n"
    )

    assert vestnik("numbering load", str(file)).stdout == "1 ranges loaded\n"
    assert dict(lines(vestnik("route trace 79161234567")))["network"] == (
        "RU, Own, Omsk, 25099, Asia/Omsk"
    )

    file.write_text("prefix;country;operator;region;mccmnc\n7916;RU;Own;Omsk;12\n")
    done = vestnik("numbering load", str(file))

    assert done.exit_code == 1
    assert "plan.csv: line 2: mccmnc '12' is not 5 or 6 digits" in done.stderr


def test_a_store_is_migrated_once(tmp_path):
    vestnik = running(tmp_path / "data")

    assert vestnik("migrate").stdout.startswith("applied 0001 The first tables\n")
    assert vestnik("migrate").stdout == "the store is of this version already\n"


def test_a_sound_store_passes_its_check(vestnik, alex):
    assert vestnik("check").stdout == "every rule holds\n"


def test_a_store_that_breaks_a_rule_fails_its_check(vestnik, alex, tmp_path):
    store = apsw.Connection(str(tmp_path / "data" / "vestnik.db"))
    store.execute("UPDATE accounts SET posted = 7000000 WHERE purse = 0")
    store.close()

    done = vestnik("check")

    assert done.exit_code == 1
    assert "account 1, purse 0: 7.00 and held 0.00 stand on it" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("vestnik: the store breaks its rules, 2 times")


def test_the_doctor_looks_at_everything(vestnik, alex, monkeypatch):
    monkeypatch.setenv("VESTNIK_HTTP__LISTEN", "127.0.0.1:0")

    done = vestnik("doctor")

    assert done.exit_code == 0, done.stdout + done.stderr
    assert "ok    the settings are valid" in done.stdout
    assert f"ok    the sqlite store opens and is of version {newest()}" in done.stdout
    assert "note  the only carrier is virtual: messages reach nobody" in done.stdout


def test_the_doctor_names_what_is_wrong(vestnik, alex, monkeypatch, tmp_path):
    monkeypatch.setenv("VESTNIK_HTTP__LISTEN", "192.0.2.1:8080")
    monkeypatch.setenv("VESTNIK_HTTP__TLS_CERT", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("VESTNIK_HTTP__TLS_KEY", str(tmp_path / "missing.key"))
    monkeypatch.setenv("VESTNIK_SMPP__LISTEN", "192.0.2.1:2775")
    monkeypatch.setattr("vestnik.commands.doctor.CARRIER_S", 0.5)
    vestnik("carrier add mts --host 127.0.0.1 --port 1")

    done = vestnik("doctor")

    assert done.exit_code == 1
    assert "bad   the HTTP door cannot listen at 192.0.2.1:8080" in done.stdout
    assert "bad   the certificate" in done.stdout
    assert "bad   carrier mts takes none (connecting: connection refused)" in done.stdout
    assert "bad   the SMPP door cannot listen at 192.0.2.1:2775" in done.stdout
    assert "end what listens there, or change [smpp] listen" in done.stdout
    assert done.stderr == "vestnik: 4 of 11 checks failed\n"


def test_the_doctor_needs_no_store(monkeypatch, tmp_path):
    vestnik = running(tmp_path / "data")
    monkeypatch.setenv("VESTNIK_HTTP__LISTEN", "off")

    done = vestnik("doctor")

    assert done.exit_code == 0
    assert "note  there is no store yet" in done.stdout
    assert not (tmp_path / "data").exists()


def test_the_doctor_says_that_the_server_is_away(vestnik, monkeypatch, tmp_path):
    monkeypatch.setenv("VESTNIK_HTTP__LISTEN", "off")
    monkeypatch.setenv("VESTNIK_STORE__URL", f"postgresql:///vestnik?host={tmp_path}&user=nobody")

    done = vestnik("doctor")

    assert done.exit_code == 1
    assert "bad   PostgreSQL cannot be reached" in done.stdout


def test_a_command_works_on_a_shared_store(vestnik, monkeypatch, postgres_url):
    monkeypatch.setenv("VESTNIK_STORE__URL", postgres_url)
    vestnik("client add alex --password password --balance 5")

    assert lines(vestnik("client list"))[1][:3] == ["1", "alex", "5.00"]
    assert vestnik("check").stdout == "every rule holds\n"
