"""`vestnik doctor`: looks at the whole set-up and says in plain words what is wrong."""

import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from vestnik.commands.place import (
    DATA,
    Config,
    Data,
    has_store,
    is_serving,
    plainly,
    quiet,
    settings_of,
    stop,
    store_of,
)

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.services.centre.directory import Directory
    from vestnik.store.engine import Store

OCTETS_FREE_MIN = 200 << 20  # below this the store may be full before the operator is back
OCTETS_FREE_USUAL = 2 << 30
DOOR_S = 5.0
CARRIER_S = 5.0
CLOCK_MS_MIN = 1_767_225_600_000  # 2026: this program did not exist before
CLOCK_AHEAD_MS_MAX = 60_000
HEALTH, READY = "/healthz", "/readyz"

OK, NOTE, BAD = "ok", "note", "bad"


class Finding(NamedTuple):
    """One line of the doctor's report; `advice` says what to do about it."""

    verdict: str
    words: str
    advice: str = ""


def doctor(data: Data = DATA, config: Config = None) -> None:
    """Check the set-up and say what is wrong, in plain words."""
    quiet()
    settings = settings_of(data, config)
    findings = [Finding(OK, "the settings are valid"), *_machine(data, settings)]
    serving = is_serving(data)
    findings += _doors(settings, serving)
    if not has_store(data, settings):
        findings.append(
            Finding(NOTE, "there is no store yet", "the first command that needs it makes it")
        )
    elif not any(finding.verdict == BAD for finding in findings[:3]):
        findings += plainly(_store(data, settings, serving))
    for finding in findings:
        advice = f": {finding.advice}" if finding.advice else ""
        typer.echo(f"{finding.verdict:4}  {finding.words}{advice}")
    if bad := sum(finding.verdict == BAD for finding in findings):
        stop(f"{bad} of {len(findings)} checks failed")


def _machine(data: Path, settings: "Settings") -> Iterator[Finding]:
    """The folder, the disk, the clock, the certificate."""
    existing = next(folder for folder in (data, *data.resolve().parents) if folder.is_dir())
    try:
        with tempfile.TemporaryFile(dir=existing):
            yield Finding(OK, f"{existing} can be written")
    except OSError as failure:
        yield Finding(
            BAD,
            f"{existing} cannot be written ({failure.strerror})",
            f"give it to the user {os.geteuid()} or name another folder with --data",
        )
    free = shutil.disk_usage(existing).free
    words = f"{free >> 20:,} MB are free in {existing}"
    if free < OCTETS_FREE_MIN:
        yield Finding(BAD, words, "make room, or the centre will refuse messages")
    else:
        yield Finding(OK if free >= OCTETS_FREE_USUAL else NOTE, words)
    if time.time() * 1000 < CLOCK_MS_MIN:
        yield Finding(BAD, f"the clock says {time.ctime()}", "set it before you serve")
    else:
        yield Finding(OK, f"the clock says {time.ctime()}")
    if settings.http.tls_cert:
        yield _certificate(settings.http.tls_cert, settings.http.tls_key)


def _certificate(certificate: str, key: str) -> Finding:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as failure:
        return Finding(
            BAD,
            f"the certificate {certificate} cannot be used ({failure})",
            "put right [http] tls_cert and tls_key",
        )
    return Finding(OK, f"the certificate {certificate} fits its key")


def _doors(settings: "Settings", serving: bool) -> Iterator[Finding]:
    """The doors that speak HTTP answer while serving; the ports of all are free when not."""
    public, private = _http_door(settings), _private_door(settings)
    if public is None:
        yield Finding(NOTE, "the HTTP door is off")
    elif serving:
        yield _answers(public, HEALTH if private else READY)
    if private is not None and serving:
        yield _answers(private, READY)
    if not serving:
        for door in (public, private, *_other_doors(settings)):
            if door is not None:
                yield _is_free(door)


class _Door(NamedTuple):
    """One that the settings ask for; `setting` is what says where."""

    name: str
    setting: str
    at: tuple[str, int]
    is_secret: bool = False

    @property
    def place(self) -> str:
        host, port = self.at
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _http_door(settings: "Settings") -> _Door | None:
    from vestnik.config import address

    at = address(settings.http.listen)
    return at and _Door("HTTP", "[http] listen", at, bool(settings.http.tls_cert))


def _private_door(settings: "Settings") -> _Door | None:
    from vestnik.config import private_address

    at = private_address(settings)
    return at and _Door("private", "[http] private", at)


def _other_doors(settings: "Settings") -> Iterator[_Door]:
    from vestnik.config import address

    for name, setting, text in (
        ("SMTP", "[smtp] listen", settings.smtp.listen),
        ("SMPP", "[smpp] listen", settings.smpp.listen),
        ("SMPP over TLS", "[smpp] tls_listen", settings.smpp.tls_listen),
    ):
        if (at := address(text)) is not None:
            yield _Door(name, setting, at)


