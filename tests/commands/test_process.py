"""The real `vestnik`, in processes of its own, beside a serving centre."""

import json
import signal
import subprocess
import sys
import urllib.request
from urllib.parse import urlencode

import pytest
from tests.commands.waiting import until

VESTNIK = [sys.executable, "-m", "vestnik"]


def run(*words, **environ):
    return subprocess.run(
        [*VESTNIK, *words], capture_output=True, text=True, check=False, env=environ or None
    )


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "data")


@pytest.fixture
def port(folder):
    """The HTTP port of a centre that serves the folder."""
    anywhere = ("--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--smpp", "127.0.0.1:0")
    command = [*VESTNIK, "serve", *anywhere, "--data", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ready = next(line for line in process.stdout if line.startswith("vestnik ready "))
        try:
            yield ready.partition("http=127.0.0.1:")[2].split()[0]
        finally:
            process.send_signal(signal.SIGTERM)


def ask(port, page, **parameters):
    query = urlencode({"login": "alex", "psw": "password", "fmt": "3", **parameters})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sys/{page}.php?{query}") as answer:
        return json.load(answer)


def test_what_a_command_changes_a_serving_centre_follows(port, folder):
    run("client", "add", "alex", "--password", "password", "--balance", "100", "--data", folder)

    until(lambda: ask(port, "balance") == {"balance": "100.00"})

    run("client", "topup", "alex", "0.50", "--data", folder)

    assert ask(port, "balance") == {"balance": "100.50"}

    run("client", "set", "alex", "locked=1", "--data", folder)

    until(lambda: ask(port, "balance").get("error_code") == 2)


def test_commands_at_once_all_take_place(folder):
    run("client", "add", "alex", "--password", "password", "--data", folder)
    topping = [
        subprocess.Popen([*VESTNIK, "client", "topup", "alex", "1", "--data", folder])
        for _ in range(4)
    ]

    assert [process.wait() for process in topping] == [0, 0, 0, 0]
    assert " 4.00 " in run("client", "list", "--data", folder).stdout
    assert run("check", "--data", folder).stdout == "every rule holds\n"


def test_the_doctor_sees_that_a_centre_serves(port, folder):
    environ = {"VESTNIK_HTTP__LISTEN": f"127.0.0.1:{port}"}

    done = run("doctor", "--data", folder, **environ)

    assert done.returncode == 0, done.stdout
    assert f"ok    serve runs and its HTTP door at 127.0.0.1:{port} is ready" in done.stdout

    environ["VESTNIK_HTTP__LISTEN"] = "127.0.0.1:1"
    done = run("doctor", "--data", folder, **environ)

    assert done.returncode == 1
    assert "bad   serve runs and nothing answers at 127.0.0.1:1" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["frob"], "vestnik: No such command 'frob'; see 'vestnik --help'\n"),
        (["client", "add"], "vestnik: Missing argument 'LOGIN'; see 'vestnik client add --help'\n"),
        (["client", "list", "--dta", "x"], "vestnik: No such option: --dta"),
        (["route", "remove", "one"], "vestnik: Invalid value for 'ID'"),
    ],
)
def test_a_command_that_nobody_can_run_is_one_sentence(words, sentence):
    done = run(*words)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_without_a_command_the_help_is_shown():
    done = run()

    assert "Usage: " in done.stderr
    assert "doctor" in done.stderr


def test_a_wrong_setting_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "vestnik.toml").write_text("[centre]\nnodee = 1\n")

    done = run("client", "list", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "there is no setting 'nodee' in [centre]; did you mean node?" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["vestnik.toml"]
