"""Every setting: type, default, one line of help.

They come from `vestnik.toml` in the data folder; `VESTNIK_<SECTION>__<NAME>` in the environment
overrides.  Only `main` and the command line read settings; everyone else receives values.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from vestnik.domain.money import parse_money
from vestnik.domain.refusals import BadParameters

FILE_NAME = "vestnik.toml"
ENVIRONMENT = "VESTNIK_"
PORT_MAX = 65_535

# Entries made by commands beside a running node must not draw that node's ids.
COMMAND_NODE = 31

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


class SettingsWrong(Exception):
    """A setting is unknown or has a wrong value: the words name it and say what is right."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    url: Annotated[
        str,
        Meta(description="postgresql://… for a shared store; empty: a SQLite file in the folder"),
    ] = ""


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    listen: Annotated[
        str, Meta(description="host:port of the HTTP door; port 0 picks a free one; off: none")
    ] = "127.0.0.1:8080"
    tls_cert: Annotated[
        str, Meta(description="PEM file with the certificate chain; empty: plain HTTP")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the private key of tls_cert")] = ""
    proxies: Annotated[
        str,
        Meta(
            description="addresses of reverse proxies, comma-separated, whose X-Forwarded-For is"
            " believed; empty: nobody's"
        ),
    ] = ""
    body_max: Annotated[
        int, Meta(ge=1_000, description="octets of a request's body; more is error 1")
    ] = 10_000_000
    docs: Annotated[
        bool,
        Meta(description="whether the HTTP door has the API's manual, /docs and /openapi.json"),
    ] = True
    private: Annotated[
        str, Meta(description="host:port of a door for /readyz and /metrics; empty: the HTTP door")
    ] = ""


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    listen: Annotated[
        str, Meta(description="host:port of the SMTP door; port 0 picks a free one; off: none")
    ] = "127.0.0.1:2525"
    domains: Annotated[
        str, Meta(description="domains behind send@, comma-separated; empty: any")
    ] = ""
    name: Annotated[str, Meta(description="how the door calls itself")] = "localhost"
    relay: Annotated[
        str,
        Meta(description="host:port that takes letters about refusals; off: none are written"),
    ] = "off"
    tls_cert: Annotated[
        str, Meta(description="PEM file with the certificate chain; empty: no STARTTLS")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the private key of tls_cert")] = ""


class SmppSettings(msgspec.Struct, frozen=True, kw_only=True):
    listen: Annotated[
        str, Meta(description="host:port of the SMPP door; port 0 picks a free one; off: none")
    ] = "127.0.0.1:2775"
    tls_listen: Annotated[
        str, Meta(description="host:port of the SMPP door over TLS; it needs a certificate")
    ] = "off"
    tls_cert: Annotated[str, Meta(description="PEM file with the certificate chain")] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the private key of tls_cert")] = ""
    system_id: Annotated[str, Meta(description="how the door calls itself at a bind")] = "vestnik"


class CentreSettings(msgspec.Struct, frozen=True, kw_only=True):
    node: Annotated[
        int,
        Meta(
            ge=0,
            le=COMMAND_NODE - 1,
            description="number of this node, different on each node that shares a store",
        ),
    ] = 0
    currency: Annotated[str, Meta(description="currency of new accounts")] = "RUB"
    zone: Annotated[
        str, Meta(description="time zone of the centre: where its day begins; also of new accounts")
    ] = "Europe/Moscow"
    sender: Annotated[
        str, Meta(description="sender name of accounts that have none of their own")
    ] = "Vestnik"
    language: Annotated[
        Literal["ru", "en"], Meta(description="language of the names of statuses: ru or en")
    ] = "ru"


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    wrong_requests: Annotated[
        int,
        Meta(ge=0, description="requests with errors 1 or 2 that get an address blocked; 0: never"),
    ] = 10
    wrong_window_s: Annotated[
        int, Meta(ge=1, description="seconds within which wrong requests are counted")
    ] = 600
    block_s: Annotated[int, Meta(ge=1, description="seconds an address stays blocked")] = 600
    verdict_s: Annotated[
        int, Meta(ge=0, description="seconds a verified password is remembered, right or wrong")
    ] = 600
    memory: Annotated[
        int, Meta(ge=1_000, description="entries that each counter of requests remembers")
    ] = 100_000


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True):
    period_s: Annotated[
        float, Meta(gt=0, description="seconds between two looks for deferred exports that are due")
    ] = 60.0
    keep_days: Annotated[
        int, Meta(ge=1, description="days that the file of a finished export is kept")
    ] = 30
    lease_s: Annotated[
        int, Meta(ge=10, description="seconds after which a silent export is started again")
    ] = 900


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    lease_s: Annotated[
        int, Meta(ge=10, description="seconds a node may keep a message that it is sending")
    ] = 120


class CallbackSettings(msgspec.Struct, frozen=True, kw_only=True):
    private: Annotated[
        bool,
        Meta(description="whether clients' addresses may lie in private networks, loopback too"),
    ] = False


class SenderSettings(msgspec.Struct, frozen=True, kw_only=True):
    registration: Annotated[
        bool,
        Meta(description="whether sender names must be registered and approved before they show"),
    ] = False
    fee: Annotated[
        str,
        Meta(
            description="a month of a paid name at one operator, in whole units of the account's"
            " money; 0: nothing"
        ),
    ] = "0"


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    base: Annotated[
        str,
        Meta(
            description="public address of short links, before their codes, such as"
            " https://s.example/l/; empty: links stay as they are"
        ),
    ] = ""
    keep_days: Annotated[
        int, Meta(ge=0, description="days that short links lead somewhere; 0: for ever")
    ] = 730


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="what is logged: debug, info, warning or error"),
    ] = "info"
    format: Annotated[
        Literal["console", "json"], Meta(description="console for people, json for machines")
    ] = "console"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one process, section by section."""

    store: StoreSettings = StoreSettings()
    http: HttpSettings = HttpSettings()
    smtp: SmtpSettings = SmtpSettings()
    smpp: SmppSettings = SmppSettings()
    centre: CentreSettings = CentreSettings()
    access: AccessSettings = AccessSettings()
    dispatch: DispatchSettings = DispatchSettings()
    tasks: TaskSettings = TaskSettings()
    callbacks: CallbackSettings = CallbackSettings()
    senders: SenderSettings = SenderSettings()
    links: LinkSettings = LinkSettings()
    log: LogSettings = LogSettings()


class Setting(msgspec.Struct, frozen=True):
    """One setting, for documentation; `type` is in words."""

    section: str
    name: str
    type: str
    default: str | int | float | bool
    help: str


def load(data: Path, config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a data folder; raises SettingsWrong."""
    path = config or data / FILE_NAME
    given: dict[str, dict[str, Any]] = {}
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if config is not None:
            raise SettingsWrong(f"there is no settings file {config}") from None
        text = ""
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsWrong(f"{path} cannot be read: {failure}") from failure
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsWrong(f"{path} is not valid TOML: {wrong}") from wrong
    for section, values in parsed.items():
        given[section] = _section(path, section, values)
    for section, name, value in _from_environment(environ):
        given.setdefault(section, {})[name] = value
    return _checked(msgspec.convert(given, Settings))


