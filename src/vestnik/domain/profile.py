"""What an account tells of itself, and settings of users.md that are kept without an effect here.

Nothing of this is needed to take a message, so it is not in the directory: it is read when asked.
"""

import re
from dataclasses import dataclass, fields
from typing import get_type_hints

from vestnik.domain import number
from vestnik.domain.refusals import BadParameters

WORDS_MAX = 2_000  # characters of one value

is_mail_address = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,190}").fullmatch


@dataclass(frozen=True, slots=True)
class Profile:
    """The comment behind each is its help text; `vestnik client set LOGIN NAME=VALUE`."""

    # Who it is.
    email: str = ""  # main mail address
    phone: str = ""  # main telephone
    name: str = ""  # surname and names, or the company's name
    details: str = ""  # details of the company, as invoices show them
    contract: str = ""  # number of its contract
    notes: str = ""  # what its main account wants to remember of it
    # Kept, without effect here.
    site: str = ""  # id of the reseller's site that it belongs to; kept only
    tariff: int = 0  # tariff plan 0 to 8; kept only: rates are its own or its main account's
    tariff_min: str = ""  # minimal tariff; kept only
    reserve_sender: str = ""  # reserve sender name; kept only
    notice_balance: str = ""  # balance at which a notice is wanted; kept only
    command_recipients: str = ""  # telephones or groups for mailings by SMS command; kept only
    answer_calls: str = ""  # automatic answer to incoming calls; kept only
    mail_from_hour: str = ""  # hour from which letters are forwarded; kept only
    mail_to_hour: str = ""  # hour to which letters are forwarded; kept only
    mail_length: str = ""  # length to which a forwarded letter is cut; kept only
    mail_no_subject: int = 0  # 1: letters are forwarded without their subject; kept only
    mail_no_text: int = 0  # 1: letters are forwarded without their text; kept only
    mail_no_sender: int = 0  # 1: letters are forwarded without their writer; kept only
    mail_translit: int = 0  # 1: forwarded letters are transliterated; kept only
    mail_phones_in_text: int = 0  # 1: telephones may stand in a letter's text; kept only
    mail_phones_in_address: int = 0  # 1: telephones may stand in a letter's address; kept only
    repeat_undelivered: int = 0  # 1: what was not delivered is repeated; kept only
    detect_machines: int = 0  # 1: calls recognise answering machines; kept only
    part_statuses: int = 0  # 1: statuses of single parts are followed; kept only
    fixed_settings: int = 0  # 1: it may not change its settings; kept only
    no_payments: int = 0  # 1: it may not pay; kept only
    api_log: int = 0  # 1: its last HTTP requests can be seen; kept only
    no_call_forwarding: int = 0  # 1: calls are not forwarded; kept only
    extended_console: int = 0  # 1: extended mode of the personal account; kept only
    dear_routes: int = 0  # 1: dearer routes for certain delivery; kept only
    no_replaced_sender: int = 0  # 1: never another sender than the one asked for; kept only
    no_name_in_text: int = 0  # 1: a replaced sender's name is not put into the text; kept only
    cheap_first: int = 0  # 1: cheap routes first, dear ones on failure; kept only
    any_address_login: int = 0  # 1: no question at a login from a new address; kept only


PROFILE_TYPES: dict[str, type] = get_type_hints(Profile)
PROFILE_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Profile))
TARIFFS = range(9)  # users.md, "Account"


def profile_from(changed: dict[str, str | int]) -> Profile:
    """A profile of these values, the others as usual; raises BadParameters for a wrong one."""
    values: dict[str, str | int] = {}
    for name, value in changed.items():
        if name not in PROFILE_TYPES:
            raise BadParameters(f"there is no setting '{name}'")
        values[name] = _number(name, value) if PROFILE_TYPES[name] is int else _words(name, value)
    return Profile(**values)  # type: ignore[arg-type]  # each value was checked against its field


def _number(name: str, value: str | int) -> int:
    text = str(value).strip() or "0"
    choices = TARIFFS if name == "tariff" else range(2)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) in choices):
        raise BadParameters(f"{name} is a number from 0 to {choices[-1]}")
    return int(text)


def _words(name: str, value: str | int) -> str:
    text = str(value).strip()
    if len(text) > WORDS_MAX:
        raise BadParameters(f"{name} is longer than {WORDS_MAX} characters")
    if name == "email" and text and not is_mail_address(text):
        raise BadParameters("email is one mail address")
    if name == "phone" and text:
        msisdn = number.parse(text)
        if msisdn is None:
            raise BadParameters("phone is one number")
        return msisdn
    return text
