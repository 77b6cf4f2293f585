"""Documentation is a test: what exists is documented, and what is documented exists."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import benchmarks.__main__
import msgspec
import pytest
import typer

from vestnik import config
from vestnik.__main__ import app
from vestnik.channels import CHANNELS as CARRIER_CHANNELS
from vestnik.channels.smpp_refusals import PAUSES, REFUSALS, STATS
from vestnik.channels.smpp_settings import HELP, SmppSettings, settings_from
from vestnik.channels.virtual import ENDINGS, REFUSED, VirtualSettings
from vestnik.domain.client import LIMIT_NAMES, Limits
from vestnik.domain.message import Err
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.main import ROLES
from vestnik.monitoring import Monitoring
from vestnik.services.centre.carriers import CHOICES
from vestnik.services.clients.clients import limit_help
from vestnik.services.money.rates import CHANNELS, HEADER
from vestnik.store.queue import Stage

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "vestnik"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
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
    arguments = [p for p in COMMANDS[name].params if p.param_type_name == "argument"]
    needed = [argument.metavar for argument in arguments if argument.required]

    assert " ".join([name, *needed]) in text


def test_every_setting_is_documented_as_it_is_and_no_other():
    found = {
        section: re.findall(r"^\| (`.+) \|$", text, flags=re.MULTILINE)
        for section, text in sections("settings.md", "##").items()
    }
    expected = {}
    for setting in config.describe():
        usual = usual_setting(setting.default)
        row = f"`{setting.name}` | {setting.type} | {usual} | {setting.help}"
        expected.setdefault(f"[{setting.section}]", []).append(row)

    assert found == expected


def test_the_csv_of_rates_is_documented():
    text = (DOCS / "rates.md").read_text()

    assert ";".join(HEADER) in text
    assert {name for name in CHANNELS if f"`{name}`" not in text} == set()


# The addresses of the API.


def codes_of(found):
    return {(code.number, code.text) for code in found.codes.values()}


COMMON_CODES = set.intersection(*map(codes_of, ENDPOINTS))


OTHER_WAYS = {"smpp", "smtp", "soap"}  # into the centre, which have a page each too


def test_every_address_of_the_api_has_its_page_and_no_other():
    pages = {page.stem for page in (DOCS / "api").glob("*.md")} - {"README"} - OTHER_WAYS

    assert pages == {found.name for found in ENDPOINTS}


@pytest.mark.parametrize("found", ENDPOINTS, ids=lambda found: found.name)
def test_an_address_is_written_in_both_forms_on_its_page_and_in_the_list(found):
    page = (DOCS / "api" / f"{found.name}.md").read_text()

    assert f"`{found.path}`" in page
    assert f"`/rest/{found.name}/`" in page
    assert f"]({found.name}.md)" in (DOCS / "api" / "README.md").read_text()


@pytest.mark.parametrize("found", ENDPOINTS, ids=lambda found: found.name)
def test_every_error_of_an_address_is_on_its_page(found):
    page = (DOCS / "api" / f"{found.name}.md").read_text()
    own = {number for number, _ in codes_of(found) - COMMON_CODES}

    assert {number for number in own if not re.search(rf"\b{number}\b", page)} == set()


def test_every_error_that_all_addresses_have_is_documented_with_its_words():
    page = (DOCS / "api" / "README.md").read_text()

    assert {code for code in COMMON_CODES if f"| {code[0]} | `{code[1]}" not in page} == set()


# Accounts, messages, monitoring.


def rows_of(page, width):
    """The rows of a page's tables that have so many cells and begin with a name in code marks."""
    found = re.findall(r"^\| (`[^|]+) \|(.+)\|$", (DOCS / page).read_text(), flags=re.MULTILINE)
    rows = [(name, *(cell.strip() for cell in rest.split("|"))) for name, rest in found]
    return [row for row in rows if len(row) == width]


