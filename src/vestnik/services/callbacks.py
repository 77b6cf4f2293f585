"""News → the form that a client's address is posted (callbacks.md)."""

from dataclasses import dataclass
from hashlib import md5, sha1
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit
from zlib import crc32
from zoneinfo import ZoneInfo

from vestnik.domain.client import Client
from vestnik.domain.money import money
from vestnik.domain.schedule import format_date
from vestnik.services.news import INCOMING, WAITCALL, News

CHARSETS = {
    "windows-1251": "cp1251",
    "cp1251": "cp1251",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "koi8-r": "koi8-r",
    "koi8r": "koi8-r",
}
DEFAULT_CHARSET = "windows-1251"
SIGNATURES = ("md5", "sha1", "crc", "crc32")
OPTIONS = ("charset", *SIGNATURES)


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how a client is called: its options are taken out of the query."""

    url: str
    charset: str
    secrets: dict[str, str]


def address_of(configured: str) -> Address:
    """Read the options out of a configured address; other arguments stay as they are."""
    parts = urlsplit(configured)
    arguments = parse_qsl(parts.query, keep_blank_values=True)
    options = {name: value for name, value in arguments if name in OPTIONS}
    kept = urlencode([(name, value) for name, value in arguments if name not in OPTIONS])
    charset = options.pop("charset", DEFAULT_CHARSET).lower()
    return Address(
        urlunsplit(parts._replace(query=kept)),
        charset if charset in CHARSETS else DEFAULT_CHARSET,
        options,
    )


def form_of(news: News, client: Client, address: Address) -> bytes:
    """The fields of one call, urlencoded in the address's charset, signed where it asks for it."""
    codec = CHARSETS[address.charset]
    zone = ZoneInfo(client.zone)
    if news.kind == INCOMING:
        fields, signed = _incoming(news, zone)
    elif news.kind == WAITCALL:
        fields, signed = _call(news)
    else:
        fields, signed = _status(news, zone)
    for option, secret in address.secrets.items():
        name = "crc32" if option == "crc" else option
        fields[name] = _signature(name, f"{signed}:{secret}".encode(codec, "replace"))
    return "&".join(
        f"{name}={quote_plus(value.encode(codec, 'replace'))}" for name, value in fields.items()
    ).encode("ascii")


def _status(news: News, zone: ZoneInfo) -> tuple[dict[str, str], str]:
    said = news.payload
    fields = {
        "id": said["wire_id"],
        "phone": said["phone"],
        "status": str(said["status"]),
        "time": format_date(said["at"], zone),
        "ts": str(said["at"] // 1000),
        "err": str(said["err"]),
        "type": str(said["type"]),
        "flag": str(said["flag"]),
        "cost": money(said["cost"]),
        "cnt": str(said["parts"]),
        "sender": said["sender"],
        "mccmnc": said["mccmnc"],
    }
    fields.update(said.get("hlr") or {})
    return fields, f"{said['wire_id']}:{said['phone']}:{said['status']}"


def _incoming(news: News, zone: ZoneInfo) -> tuple[dict[str, str], str]:
    said = news.payload
    fields = {
        "id": str(said["id"]),
        "phone": said["phone"],
        "mes": said["text"],
        "to": said["to"],
        "time": format_date(said["received_at"], zone),
        "ts": str(said["received_at"] // 1000),
    }
    return fields, f"{said['phone']}:{said['text']}:{said['to']}"


def _call(news: News) -> tuple[dict[str, str], str]:
    """A subscriber has called to confirm its number."""
    phone, at = news.payload["phone"], str(news.payload["received_at"] // 1000)
    return {"phone": phone, "ts": at, "waitcall": "1"}, f"{phone}:{at}"


def _signature(name: str, octets: bytes) -> str:
    """The reference service's signatures; they are as strong as it made them."""
    if name == "md5":
        return md5(octets, usedforsecurity=False).hexdigest()
    if name == "sha1":
        return sha1(octets, usedforsecurity=False).hexdigest()
    return str(crc32(octets))
