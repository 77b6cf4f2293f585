"""What may be set for an SMPP carrier: each quirk is a setting, never a subclass."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from vestnik.wire.smpp.receipt import IdForm

Octet = Annotated[int, Meta(ge=0, le=255)]
Seconds = Annotated[float, Meta(ge=0)]


class Verdict(NamedTuple):
    """What a refusal means: status and err (status.md) if it ends there, and whether to retry."""

    status: int
    err: int
    retry: bool = False


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One carrier reached by SMPP."""

    host: Annotated[str, Meta(description="Name or address of the carrier.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="Its port.")] = 2775
    system_id: Annotated[str, Meta(max_length=64, description="Login the carrier gave.")] = ""
    password: Annotated[str, Meta(max_length=64, description="Password the carrier gave.")] = ""
    system_type: Annotated[
        str, Meta(max_length=12, description="System type, if the carrier wants one.")
    ] = ""
    interface_version: Annotated[Octet, Meta(description="SMPP version: 52 is 3.4.")] = 0x34
    address_range: Annotated[
        str, Meta(max_length=40, description="Address range sent at the bind.")
    ] = ""
    bind: Annotated[
        Literal["transceiver", "transmitter_receiver"],
        Meta(description="One bind for both ways, or a pair of binds."),
    ] = "transceiver"
    binds: Annotated[int, Meta(ge=1, le=64, description="How many binds, or pairs of them.")] = 1
    window: Annotated[
        int, Meta(ge=1, le=10000, description="Unanswered submits at a time, over all binds.")
    ] = 100
    rate: Annotated[
        float, Meta(ge=0, description="Short messages a second, over all binds; 0: any.")
    ] = 0.0

    tls: Annotated[bool, Meta(description="Speak TLS.")] = False
    tls_verify: Annotated[bool, Meta(description="Check the carrier's certificate.")] = True
    tls_ca: Annotated[str, Meta(description="File of the authority to trust instead.")] = ""

    enquire_link_s: Annotated[
        Seconds, Meta(description="Silence before asking whether the carrier is there; 0: never.")
    ] = 30.0
    response_timeout_s: Annotated[
        float, Meta(gt=0, description="How long an answer may take; then the fate is unknown.")
    ] = 30.0
    connect_timeout_s: Annotated[
        float, Meta(gt=0, description="How long connecting and binding may take.")
    ] = 10.0
    reconnect_min_s: Annotated[
        float, Meta(gt=0, description="Pause before the first reconnection.")
    ] = 1.0
    reconnect_max_s: Annotated[
        float, Meta(gt=0, description="Longest pause; it doubles at each failure.")
    ] = 60.0
    throttle_pause_s: Annotated[
        Seconds, Meta(description="Pause after the carrier said that it is too fast.")
    ] = 1.0

    alpha_ton: Annotated[Octet, Meta(description="TON of an alphanumeric sender.")] = 5
    alpha_npi: Annotated[Octet, Meta(description="NPI of an alphanumeric sender.")] = 0
    number_ton: Annotated[Octet, Meta(description="TON of a sender that is a number.")] = 1
    number_npi: Annotated[Octet, Meta(description="NPI of a sender that is a number.")] = 1
    short_ton: Annotated[Octet, Meta(description="TON of a sender that is a short code.")] = 3
    short_npi: Annotated[Octet, Meta(description="NPI of a sender that is a short code.")] = 0
    short_digits_max: Annotated[
        int, Meta(ge=0, description="A sender of at most so many digits is a short code.")
    ] = 6
    dest_ton: Annotated[Octet, Meta(description="TON of the recipient.")] = 1
    dest_npi: Annotated[Octet, Meta(description="NPI of the recipient.")] = 1
    plus_sign: Annotated[bool, Meta(description="Write + before the recipient's number.")] = False

    service_type: Annotated[
        str, Meta(max_length=5, description="Service type of each message.")
    ] = ""
    protocol_id: Annotated[Octet, Meta(description="Protocol id of ordinary messages.")] = 0
    registered_delivery: Annotated[Octet, Meta(description="What asks for a receipt.")] = 1
    validity: Annotated[
        Literal["relative", "absolute", "none"],
        Meta(description="How validity_period is written, or that it is left out."),
    ] = "relative"
    priority_normal: Annotated[Octet, Meta(description="priority_flag of most messages.")] = 0
    priority_urgent: Annotated[Octet, Meta(description="priority_flag of urgent ones.")] = 3

    default_alphabet: Annotated[
        Literal["gsm7", "latin1", "ascii"],
        Meta(description="What data_coding 0 means with this carrier, both ways."),
    ] = "gsm7"
    coding_default: Annotated[Octet, Meta(description="data_coding of that alphabet.")] = 0
    coding_latin1: Annotated[Octet, Meta(description="data_coding of Latin-1.")] = 3
    coding_ucs2: Annotated[Octet, Meta(description="data_coding of UCS-2.")] = 8
    coding_binary: Annotated[Octet, Meta(description="data_coding of data.")] = 4
    long_messages: Annotated[
        Literal["udh", "sar", "payload"],
        Meta(description="Parts joined by header or by sar_* TLVs, or whole in message_payload."),
    ] = "udh"
    flash: Annotated[
        Literal["class", "tlv"],
        Meta(description="Flash by class 0 in data_coding, or by dest_addr_subunit."),
    ] = "class"
    ping_protocol_id: Annotated[Octet, Meta(description="Protocol id of a silent message.")] = 0x40
    ping_text: Annotated[str, Meta(description="What a silent message holds.")] = " "

    receipts: Annotated[
        Literal["yes", "none"],
        Meta(description="none: the carrier reports nothing, a message it took is delivered."),
    ] = "yes"
    receipt_from: Annotated[
        Literal["text", "tlv"], Meta(description="Which form of a receipt is believed first.")
    ] = "text"
    response_ids: Annotated[
        IdForm, Meta(description="How message ids are written in answers to submits.")
    ] = "as_is"
    receipt_ids: Annotated[IdForm, Meta(description="How they are written in receipts.")] = "as_is"
    receipt_zone: Annotated[
        str, Meta(description="Time zone of the dates in receipts; empty: do not use them.")
    ] = ""
    receipt_errors: Annotated[
        dict[str, int], Meta(description="err of a receipt, as it is written: our err.")
    ] = {}
    receipt_errors_ours: Annotated[
        bool, Meta(description="The carrier's err numbers are those of this interface.")
    ] = False
    stats: Annotated[
        dict[str, tuple[int, int]],
        Meta(description="stat of a receipt: our status and err, over the usual table."),
    ] = {}
    errors: Annotated[
        dict[str, Verdict],
        Meta(description="command_status: status, err, retry, over the usual table."),
    ] = {}

    def __repr__(self) -> str:
        return f"SmppSettings({self.system_id}@{self.host}:{self.port})"


def _help() -> dict[str, str]:
    hints = get_type_hints(SmppSettings, include_extras=True)
    texts = {}
    for name in SmppSettings.__struct_fields__:
        metas = [meta for meta in hints[name].__metadata__ if isinstance(meta, Meta)]
        texts[name] = next(meta.description for meta in metas if meta.description)
    return texts


# Every setting with its line of help, in order.
HELP: dict[str, str] = _help()


def settings_from(values: Mapping[str, Any]) -> SmppSettings:
    """Settings from what an operator wrote; numbers and flags may be text, tables may be JSON.

    Raises ValueError, which names the nearest setting for an unknown one.
    """
    for name in values:
        if name not in HELP:
            near = difflib.get_close_matches(name, HELP, n=1, cutoff=0.0)
            raise ValueError(f"unknown setting {name!r}; did you mean {near[0]!r}?")
    read = {name: _read(name, value) for name, value in values.items()}
    try:
        return msgspec.convert(read, SmppSettings, strict=False)
    except msgspec.ValidationError as reason:
        raise ValueError(f"SMPP settings: {reason}") from None


def _read(name: str, value: Any) -> Any:
    if name == "receipt_zone" and value:
        _check_zone(value)
    if name not in ("errors", "stats", "receipt_errors"):
        return value
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError as reason:
            raise ValueError(f"{name}: {reason}") from None
    if name == "errors" and isinstance(value, Mapping):
        for key in value:
            status_number(key)
    return value


def _check_zone(name: Any) -> None:
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"receipt_zone: there is no time zone {name!r}") from None


def status_number(key: str) -> int:
    """A command_status as written in settings: 0x58 or 88.  Raises ValueError."""
    try:
        return int(key, 0)
    except ValueError:
        raise ValueError(f"errors: {key!r} is not a command_status") from None