def describe() -> Iterator[Setting]:
    """Every setting, in the order of the sections."""
    for section, kind in _sections().items():
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            base, meta = _hint(hints[field.name])
            yield Setting(
                section, field.name, _words(base, meta), field.default, meta.description or ""
            )


def address(text: str, name: str = "the address") -> tuple[str, int] | None:
    """Host and port of `host:port`; None for `off`.  Raises SettingsWrong."""
    if text == "off":
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        raise SettingsWrong(f"{name} is host:port, such as 127.0.0.1:8080, or off, not '{text}'")
    return host.removeprefix("[").removesuffix("]"), int(port)


def private_address(settings: Settings) -> tuple[str, int] | None:
    """Where the operator's pages stand if not at the HTTP door.  Raises SettingsWrong."""
    return address(settings.http.private or "off", "[http] private")


def _sections() -> dict[str, type[msgspec.Struct]]:
    return get_type_hints(Settings)


def _hint(annotated: Any) -> tuple[Any, Meta]:
    base, meta = get_args(annotated)
    assert isinstance(meta, Meta) and meta.description, annotated
    return base, meta


def _section(path: Path, section: str, values: Any) -> dict[str, Any]:
    """One section of the file, every value checked."""
    sections = _sections()
    if section not in sections:
        known = _nearest(section, [f"[{name}]" for name in sections])
        raise SettingsWrong(f"{path}: there is no section [{section}]{known}")
    if not isinstance(values, dict):
        raise SettingsWrong(f"{path}: {section} is a section: write [{section}] above its settings")
    return {name: _value(str(path), section, name, value) for name, value in values.items()}


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    for variable, text in environ.items():
        section, separator, name = variable.removeprefix(ENVIRONMENT).lower().partition("__")
        if not variable.startswith(ENVIRONMENT) or not separator:
            continue
        if section not in _sections():
            every = [f"{ENVIRONMENT}{s.section}__{s.name}".upper() for s in describe()]
            raise SettingsWrong(
                f"the environment: there is no setting {variable}{_nearest(variable, every)}"
            )
        yield section, name, _value(f"the environment ({variable})", section, name, text)


