"""What a look-up finds out about a number, and the line that says it (smpp.md, "HLR and ping")."""

import re
from collections.abc import Mapping
from urllib.parse import quote_plus, unquote_plus

# IMSI and serving centre; then country and network by numbers, by name, and of roaming.
NAMES = ("imsi", "msc", "mcc", "mnc", "cn", "net", "rcn", "rnet")

_said = re.compile(rf"(?:^|\s)({'|'.join(NAMES)}):(\S*)")


def written(found: Mapping[str, str]) -> str:
    """`imsi:… msc:… …`: every name, its value URL-encoded so that a space always separates."""
    return " ".join(f"{name}:{quote_plus(found.get(name, ''))}" for name in NAMES)


def read(line: str) -> dict[str, str]:
    """What such a line says, wherever in a text it stands; empty for a text that says nothing."""
    if "imsi:" not in line:
        return {}
    return {name: unquote_plus(value) for name, value in _said.findall(line)}