def _answers(door: _Door, path: str) -> Finding:
    try:
        status, words = _get(door, path)
    except OSError as failure:
        other = "--http" if door.name == "HTTP" else door.setting
        return Finding(
            BAD,
            f"serve runs and nothing answers at {door.place} ({failure})",
            f"was it started with another {other}?",
        )
    if status != HTTPStatus.OK:
        return Finding(BAD, f"the {door.name} door answers {status}", words.strip())
    state = "is ready" if path == READY else "answers"
    return Finding(OK, f"serve runs and its {door.name} door at {door.place} {state}")


def _get(which: _Door, path: str) -> tuple[int, str]:
    """Status and text of a page of the running door; raises OSError."""
    if which.is_secret:
        unchecked = ssl.create_default_context()
        unchecked.check_hostname = False  # it is asked by its address, not by its name
        unchecked.verify_mode = ssl.CERT_NONE
        door: HTTPConnection = HTTPSConnection(which.place, timeout=DOOR_S, context=unchecked)
    else:
        door = HTTPConnection(which.place, timeout=DOOR_S)
    try:
        door.request("GET", path)
        answer = door.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except HTTPException as wrong:
        raise OSError(f"it does not speak HTTP: {wrong!r}") from wrong
    finally:
        door.close()


def _is_free(door: _Door) -> Finding:
    host, port = door.at
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as failure:
        return Finding(
            BAD,
            f"the {door.name} door cannot listen at {door.place} ({failure.strerror})",
            f"end what listens there, or change {door.setting}",
        )
    return Finding(OK, f"{door.place} is free for the {door.name} door")


async def _store(data: Path, settings: "Settings", serving: bool) -> list[Finding]:
    """The store's version, and what it says of clients and carriers."""
    from vestnik.domain.refusals import StoreUnavailable
    from vestnik.services.centre import directory
    from vestnik.store.migrations.run import newest, version

    store = store_of(data, settings)
    try:
        await store.open()
    except StoreUnavailable as away:
        advice = "see that the server runs and [store] url is right"
        if store.name == "sqlite":
            advice = "go back to a copy, or name another folder with --data"
        return [Finding(BAD, str(away), advice)]
    try:
        at = await store.read(version)
        if at != newest():
            words = f"the store is of version {at or 'none'} and this program needs {newest()}"
            return [Finding(BAD, words, "run 'vestnik migrate'")]
        findings = [Finding(OK, f"the {store.name} store opens and is of version {at}")]
        findings += await _clock(store)
        found = await store.read(directory.read)
        if not found.clients:
            findings.append(Finding(NOTE, "there is no client", "run 'vestnik client add'"))
        findings += await _carriers(found, settings, serving)
    finally:
        await store.close()
    return findings


async def _clock(store: "Store") -> list[Finding]:
    """Message ids are moments: the last one cannot lie ahead of us."""
    from vestnik.domain.ids import moment
    from vestnik.store import messages

    last = await store.read(messages.last_id)
    ahead_ms = moment(last) - store.now() if last else 0
    if ahead_ms <= CLOCK_AHEAD_MS_MAX:
        return []
    words = f"the last message was accepted {ahead_ms // 1000} s from now"
    return [Finding(BAD, words, "the clock has gone back: set it right before you serve")]


async def _carriers(found: "Directory", settings: "Settings", serving: bool) -> list[Finding]:
    """Every carrier in use takes messages."""
    from vestnik.commands.carrier import reach

    if [carrier.name for carrier in found.carriers.values()] == ["virtual"]:
        return [
            Finding(
                NOTE,
                "the only carrier is virtual: messages reach nobody",
                "add one with 'vestnik carrier add' when you want them to",
            )
        ]
    up = _seen_by_serve(settings) if serving else {}
    findings = []
    for carrier in found.carriers.values():
        if not carrier.enabled:
            findings.append(Finding(NOTE, f"carrier {carrier.name} is switched off"))
            continue
        if carrier.name in up:
            ready, state = up[carrier.name], "as serve sees it"
        else:
            ready, state = await reach(carrier, CARRIER_S)
        words = f"carrier {carrier.name} {'takes messages' if ready else 'takes none'} ({state})"
        advice = "" if ready else f"see 'vestnik carrier set {carrier.name}'"
        findings.append(Finding(OK if ready else BAD, words, advice))
    return findings


def _seen_by_serve(settings: "Settings") -> dict[str, bool]:
    """What the serving process says of its carriers: a second connection might be refused."""
    import re

    door = _private_door(settings) or _http_door(settings)
    if door is None:
        return {}
    try:
        _, metrics = _get(door, "/metrics")
    except OSError:
        return {}
    found = re.findall(r'^vestnik_carrier_up\{carrier="([^"]+)"\} ([01])', metrics, re.MULTILINE)
    return {name: up == "1" for name, up in found}
