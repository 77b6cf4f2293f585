"""Documentation is a test: what exists is documented, and what is documented exists."""

import re
from pathlib import Path

import pytest
import typer

from vestnik import config
from vestnik.__main__ import app
from vestnik.services.rates import CHANNELS, HEADER

DOCS = Path(__file__).parent.parent / "docs"
EVERYWHERE = {"--data", "--config"}  # documented once, at the top


def leaves(command, path):
    """Every command below a group, by its full name."""
    for name, found in getattr(command, "commands", {}).items():
        yield from leaves(found, f"{path} {name}")
    if not hasattr(command, "commands"):
        yield path, command


COMMANDS = dict(leaves(typer.main.get_command(app), "vestnik"))


def sections(page, mark):
    """The text below each heading of a page, by heading."""
    found = re.split(rf"^{mark} (.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def documented_options(name):
    text = sections("commands.md", "###")[f"`{name}`"]
    return set(re.findall(r"^\| `(--[\w-]+)", text, flags=re.MULTILINE))


def options(command):
    named = {option for parameter in command.params for option in parameter.opts}
    return {option for option in named if option.startswith("--")} - EVERYWHERE


def test_every_command_is_documented_and_no_other():
    assert set(sections("commands.md", "###")) == {f"`{name}`" for name in COMMANDS}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "vestnik demo"])
def test_every_command_takes_a_folder_and_a_settings_file(name):
    taken = {option for parameter in COMMANDS[name].params for option in parameter.opts}

    assert taken >= EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_documented_and_no_other(name):
    assert documented_options(name) == options(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_of_a_command_is_shown(name):
    text = (DOCS / "commands.md").read_text()
    arguments = [p.metavar for p in COMMANDS[name].params if p.param_type_name == "argument"]
    needed = [word for word in arguments if not word.startswith("[")]

    assert " ".join([name, *needed]) in text


def test_every_setting_is_documented_as_it_is_and_no_other():
    found = {
        section: re.findall(r"^\| (`.+) \|$", text, flags=re.MULTILINE)
        for section, text in sections("settings.md", "##").items()
    }
    expected = {}
    for setting in config.describe():
        usual = f"`{setting.default}`" if setting.default != "" else "empty"
        row = f"`{setting.name}` | {setting.type} | {usual} | {setting.help}"
        expected.setdefault(f"[{setting.section}]", []).append(row)

    assert found == expected


def test_the_csv_of_rates_is_documented():
    text = (DOCS / "rates.md").read_text()

    assert ";".join(HEADER) in text
    assert {name for name in CHANNELS if f"`{name}`" not in text} == set()
