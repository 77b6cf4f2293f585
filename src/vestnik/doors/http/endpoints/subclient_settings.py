"""The settings of a subclient: their names on the wire and in the account (users.md, 3).

Those whose name in the account is one of `Limits` or of the client itself have an effect; those of
`Profile` are kept and told by `vestnik client set`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vestnik.domain import number, schedule
from vestnik.domain.money import parse_money
from vestnik.domain.profile import is_mail_address
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.endpoint import Call, Parameter

NUMBER_MAX = 10**9
TEXT_MAX = 2_000
CURRENCIES = {"1": "RUB", "2": "USD", "3": "EUR", "4": "UAH", "5": "KZT"}
ZONES = {str(12 + hours): f"Etc/GMT{-hours:+d}" for hours in range(-12, 13)} | {
    "12": "Etc/GMT",
    "15": "Europe/Moscow",
}
# An empty value changes nothing here; elsewhere it brings the default back.
_NEVER_EMPTY = frozenset({"type", "currency", "zone"})

_prefix = re.compile(r"-?[1-9]\d{0,14}", re.ASCII).fullmatch
_url = re.compile(r"https?://[^\s\x00-\x1f\x7f]{1,1990}").fullmatch


def _words(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise BadParameters(f"more than {TEXT_MAX} characters")
    return text


def _whole(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= NUMBER_MAX):
        raise BadParameters(f"not a whole number from 0 to {NUMBER_MAX}")
    return str(int(text))


def _one_of(known: Mapping[str, str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise BadParameters(f"not one of {', '.join(known)}")
        return known[text]

    return read


def _amount(text: str) -> str:
    parse_money(text)
    return text


def _mail(text: str) -> str:
    if not is_mail_address(text):
        raise BadParameters("not a mail address")
    return text


def _phone(text: str) -> str:
    msisdn = number.parse(text)
    if msisdn is None:
        raise BadParameters("not a number")
    return msisdn


def _phones(text: str) -> str:
    return ",".join(_phone(phone) for phone in number.split_phones(_words(text)))


def _prefixes(text: str) -> str:
    codes = [code.strip() for code in _words(text).split(",") if code.strip()]
    if not all(_prefix(code) for code in codes):
        raise BadParameters("not phone codes joined by commas, such as 7,-77")
    return ",".join(codes)


def _hours(text: str) -> str:
    if text == "0":
        return ""
    if schedule.window(text) is None:
        raise BadParameters("not two whole hours, such as 9-22")
    return text


def _sender(text: str) -> str:
    if not number.valid_sender(text):
        raise BadParameters("not a name that a message can show")
    return text


def _address(text: str) -> str:
    if not _url(text):
        raise BadParameters("not an address that begins with http:// or https://")
    return text


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter and the name of its value in the account; `read` raises BadParameters."""

    wire: str
    name: str
    meaning: str
    read: Callable[[str], str] = _words
    kind: str = "text"
    choices: tuple[str, ...] = ()

    def value(self, given: str) -> str | None:
        """What to keep; None: nothing changes."""
        text = given.strip()
        if not text:
            return None if self.name in _NEVER_EMPTY else ""
        try:
            return self.read(text)
        except BadParameters as wrong:
            raise BadParameters(f"{self.wire} is {wrong}") from None


_TYPES = {kind: kind for kind in "01234"}
_PLANS = {plan: plan for plan in "012345678"}

