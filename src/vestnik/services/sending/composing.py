"""The lines of an order → recipients: numbers checked, routes and prices found."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from vestnik.domain import number, schedule
from vestnik.domain.lists import ListLine
from vestnik.domain.message import CHANNEL_OF, Err, Flag, Kind, Status
from vestnik.domain.numbering import UNKNOWN
from vestnik.domain.rate import Chain
from vestnik.domain.refusals import BadParameters
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.chains import chained
from vestnik.services.messages.draft import Order, Recipient
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.rules import Rules
from vestnik.services.sending.texts import Text, Texts

SLICE = 500  # recipients between two turns of the loop
MOSCOW_HOURS = 3  # what `tz` is counted from
# Recipients that are no numbers, by the kinds that have them.
_mail_address = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+").fullmatch
_telegram_name = re.compile(r"#\d{1,20}|@?[A-Za-z]\w{3,31}", re.ASCII).fullmatch
ADDRESSES = {Kind.MAIL: _mail_address, Kind.TELEGRAM: _telegram_name, Kind.BOT: _telegram_name}

# A member of an enumeration takes a quarter of a microsecond to look up, and these are needed for
# every message.
_MAIL, _WAITING = Kind.MAIL, int(Status.WAITING)


class Composer:
    """Makes the recipients of one order.

    `options` are those of its messages as they are stored, `window` the minutes of the day in which
    they may leave by the clock of `zone_name`, `due` the first moment when they may.
    """

    __slots__ = (
        "_hours",
        "_rules",
        "_sender",
        "directory",
        "due",
        "minutes",
        "order",
        "terms",
        "test",
        "texts",
        "window",
        "zone_name",
    )

    def __init__(self, order: Order, directory: Directory, floods: Floods | None) -> None:
        terms = directory.terms(order.client)
        self.order, self.directory, self.terms = order, directory, terms
        self.test = bool(order.test or terms.limits.test)
        self.minutes, self._hours = terms.minutes, terms.hours
        self.window: tuple[int, int] | None = None
        self.zone_name = order.client.zone
        self.due = order.now_ms
        if order.time or order.tz or order.valid:
            self._read_times()
        sender = order.sender
        self._sender = terms.sender if sender is None else "" if sender == "." else sender
        self._rules = Rules(terms, directory, floods, order.now_ms)
        self.texts = Texts(order, terms, directory)

    def _read_times(self) -> None:
        """What a request says of its own; one that names hours keeps to those."""
        order, terms = self.order, self.terms
        zone = schedule.zone_of(order.tz, order.client.zone) if order.tz else terms.zone
        self.due = schedule.due(order.time, order.now_ms, zone)
        self.window, self.zone_name = _window(order)
        if self.window is not None:
            self._hours = None
        if order.valid:
            asked, most = schedule.validity(order.valid), terms.limits.valid_max
            self.minutes = min(asked, most) if most else asked

    @property
    def options(self) -> str:
        return self.texts.options

    def recipients(self) -> Iterator[Recipient]:
        """One for each number of each line, in order."""
        made = 0
        most = self.terms.limits.rows_per_request
        for line in self.order.lines:
            text = self.texts.read(line.text)
            sender = self._line_sender(line)
            due = self._line_due(line)
            for phone in _phones(line, text.kind):
                yield self._recipient(phone, text, sender, due)
                made += 1
                if most and made > most:
                    raise BadParameters(
                        f"more than {most} recipients in one request; send them in portions"
                    )

    def single(self, line: ListLine, text: Text) -> Recipient:
        """The recipient of a line that names one; `text` is what `texts` has read in it."""
        return self._recipient(line.phones, text, self._line_sender(line), self._line_due(line))

    def _line_sender(self, line: ListLine) -> str:
        if not line.sender:
            return self._sender
        return "" if line.sender == "." else line.sender

    def _line_due(self, line: ListLine) -> int:
        if not line.zone or not schedule.is_date(self.order.time):
            return self.due
        zone = schedule.zone_of(line.zone, self.order.client.zone)
        return schedule.due(self.order.time, self.order.now_ms, zone)

    def _recipient(self, phone: str, text: Text, sender: str, due: int) -> Recipient:
        first = self._way(phone, text, sender, due)
        if not text.later or first.status == Status.DELIVERED:
            return first
        later = (self._way(phone, way, sender, due, instead=True) for way in text.later)
        return self._chain([first, *later])

    def _chain(self, ways: list[Recipient]) -> Recipient:
        """One message of several ways (text.md, "Chains"); one that no carrier takes is left out.

        What is wrong with the first one otherwise, is wrong with the message.
        """
        fine = [way for way in ways if way.status == _WAITING]
        if not fine or (ways[0] is not fine[0] and ways[0].err != Err.NO_ROUTE):
            return ways[0]
        if len(fine) == 1:
            return fine[0]
        links = tuple(link for way in fine for link in way.links)
        options = msgspec.json.decode(self.options) if self.options else {}
        made = chained(fine, self.minutes, options)
        return structs.replace(made, links=links, flags=int(Flag.CHAIN))

    def _way(
        self, phone: str, text: Text, sender: str, due: int, *, instead: bool = False
    ) -> Recipient:
        kind, directory = text.kind, self.directory
        is_address = ADDRESSES.get(kind)
        named = is_address is not None and is_address(phone) is not None
        msisdn = phone if named else None if kind is _MAIL else number.parse(phone)
        if msisdn is None or not (named or number.plausible(msisdn)):
            wrong = msisdn or "".join(c for c in phone if c.isdigit()) or phone[:40]
            return _refused(wrong, text, sender, due, Status.BAD_NUMBER, Err.BAD_FORMAT)
        network = UNKNOWN if named else directory.numbering.find(msisdn)
        mccmnc = network.mccmnc
        shown = self._rules.shown(sender, kind)
        status, err = self._rules.judge(msisdn, text, shown, mccmnc, named=named, instead=instead)
        if status or shown is None:
            return _refused(msisdn, text, sender, due, status, err, mccmnc)
        window, zone = None, ""
        if self._hours is not None:
            opens, zone = self._opening(self._hours, network.zone, due)
            if opens != due and self.terms.limits.hours_refuse:
                refusal = Status.FORBIDDEN, Err.HOURS
                return _refused(msisdn, text, shown, due, *refusal, mccmnc)
            due, window = opens, (self._hours[0] * 60, self._hours[1] * 60)
        channel = CHANNEL_OF[kind]
        plan = directory.routes.plan(channel, self.terms.client.id, shown, msisdn, mccmnc)
        if self.test and kind is not _MAIL:
            return self._tested(msisdn, text, shown, due, mccmnc)
        if not plan:
            return _refused(msisdn, text, shown, due, Status.UNREACHABLE, Err.NO_ROUTE, mccmnc)
        price, lost = self._prices(text.parts, channel, msisdn, mccmnc)
        if text.links:
            text = self.texts.own_links(text)
        return Recipient(
            msisdn,
            text.text,
            text.comment,
            shown,
            kind,
            text.parts,
            mccmnc,
            plan[0],
            price,
            lost,
            _WAITING,
            0,
            due,
            due + self.minutes * 60_000,
            window=window,
            zone=zone,
            links=text.links,
        )

    def _opening(self, hours: tuple[int, int], recipients_zone: str, due: int) -> tuple[int, str]:
        """The first moment from `due` on in the account's hours, and the zone of their clock."""
        theirs = self.terms.limits.hours_recipient and recipients_zone
        zone = theirs or self.terms.client.zone
        return schedule.opening(hours, due, ZoneInfo(zone)), zone

    def _prices(
        self, parts: int, channel: str, msisdn: str, mccmnc: str
    ) -> tuple[int, tuple[int, ...]]:
        """What the payer pays, and what each ancestor of it loses, in their own money."""
        rates, terms = self.directory.rates, self.terms
        if terms.alone:
            return parts * rates.price(terms.chain[0].tariff_id, channel, msisdn, mccmnc), ()
        price, *lost = Chain(terms.chain, self.directory.exchange).losses(
            [rates.price(p.tariff_id, channel, msisdn, mccmnc) for p in terms.chain]
        )
        return parts * price, tuple(parts * each for each in lost)

    def _tested(self, phone: str, text: Text, sender: str, due: int, mccmnc: str) -> Recipient:
        """Test mode: all checks are passed, nothing is sent or charged (text.md)."""
        price = 0
        if self.order.cost == 1:  # a cost request gives the usual price
            price, _ = self._prices(text.parts, CHANNEL_OF[text.kind], phone, mccmnc)
        fate = _refused(phone, text, sender, due, Status.DELIVERED, Err.VIRTUAL, mccmnc)
        return structs.replace(fate, price=price)

    def spread(self, recipients: list[Recipient]) -> None:
        """`period` and `freq` send a mailing in portions."""
        if not self.order.period:
            return
        offsets = schedule.spread(self.order.period, self.order.freq, len(recipients))
        for recipient, offset in zip(recipients, offsets, strict=True):
            recipient.due += offset
            recipient.expires += offset


def _phones(line: ListLine, kind: Kind) -> list[str]:
    if kind is _MAIL:
        return [p.strip() for p in re.split("[,;]", line.phones) if p.strip()]
    if line.phones.isdigit():  # the usual single one
        return [line.phones]
    return number.split_phones(line.phones)


def _refused(
    phone: str, text: Text, sender: str, due: int, status: int, err: int, mccmnc: str = ""
) -> Recipient:
    return Recipient(
        phone,
        text.text,
        text.comment,
        sender,
        text.kind,
        text.parts,
        mccmnc,
        0,
        0,
        (),
        status,
        err,
        due,
        due,
    )


def _window(order: Order) -> tuple[tuple[int, int] | None, str]:
    """The minutes of the day in which the messages may leave, and the name of their zone.

    A zone of whole hours has a name; by another the window is judged at accept alone.
    """
    zone = order.client.zone
    hours = schedule.window(order.time) if order.time else None
    if hours is None:
        return None, zone
    if order.tz.strip():
        offset = MOSCOW_HOURS + float(order.tz)
        if not offset.is_integer():
            return None, zone
        zone = f"Etc/GMT{-int(offset):+d}"
    return (hours[0] * 60, hours[1] * 60), zone
