"""Draws docs/demo.svg: what `vestnik demo --once` says in a terminal, from a run of it.

Usage: .venv/bin/python scripts/draw-demo.py [FILE]
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS = 108
PICTURE = Path(__file__).parent.parent / "docs" / "demo.svg"
# The page that shows the picture must fetch nothing: the reader's own monospace font is used.
FORMAT = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
FORMAT = re.sub(r"\s*<!--.*?-->", "", FORMAT).replace("Fira Code, monospace", "monospace")


def told() -> str:
    """The words of the demo, with the colours of a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "vestnik", "demo", "--once", "--http", "127.0.0.1:0"],
        capture_output=True,
        check=True,
        env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
    )
    return done.stdout.decode().rstrip()


def drawn(words: str) -> str:
    """The picture; lines that are too long end with an ellipsis."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False
    )
    for line in words.splitlines():
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis")
    return console.export_svg(title="vestnik demo", code_format=FORMAT, unique_id="demo")


def main() -> None:
    """Run the demo and write the picture."""
    target = Path(sys.argv[1]) if sys.argv[1:] else PICTURE
    target.write_text(drawn(told()), "utf-8")


if __name__ == "__main__":
    main()