SETTINGS = (
    Setting(
        "type",
        "type",
        "0 own tariff and balance, 1 your tariff and its own balance, 2 your tariff and balance,"
        " 3 your balance and its own tariff, 4 another login of yours.",
        _one_of(_TYPES),
        "number",
        tuple(_TYPES),
    ),
    Setting("email", "email", "Main mail address.", _mail),
    Setting("email2", "incoming_email", "Mail address for incoming messages, see fl[9].", _mail),
    Setting("phone", "phone", "Main telephone.", _phone),
    Setting("phone2", "incoming_phone", "Telephone for incoming messages, see fl[8].", _phone),
    Setting("fio", "name", "Surname and names, or the company's name."),
    Setting("props", "details", "Details of the company."),
    Setting("cntr", "contract", "Number of the contract."),
    Setting("notes", "notes", "Notes of yours about it."),
    Setting("tariff", "tariff", "Tariff plan; kept only.", _one_of(_PLANS), "number"),
    Setting("mintrf", "tariff_min", "Minimal tariff; kept only."),
    Setting(
        "curr",
        "currency",
        "Currency: 1 RUB, 2 USD, 3 EUR, 4 UAH, 5 KZT; only before it has had money.",
        _one_of(CURRENCIES),
        "number",
        tuple(CURRENCIES),
    ),
    Setting("tz", "zone", "Time zone: 0 is GMT-12, 12 GMT, 15 Moscow.", _one_of(ZONES), "number"),
    Setting("sender", "sender", "Default sender name.", _sender),
    Setting("sender2", "reserve_sender", "Reserve sender name; kept only.", _sender),
    Setting("nb", "notice_balance", "Balance at which a notice is wanted; kept only.", _amount),
    Setting("ktm", "keep_days", "Days that messages are kept.", _whole, "number"),
    Setting("url", "callback_url", "Address told of statuses and incoming messages.", _address),
    Setting("ph", "command_recipients", "Recipients of mailings by SMS command; kept only."),
    Setting("fmts", "prefixes", "Phone codes it may send to; a leading - forbids.", _prefixes),
    Setting("dlim", "day_limit", "Messages a day in all.", _whole, "number"),
    Setting("plim", "number_limit", "Messages a day to one number.", _whole, "number"),
    Setting("tlim", "text_limit", "Messages a day with one text to a number.", _whole, "number"),
    Setting("ilim", "address_limit", "Messages a day from one IP address.", _whole, "number"),
    Setting("tmlim", "hours", "Hours in which it may send, such as 9-22.", _hours),
    Setting("vld", "valid_max", "Longest delivery time in minutes.", _whole, "number"),
    Setting("mph", "mail_phone", "Telephones that get letters to its login.", _phones),
    Setting("mh1", "mail_from_hour", "Hour from which letters are sent on; kept only.", _whole),
    Setting("mh2", "mail_to_hour", "Hour to which letters are sent on; kept only.", _whole),
    Setting("mlen", "mail_length", "Length to which a letter is cut; kept only.", _whole),
    Setting("answ", "auto_answer", "Text that answers incoming messages."),
    Setting("answ_call", "answer_calls", "Answer to incoming calls; kept only."),
    Setting("site_id", "site", "Id of your site that it belongs to; kept only."),
)
MAIL_OFF = 0  # mfl[0]
FLAGS: Mapping[str, Mapping[int, str]] = {
    "fl": {
        1: "smpp_incoming",
        2: "smpp",
        5: "repeat_undelivered",
        6: "no_mailings",
        8: "incoming_to_phone",
        9: "incoming_to_email",
        10: "callback_statuses",
        11: "callback_incoming",
        16: "detect_machines",
        23: "part_statuses",
        26: "parent_contacts",
        27: "fixed_settings",
        28: "no_payments",
        29: "parent_senders",
        30: "api_log",
    },
    "fl2": {
        1: "hide_messages",
        4: "no_call_forwarding",
        8: "extended_console",
        9: "dear_routes",
        10: "locked",
        12: "no_replaced_sender",
        13: "no_name_in_text",
        15: "hours_refuse",
        16: "hours_recipient",
        23: "no_mass",
        24: "cheap_first",
        27: "test",
    },
    "fl3": {20: "any_address_login"},
    "mfl": {
        1: "mail_no_subject",
        2: "mail_no_text",
        3: "mail_no_sender",
        4: "mail_translit",
        5: "mail_phones_in_text",
        6: "mail_phones_in_address",
    },
}
CHANGING = ("add", "chg")
PARAMETERS = (
    *(Parameter(s.wire, s.meaning, s.kind, choices=s.choices, only=CHANGING) for s in SETTINGS),
    Parameter("fl[]", "Flags, such as fl[29]=1: see the page of users.php.", only=CHANGING),
    Parameter("fl2[]", "Further flags, such as fl2[10]=1: locked.", only=CHANGING),
    Parameter("fl3[]", "Further flags.", only=CHANGING),
    Parameter("mfl[]", "Flags of letters that become messages.", only=CHANGING),
)


def changes(call: Call, login: str) -> dict[str, str]:
    """What a request sets, by the names of the account; raises BadParameters.

    `login` is the subclient's, at which letters become messages for the numbers of `mph`.
    """
    found: dict[str, str] = {}
    for setting in SETTINGS:
        given = call.given(setting.wire)
        value = None if given is None else setting.value(given)
        if value is not None:
            found[setting.name] = value
    for group, names in FLAGS.items():
        for place, given in call.numbered(group).items():
            flag = _flag(f"{group}[{place}]", given)
            if (group, place) == ("mfl", MAIL_OFF):
                found["mail_name"] = "" if flag == "1" else login
            elif place in names:
                found[names[place]] = flag
    if found.get("mail_phone"):
        found.setdefault("mail_name", login)
    return found


def _flag(name: str, given: str) -> str:
    text = given.strip() or "0"
    if text not in ("0", "1"):
        raise BadParameters(f"{name} is 0 or 1")
    return text