def usual_setting(default):
    """A default as TOML writes it."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default != "" else "empty"


def usual(default):
    """A default as pages write it."""
    if isinstance(default, bool):
        return f"`{int(default)}`"
    if default in ("", {}):
        return "empty"
    if isinstance(default, str) and default.isspace():
        return "a space"
    if isinstance(default, float) and default == int(default):
        return f"`{int(default)}`"
    return f"`{default}`"


def test_every_limit_of_an_account_is_documented_as_it_is_and_no_other():
    expected = [
        (f"`{name}`", usual(getattr(Limits(), name)), limit_help()[name]) for name in LIMIT_NAMES
    ]

    assert rows_of("operate.md", 3) == expected


def test_every_metric_is_documented_as_it_is_and_no_other():
    monitoring = Monitoring(None, None, None)  # nothing is counted yet
    expected = []
    for metric in monitoring.registry.collect():
        name = f"`{metric.name}_total`" if metric.type == "counter" else f"`{metric.name}`"
        expected.append((name, metric.type, metric.documentation))

    assert [(row[0], row[1], row[3]) for row in rows_of("operate.md", 4)] == expected


def test_every_stage_and_role_is_documented():
    text = (DOCS / "operate.md").read_text()
    names = {stage.name.lower() for stage in Stage} | ROLES

    assert {name for name in names if f"| `{name}` |" not in text} == set()


def test_every_err_that_the_centre_gives_is_documented_and_no_other():
    text = sections("operate.md", "##")["Why a message was not delivered"]
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)}
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    given = {getattr(Err, name) for name in re.findall(r"\bErr\.([A-Z_]+)", source)}

    assert documented == given


# Carriers.


def test_every_channel_has_its_page_and_no_other():
    pages = {page.stem for page in (DOCS / "channels").glob("*.md")} - {"README"}

    assert pages == set(CARRIER_CHANNELS)


def test_every_setting_of_an_smpp_carrier_is_documented_as_it_is_and_no_other():
    hints = get_type_hints(SmppSettings, include_extras=True)
    expected = {}
    for name, default in msgspec.structs.asdict(SmppSettings()).items():
        base = get_args(hints[name])[0] if get_origin(hints[name]) is Annotated else hints[name]
        choices = ", ".join(f"`{c}`" for c in get_args(base)) if get_origin(base) is Literal else ""
        words = f"{HELP[name]} One of {choices}." if choices else HELP[name]
        expected[f"`{name}`"] = (usual(default), words)

    found = {row[0]: row[1:] for row in rows_of("channels/smpp.md", 3) if row[0] != "`stat`"}
    of_stats = {name for name in found if name[1:].partition("`")[0] in STATS}

    assert {name: found[name] for name in found.keys() - of_stats} == expected


def test_the_table_of_stats_is_the_one_that_is_used():
    found = {}
    for names, status, err in rows_of("channels/smpp.md", 3):
        for name in re.findall(r"`([A-Z]+)`", names):
            found[name] = (int(status), int(err) if err.isdigit() else 0)

    assert found == STATS


def test_the_table_of_refusals_is_the_one_that_is_used():
    text = sections("channels/smpp.md", "##")["Refusals"]
    found = {}
    for codes, words in re.findall(r"^\| (`0x[^|]+) \| (.+) \|$", text, flags=re.MULTILINE):
        status, err = re.search(r"(\d+), err (\d+)", words).groups()
        for code in re.findall(r"0x[0-9A-F]+", codes):
            found[int(code, 16)] = (int(status), int(err), "later" in words, "pause" in words)
    for_good = (20, 255, False, False)
    expected = {c: (v.status, v.err, v.retry, c in PAUSES) for c, v in REFUSALS.items()}

    assert found == {c: row for c, row in expected.items() if row != for_good}


def test_the_tables_that_are_shown_as_json_are_taken():
    written = re.findall(
        r"carrier set mts '(\w+)=(.+)'", (DOCS / "channels" / "smpp.md").read_text()
    )

    assert {name for name, _ in written} == {"receipt_errors", "stats", "errors"}
    assert settings_from(dict(written)).receipt_errors == {"001": 1, "027": 6}


def test_every_setting_and_ending_of_virtual_is_documented():
    rows = rows_of("channels/virtual.md", 3)
    endings = {row[0].strip("`") for row in rows_of("channels/virtual.md", 2)}

    assert rows == [
        (f"`{name}`", f"`{getattr(VirtualSettings(), name)}`", rows[0][2])
        for name in VirtualSettings.__dataclass_fields__
    ]
    assert endings == {*ENDINGS, REFUSED}


def test_every_setting_that_all_carriers_have_is_documented():
    assert {row[0].strip("`") for row in rows_of("channels/README.md", 3)} == set(CHOICES)


# The rest.


def test_every_dependency_has_its_line_and_no_other():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {re.match(r"[\w-]+", one)[0] for one in wanted}

    assert {row[0].strip("`") for row in rows_of("design/dependencies.md", 3)} == names


def test_every_page_about_a_decision_is_in_the_list():
    listed = set(re.findall(r"\]\((\S+)\)", (DOCS / "design" / "README.md").read_text()))

    assert listed == {page.name for page in (DOCS / "design").glob("*.md")} - {"README.md"}


def test_every_benchmark_is_described():
    names = {row[0].strip("`") for row in rows_of("benchmarks.md", 4)}

    assert names == set(benchmarks.__main__.ALL)


def anchors(page):
    """The names by which headings of a page can be led to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        found = (page.parent / target).resolve() if target else page

        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


def test_the_picture_of_the_demo_is_small_and_asks_nobody_for_anything():
    picture = (DOCS / "demo.svg").read_text()
    addresses = set(re.findall(r"https?://[\w.-]+", picture))

    assert len(picture.encode()) < 200_000
    assert addresses == {"http://127.0.0.1", "http://www.w3.org"}
    assert "/home/" not in picture
    assert str(ROOT) not in picture


def test_a_copy_made_as_the_page_says_is_a_whole_store(tmp_path):
    [line] = re.findall(r"python (-m apsw .+)$", (DOCS / "operate.md").read_text(), re.MULTILINE)
    folder, copy = tmp_path / "data", tmp_path / "copy"
    copy.mkdir()
    vestnik = [sys.executable, "-m", "vestnik"]
    add = ["client", "add", "alex", "--password", "secret-word", "--balance", "100"]
    subprocess.run([*vestnik, *add, "--data", folder], check=True)
    line = line.replace("/var/lib/vestnik", str(folder)).replace("/backup", str(copy))
    subprocess.run([sys.executable, *shlex.split(line)], check=True)

    done = subprocess.run(
        [*vestnik, "check", "--data", copy], check=True, capture_output=True, text=True
    )

    assert done.stdout == "every rule holds\n"
