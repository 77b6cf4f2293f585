"""Run benchmarks: all of them, or those named in ALL."""

import sys
from importlib import import_module

from benchmarks.report import show

ALL = (
    "submit",
    "road",
    "lists",
    "export",
    "callbacks",
    "mailing",
    "smpp",
    "receipts",
    "smtp",
    "ported",
)


def main() -> None:
    """Usage: python -m benchmarks [NAME …]."""
    for name in sys.argv[1:] or ALL:
        if name not in ALL:
            sys.exit(f"there is no benchmark '{name}'; there are: {', '.join(ALL)}")
        print(f"— {name}", flush=True)
        show(import_module(f"benchmarks.{name}").run())


if __name__ == "__main__":
    main()