def _value(where: str, section: str, name: str, value: Any) -> Any:
    """A value in its setting's type; from the environment it comes as text."""
    hints = get_type_hints(_sections()[section], include_extras=True)
    if name not in hints:
        near = _elsewhere(name) or _nearest(name, list(hints)) or _nearest_elsewhere(name)
        raise SettingsWrong(f"{where}: there is no setting '{name}' in [{section}]{near}")
    base, meta = _hint(hints[name])
    if where.startswith("the environment"):
        value = _read(base, value)
    if base is float and type(value) is int:
        value = float(value)
    try:
        return msgspec.convert(value, hints[name])
    except msgspec.ValidationError:
        raise SettingsWrong(
            f"{where}: [{section}] {name} takes {_words(base, meta)}, not {value!r}"
        ) from None


def _read(base: Any, text: str) -> Any:
    """Text from the environment as the setting's type; as it is when it does not fit."""
    try:
        if base in (int, float):
            return base(text)
    except ValueError:
        return text
    if base is bool and text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    return text


def _words(base: Any, meta: Meta) -> str:
    if get_origin(base) is Literal:
        return " or ".join(f"'{choice}'" for choice in get_args(base))
    bounds = ""
    if meta.ge is not None and meta.le is not None:
        bounds = f" from {meta.ge} to {meta.le}"
    elif meta.ge is not None:
        bounds = f" from {meta.ge}"
    elif meta.gt is not None:
        bounds = f" above {meta.gt}"
    named = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return named[base] + bounds


def _nearest(name: str, known: list[str]) -> str:
    """The question which name was meant, or nothing."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _elsewhere(name: str) -> str:
    sections = ", ".join(f"[{s.section}] {s.name}" for s in describe() if s.name == name)
    return f"; did you mean {sections}?" if sections else ""


def _nearest_elsewhere(name: str) -> str:
    near = difflib.get_close_matches(name, [s.name for s in describe()], n=1, cutoff=0.5)
    return _elsewhere(near[0]) if near else ""


def _checked(settings: Settings) -> Settings:
    """Rules that no type expresses."""
    for section in ("http", "smtp", "smpp"):
        address(getattr(settings, section).listen, f"[{section}] listen")
    address(settings.smpp.tls_listen, "[smpp] tls_listen")
    address(settings.smtp.relay, "[smtp] relay")
    private_address(settings)
    try:
        fee = parse_money(settings.senders.fee)
    except BadParameters as wrong:
        raise SettingsWrong(f"[senders] fee: {wrong}") from None
    if fee < 0:
        raise SettingsWrong("[senders] fee cannot be less than nothing")
    if bool(settings.http.tls_cert) != bool(settings.http.tls_key):
        raise SettingsWrong("[http] tls_cert and tls_key are given together or not at all")
    base = settings.links.base
    if base and not (base.startswith(("http://", "https://")) and base.endswith("/")):
        raise SettingsWrong(
            f"[links] base is an address that ends in a slash, such as https://s.example/l/, not"
            f" '{base}'"
        )
    try:
        ZoneInfo(settings.centre.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsWrong(
            f"[centre] zone: there is no time zone '{settings.centre.zone}'; one is Europe/Moscow"
        ) from None
    return settings
