"""Carriers that other people wrote, started once and stopped at the end."""

import fcntl
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NPM = Path(__file__).parent / "npm"
FILES = ("package.json", "package-lock.json", "carrier.js")
INSTALL_S_MAX = 240


@dataclass
class NpmCarrier:
    """A running carrier: where it listens and what it has got."""

    port: int
    log: Path

    def submits(self):
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def npm_carrier_folder(pytestconfig):
    """Where the carrier's program and its packages are; installed once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed (apt-get install npm)")
    folder = Path(pytestconfig.cache.mkdir("npm-carrier"))
    with (folder / "lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # tests of several processes may come at once
        _install(folder)
    return folder


def _install(folder):
    lock, done = NPM / "package-lock.json", folder / "installed"
    for name in FILES:
        shutil.copyfile(NPM / name, folder / name)
    if not done.exists() or done.read_text() != lock.read_text():
        outcome = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_S_MAX,
        )
        if outcome.returncode:
            pytest.skip(f"npm cannot install the carrier: {outcome.stderr.strip()[-300:]}")
        done.write_text(lock.read_text())


@pytest.fixture
def npm_carrier(npm_carrier_folder, tmp_path, request):
    """A carrier of its own for the test; a parameter is a list of options for it."""
    log = tmp_path / "submits.jsonl"
    log.touch()
    process = subprocess.Popen(
        ["node", "carrier.js", log, *getattr(request, "param", [])],
        cwd=npm_carrier_folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield NpmCarrier(int(process.stdout.readline()), log)
        process.terminate()
