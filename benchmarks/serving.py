"""A centre to measure: `vestnik serve` in a process of its own, on a folder that is thrown away."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOGIN, PASSWORD = "bench", "bench-password"
LIFTED = (
    "simultaneous=0",
    "identical_s=0",
    "flood_count=0",
    "rows_per_request=0",
    "balance_per_minute=0",
    "status_simultaneous=0",
    "status_per_minute=0",
    "smpp_rate=0",
    "smpp_window=0",
)
READY_S = 30.0
QUIET = {
    "VESTNIK_LOG__LEVEL": "warning",
    "VESTNIK_SMTP__LISTEN": "127.0.0.1:0",
    "VESTNIK_SMPP__LISTEN": "127.0.0.1:0",
}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Served:
    """A running centre."""

    data: Path
    process: subprocess.Popen[str]
    http: int
    smtp: int
    smpp: int

    def vestnik(self, *words: str) -> str:
        """Run a command beside it."""
        return _vestnik(self.data, *words)

    @property
    def store(self) -> Path:
        """The file of its store."""
        return self.data / "vestnik.db"

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time so far, of the server alone."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def rss_max_mb(self) -> float:
        """The most memory it has ever had resident."""
        return self._memory_mb("VmHWM:")

    @property
    def rss_mb(self) -> float:
        """The memory it has resident now."""
        return self._memory_mb("VmRSS:")

    def _memory_mb(self, name: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(name)[2].split()[0]) / 1024


def _vestnik(data: Path, *words: str) -> str:
    command = [sys.executable, "-m", "vestnik", *words, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"vestnik {' '.join(words)}: {done.stderr or done.stdout}")
    return done.stdout


@contextmanager
def served(**settings: str) -> Iterator[Served]:
    """A fresh centre with one rich client whose protective limits are lifted."""
    data = Path(tempfile.mkdtemp(prefix="vestnik-bench-"))
    try:
        _vestnik(data, "client", "add", LOGIN, "--password", PASSWORD, "--balance", "100000000")
        _vestnik(data, "client", "set", LOGIN, *LIFTED)
        with _process(data, settings) as served_centre:
            yield served_centre
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _process(data: Path, settings: dict[str, str]) -> Iterator[Served]:
    environment = os.environ | QUIET | settings
    process = subprocess.Popen(
        [sys.executable, "-m", "vestnik", "serve", "--http", "127.0.0.1:0", "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("vestnik ready"):
            raise RuntimeError(f"the centre did not start: {line!r}")
        doors = dict(word.split("=127.0.0.1:") for word in line.split()[2:])
        yield Served(data, process, *(int(doors[name]) for name in ("http", "smtp", "smpp")))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=READY_S)


def run_json(*words: str) -> str:
    """Run a Python module in a process of its own and return its last line."""
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
    return done.stdout.strip().splitlines()[-1]
