"""What a newcomer meets: help, versions, mistyped names, a closed input, a door that is taken."""

import os
import socket
import subprocess
import sys

import pytest
import typer

from vestnik import __version__
from vestnik.__main__ import app

VESTNIK = [sys.executable, "-m", "vestnik"]
NARROW = "80"


def groups(group, *names):
    """The names of a group of commands, and of all below it."""
    yield names
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from groups(found, *names, name)


def run(*words, **environ):
    return subprocess.run(
        [*VESTNIK, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environ,
        start_new_session=True,  # no terminal to ask for a password at
    )


@pytest.mark.parametrize("names", list(groups(typer.main.get_command(app))), ids=" ".join)
def test_every_list_of_commands_fits_a_narrow_terminal(names):
    done = run(*names, "--help", COLUMNS=NARROW)

    assert done.returncode == 0
    assert "Commands:" in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]
    assert max(map(len, done.stdout.splitlines())) <= int(NARROW)


def test_the_version_can_be_asked_for():
    assert run("--version").stdout == f"vestnik {__version__}\n"


def test_a_short_h_is_help_too():
    assert run("doctor", "-h").stdout == run("doctor", "--help").stdout != ""


def test_a_mistyped_command_is_guessed():
    done = run("dokter")

    assert done.returncode == 1
    assert done.stderr == (
        "vestnik: No such command 'dokter'. Did you mean 'doctor'? Or see 'vestnik --help'\n"
    )


def test_a_password_that_nobody_can_give_is_one_sentence(tmp_path):
    done = run("client", "add", "alex", "--data", str(tmp_path))

    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last == "vestnik: the input ended before every question was answered"


def test_a_store_that_is_not_there_is_not_called_sound(tmp_path):
    done = run("check", "--data", str(tmp_path / "mistyped"))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"vestnik: there is no store in {tmp_path}/mistyped; --data names another folder\n"
    )
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize("door", ["http", "smtp", "smpp"])
def test_a_door_that_is_taken_is_named(tmp_path, door):
    doors = {"http": "off", "smtp": "off", "smpp": "off"}
    with socket.create_server(("127.0.0.1", 0)) as other:
        doors[door] = f"127.0.0.1:{other.getsockname()[1]}"
        options = (word for name, place in doors.items() for word in (f"--{name}", place))
        done = run("serve", *options, "--data", str(tmp_path))

    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(f"vestnik: the {door.upper()} door cannot be opened at {doors[door]}: ")
    assert "in use" in last


def test_the_doctor_knows_a_file_that_is_no_store(tmp_path):
    (tmp_path / "vestnik.db").write_text("something else, and longer than a header would be" * 9)

    done = run("doctor", "--data", str(tmp_path), VESTNIK_HTTP__LISTEN="off")

    assert done.returncode == 1
    assert "cannot be opened" in done.stdout
    assert "go back to a copy, or name another folder with --data" in done.stdout
