"""What `client set` and users.php change of an account itself, and how each value is read."""

import re
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadParameters

TYPES = range(5)  # users.md 3.1

_login = re.compile(r"[a-z0-9_.-]{3,50}").fullmatch  # users.md, "Rules"
_currency = re.compile(r"[A-Z]{3}").fullmatch

# What `client set` changes besides limits and profile, with its help.
FIELDS: dict[str, str] = {
    "login": "its login",
    "sender": "default sender name; empty: the centre's",
    "zone": "time zone of the account, such as Europe/Moscow",
    "addresses": "networks it may call from, joined by commas; empty: any",
    "type": "who pays, at whose tariff: 0 to 4 as in users.php; only of a subclient",
    "credit": "how far below zero the balance may go, in whole units of money",
    "currency": "currency of its money; changes only as long as it never had any",
    "admin": "1: an operator of the centre",
}


def login(asked: str) -> str:
    """A login as it is stored; raises BadParameters."""
    text = asked.strip().lower()
    if not _login(text):
        raise BadParameters(
            f"'{asked}' cannot be a login: it has 3 to 50 Latin letters, digits, '_', '-', '.'"
        )
    return text


def currency(asked: str) -> str:
    """The code of a currency; raises BadParameters."""
    code = asked.strip().upper()
    if not _currency(code):
        raise BadParameters(f"'{asked}' is not a currency, such as RUB")
    return code


def value(client: Client, name: str, text: str) -> Any:
    """A field's text in its type; raises BadParameters."""
    if name == "sender":
        return text
    if name == "zone":
        return zone(text or "Europe/Moscow")
    if name == "addresses":
        return tuple(_network(part.strip()) for part in text.split(",") if part.strip())
    if name == "admin":
        if text not in ("0", "1"):
            raise BadParameters(f"admin is 0 or 1, not '{text}'")
        return text == "1"
    if not text.isdecimal() or int(text) not in TYPES:
        raise BadParameters(f"type is 0 to 4, not '{text}'")
    if int(text) and client.parent_id is None:
        raise BadParameters(f"'{client.login}' is not a subclient: its type is 0")
    return int(text)


def zone(name: str) -> str:
    """The name of a time zone; raises BadParameters."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, an unlikely path, a folder of zones
        raise BadParameters(f"there is no time zone '{name}'; one is Europe/Moscow") from None
    return name


def _network(text: str) -> Any:
    try:
        return ip_network(text)
    except ValueError:
        raise BadParameters(
            f"'{text}' is not an address or network, such as 192.0.2.7 or 192.0.2.0/24"
        ) from None
