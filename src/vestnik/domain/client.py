"""A client of the centre: who it is, what it may do, and the limits that protect us from it."""

from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import get_type_hints

from vestnik.domain import number, schedule
from vestnik.domain.profile import is_mail_address
from vestnik.domain.refusals import BadParameters


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account may do, and how fast; `vestnik client set LOGIN NAME=VALUE` changes one.

    Defaults are the reference service's own figures.  0 lifts a limit unless the line says
    otherwise.  The comment behind each is its help text.
    """

    # What guards money: kept in the store, holds across nodes and restarts.
    identical_s: int = 60  # seconds in which an identical send request is refused (error 9)
    unique_ids: int = 0  # 1: the same own id and phone within a day get the first answer again
    day_limit: int = 0  # messages a day in all
    number_limit: int = 0  # messages a day to one number
    text_limit: int = 0  # messages a day with one text to one number
    address_limit: int = 0  # messages a day from one IP address
    flood_count: int = 50  # messages to one number with gaps below flood_gap_s before it is blocked
    flood_gap_s: int = 30  # the gap, in seconds, that makes messages to one number a flood
    commands_per_hour: int = 10  # commands by SMS an hour; the others are passed over in silence
    call_attempts: int = 6  # requests a day to wait for a call from one number
    # What guards the machine: counted in memory, per process.
    simultaneous: int = 15  # requests at one time; one more is error 9
    status_simultaneous: int = 5  # status requests at one time
    status_per_minute: int = 5  # requests a minute for the status of one message
    status_mass_per_minute: int = 1  # identical status requests a minute for many messages
    balance_per_minute: int = 10  # balance requests a minute
    identical_per_minute: int = 3  # identical requests a minute: history, tasks, lists
    cost_per_minute: int = 5  # identical cost requests a minute
    subclient_per_minute: int = 3  # requests a minute to add a subclient, or to change the same one
    operators_per_minute: int = 100  # requests a minute for operators of numbers, identical or not
    rent_per_minute: int = 2  # identical requests a minute about numbers for rent
    senders_per_minute: int = 5  # requests a minute to add a sender name
    smpp_rate: int = 100  # messages a second over SMPP, all binds together; more is 0x58
    smpp_binds: int = 10  # SMPP binds at one time; one more is refused
    smpp_window: int = 2_000  # SMPP requests without an answer, all binds together; more is 0x58
    receipt_window: int = 5  # receipts and incoming messages on their way without an answer
    # Sizes.
    rows_per_request: int = 10_000  # recipients of one send request; 0: any number
    text_max: int = 1_000  # characters of a text
    tasks_max: int = 10  # deferred tasks that wait or run
    # Behaviour.
    charge_on: str = "sent"  # sent or delivered: when the money held for a message is taken
    test: int = 0  # 1: test mode, every check is made and nothing is sent or charged
    numbers: str = ""  # the account's own numbers, comma-separated: what comes to them is its
    prefixes: str = ""  # phone prefixes that may be sent to; a leading - forbids one: 7,-77
    hours: str = ""  # hours in which its messages may leave, such as 9-22; others wait for them
    hours_refuse: int = 0  # 1: messages outside its hours are refused instead
    hours_recipient: int = 0  # 1: its hours are those of the recipient's time zone
    valid_max: int = 0  # minutes for which a message waits for its recipient at most
    no_mailings: int = 0  # 1: it may order no mailings
    no_mass: int = 0  # 1: it may send no mass or advertising messages
    callback_url: str = ""  # address that is told of statuses and incoming messages
    callback_sent: int = 0  # 1: it is also told when a message has been handed to the operator
    callback_statuses: int = 1  # 0: that address is not told of statuses
    callback_incoming: int = 1  # 0: that address is not told of incoming messages
    smpp_incoming: int = 0  # 1: incoming messages are handed over SMPP instead
    smpp_own_tlvs: int = 1  # 0: receipts over SMPP have no TLVs besides those of the standard
    incoming_to_phone: int = 0  # 1: incoming messages are sent on to incoming_phone, at its cost
    incoming_phone: str = ""  # the number that they are sent on to
    incoming_to_email: int = 0  # 1: incoming messages are sent on to incoming_email, at its cost
    incoming_email: str = ""  # the mail address that they are sent on to
    auto_answer: str = ""  # text that answers every incoming message, at its cost
    command_phones: str = ""  # phones, comma-separated, that may command the account by SMS
    command_word: str = ""  # code word that must follow the name of a command
    callback_window: int = 10  # calls to that address at one time
    link_tracking: int = 0  # 1: short links are each recipient's own, and a click is status 4
    mail_name: str = ""  # letters to this name at the SMTP door become messages to mail_phone
    mail_phone: str = ""  # the number that gets them, at the account's cost
    keep_days: int = 180  # days that messages are kept in the history; 0: for ever
    keep_mailings_days: int = 0  # days that ended mailings are kept; 0: as long as messages
    hide_messages: int = 0  # 1: its history and its exports show no messages
    parent_contacts: int = 0  # 1: it uses the contacts of its main account
    parent_senders: int = 0  # 1: it uses the sender names of its main account
    smpp: int = 1  # 0: it may not use the SMPP door
    md5_password: int = 1  # 0: the MD5 form of the password is refused
    locked: int = 0  # 1: the account is locked and may do nothing

    @property
    def daily(self) -> bool:
        """Something is limited by the day."""
        of_day = self.day_limit or self.number_limit or self.text_limit or self.address_limit
        return bool(of_day)


LIMIT_TYPES: dict[str, type] = get_type_hints(Limits)
LIMIT_NAMES: tuple[str, ...] = tuple(f.name for f in fields(Limits))


def limits_from(changed: dict[str, str | int]) -> Limits:
    """Limits with some changed; raises BadParameters for a wrong name or value."""
    values: dict[str, str | int] = {}
    for name, value in changed.items():
        if name not in LIMIT_TYPES:
            raise BadParameters(f"there is no setting '{name}'")
        if LIMIT_TYPES[name] is int:
            try:
                number = int(value)
            except ValueError:
                raise BadParameters(f"{name} takes a whole number, not '{value}'") from None
            if number < 0:
                raise BadParameters(f"{name} cannot be negative")
            values[name] = number
        else:
            values[name] = str(value)
    limits = Limits(**values)  # type: ignore[arg-type]  # each value was checked against its field
    _check(limits)
    return limits


def _check(limits: Limits) -> None:
    """Raise BadParameters for a text that cannot be what it is for."""
    if limits.charge_on not in ("sent", "delivered"):
        raise BadParameters("charge_on is 'sent' or 'delivered'")
    if limits.hours and schedule.window(limits.hours) is None:
        raise BadParameters("hours are written as two whole hours, such as 9-22")
    if limits.incoming_phone and number.parse(limits.incoming_phone) is None:
        raise BadParameters("incoming_phone is one number")
    if limits.incoming_email and not is_mail_address(limits.incoming_email):
        raise BadParameters("incoming_email is one mail address")


@dataclass(frozen=True, slots=True)
class Client:
    """One account.

    `type` is that of users.md 3.1: who pays and at whose tariff.  `parent_id` is None for a
    topmost account.  `addresses`, if there are any, are the only ones it may call from.
    """

    id: int
    login: str
    parent_id: int | None = None
    type: int = 0
    currency: str = "RUB"
    zone: str = "Europe/Moscow"
    sender: str = ""
    admin: bool = False
    addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def allows(self, address: str) -> bool:
        """The client may call from this address."""
        if not self.addresses:
            return True
        caller = ip_address(address)
        mapped = getattr(caller, "ipv4_mapped", None)
        return any((mapped or caller) in network for network in self.addresses)

    @property
    def pays_itself(self) -> bool:
        """Types 2, 3 and 4 pay from the main account's balance."""
        return self.parent_id is None or self.type in (0, 1)

    @property
    def own_tariff(self) -> bool:
        """Types 1, 2 and 4 are priced by the main account's tariff."""
        return self.parent_id is None or self.type in (0, 3)
