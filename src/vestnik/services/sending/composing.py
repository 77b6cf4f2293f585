"""The lines of an order → recipients: texts read, numbers checked, routes and prices found."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from vestnik.domain import number, schedule
from vestnik.domain.client import Client, Limits
from vestnik.domain.lists import ListLine
from vestnik.domain.message import CHANNEL_OF, Err, Flag, Kind, Status
from vestnik.domain.numbering import UNKNOWN
from vestnik.domain.rate import Chain
from vestnik.domain.refusals import BadParameters
from vestnik.services.centre import names
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.chains import chained
from vestnik.services.messages.draft import Order, Recipient
from vestnik.services.messages.links import Made, shorten
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.rules import Rules
from vestnik.wire.sms import push, segments, translit

SLICE = 500  # recipients between two turns of the loop
VALIDITY_MINUTES = 24 * 60
MOSCOW_HOURS = 3  # what `tz` is counted from
TEXTLESS = frozenset({Kind.HLR, Kind.PING})
UNLIMITED = frozenset({Kind.MAIL})
SPOKEN = frozenset({Kind.MAIL, Kind.CALL, Kind.HLR, Kind.PING})  # their links stay as they are
COMMENT = "\n~~~\n"
# What may stand for the text of a message (channels.md).
FOR_TEXT: dict[Kind, tuple[str, ...]] = {
    Kind.MMS: ("files", "fileurl", "subj"),
    Kind.CALL: ("files", "fileurl"),
}

# A marker at the beginning of a text chooses its channel (text.md, "Prefixes").
MARKERS: dict[str, Kind] = {
    "HLR": Kind.HLR,
    "PING": Kind.PING,
    "CALL": Kind.CALL,
    "VIBER": Kind.VIBER,
    "SOC": Kind.SOCIAL,
    "MMS": Kind.MMS,
    "MAIL": Kind.MAIL,
    "TG": Kind.TELEGRAM,
    "FLASH": Kind.FLASH,
    "SMS": Kind.SMS,
}
MARKER = re.compile(rf"__({'|'.join(MARKERS)})__")
BLOCK = re.compile(rf"\n(?=__(?:{'|'.join(MARKERS)})__)")  # between the ways of a chain
# Recipients that are no numbers, by the kinds that have them.
_mail_address = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+").fullmatch
_telegram_name = re.compile(r"#\d{1,20}|@?[A-Za-z]\w{3,31}", re.ASCII).fullmatch
ADDRESSES = {Kind.MAIL: _mail_address, Kind.TELEGRAM: _telegram_name, Kind.BOT: _telegram_name}
BINARY_TAIL = re.compile(r"pid: (\d+), dcs: (\d+)")

# A member of an enumeration takes a quarter of a microsecond to look up, and these are needed for
# every message.
_SMS, _FLASH, _MAIL = Kind.SMS, Kind.FLASH, Kind.MAIL
_WAITING, _SECRET = int(Status.WAITING), int(Flag.SECRET)


class Text(msgspec.Struct, frozen=True):
    """A text as it will leave: its kind, how many parts it takes and what is only for history."""

    kind: Kind
    text: str
    comment: str
    parts: int
    later: tuple["Text", ...] = ()  # what is tried when this fails
    raw: str = ""  # before its links were made short
    links: tuple[Made, ...] = ()


class Composer:
    """Makes the recipients of one order."""

    def __init__(self, order: Order, directory: Directory, floods: Floods | None) -> None:
        self.order = order
        self.directory = directory
        self.chain = directory.payers[order.client.id]
        self.limits: Limits = order.client.limits
        self.test = bool(order.test or self.limits.test)
        self.zone = schedule.zone_of(order.tz or None, order.client.zone)
        self.window, self.zone_name = _window(order)
        self.sender = _sender(order.sender, order.client, directory.default_sender)
        self.due = schedule.due(order.time, order.now_ms, self.zone)
        self.minutes = schedule.validity(order.valid) if order.valid else VALIDITY_MINUTES
        if self.limits.valid_max:
            self.minutes = min(self.minutes, self.limits.valid_max)
        # A request that names hours of its own keeps to those.
        self.hours = schedule.window(self.limits.hours) if self.limits.hours else None
        if self.window is not None:
            self.hours = None
        self.options = msgspec.json.encode(order.options).decode() if order.options else ""
        self._rules = Rules(order.client, directory, floods, order.now_ms)
        self._texts: dict[str, Text] = {}
        self._coded: dict[str, int] | None = None  # pid and dcs of binary messages
        self._brought: set[str] = set()  # codes of links that a recipient has brought

    def recipients(self) -> Iterator[Recipient]:
        """One for each number of each line, in order."""
        made = 0
        most = self.limits.rows_per_request
        for line in self.order.lines:
            text = self._text(line.text)
            sender = self._line_sender(line)
            due = self._line_due(line)
            for phone in self._phones(line, text.kind):
                yield self._recipient(phone, text, sender, due)
                made += 1
                if most and made > most:
                    raise BadParameters(
                        f"more than {most} recipients in one request; send them in portions"
                    )

    def _phones(self, line: ListLine, kind: Kind) -> list[str]:
        if kind is _MAIL:
            return [p.strip() for p in re.split("[,;]", line.phones) if p.strip()]
        if line.phones.isdigit():  # the usual single one
            return [line.phones]
        return number.split_phones(line.phones)

    def _text(self, raw: str) -> Text:
        known = self._texts.get(raw)
        if known is None:
            if len(self._texts) >= SLICE:  # a list has as many texts as lines
                self._texts.clear()
            known = self._texts[raw] = self._read_text(raw)
        return known

    def _read_text(self, raw: str) -> Text:
        text, comment = segments.normalise(raw), ""
        if COMMENT in text:
            text, _, comment = text.rpartition(COMMENT)
        kind = self.order.kind
        if "\n__" not in text or kind is Kind.BINARY:
            return self._read_block(text, comment, kind)
        first, *rest = BLOCK.split(text)
        later = tuple(self._read_block(block, comment, _SMS) for block in rest)
        return structs.replace(self._read_block(first, comment, kind), later=later)

    def _read_block(self, text: str, comment: str, kind: Kind) -> Text:
        """One way of saying it: a marker at its beginning chooses the channel (text.md)."""
        order = self.order
        marker = MARKER.match(text) if text.startswith("__") else None
        if marker:
            kind, text = MARKERS[marker[1]], text[marker.end() :]
        if kind is Kind.BINARY:
            return self._read_binary(text, comment)
        if not text.strip() and not self._textless(kind):
            raise BadParameters("mes: the text is empty")
        if kind not in UNLIMITED and self.limits.text_max and len(text) > self.limits.text_max:
            raise BadParameters(
                f"mes: the text has {len(text)} characters, at most {self.limits.text_max} may be"
            )
        if not order.flags & _SECRET:
            text = names.signed(self.directory, order.client.id, kind, text)
        if order.translit and kind not in UNLIMITED:
            text = translit.translit(text, order.translit)
        if kind is Kind.PUSH:
            return self._read_push(text, comment)
        if kind in SPOKEN:
            return Text(kind, text, comment, 1)
        return self._linked(Text(kind, text, comment, 1))

    def _linked(self, text: Text) -> Text:
        """The text with its links made short, if that is asked for, cut and counted."""
        raw, links = text.text, text.links
        said = raw
        if self.order.options.get("tinyurl"):
            said, links = shorten(raw, self.directory.links_base)
        if self.order.maxsms and (text.kind is _SMS or text.kind is _FLASH):
            said = segments.cut(said, self.order.maxsms)
        parts = segments.count(said) if text.kind is _SMS or text.kind is _FLASH else 1
        return Text(text.kind, said, text.comment, parts, raw=raw, links=links)

    def _own_links(self, text: Text) -> Text:
        """The text for one recipient: where clicks are followed each has links of its own, else
        the first one brings those of all."""
        if self.limits.link_tracking:
            return self._linked(structs.replace(text, text=text.raw))
        if text.links[0].code in self._brought:
            return structs.replace(text, links=())
        self._brought.add(text.links[0].code)
        return text

    def _textless(self, kind: Kind) -> bool:
        """The message may do without a text."""
        return kind in TEXTLESS or any(self.order.options.get(o) for o in FOR_TEXT.get(kind, ()))

    def _read_push(self, text: str, comment: str) -> Text:
        try:
            parts = segments.binary_count(push.service_indication(text))
        except ValueError as wrong:
            raise BadParameters(f"mes: {wrong}") from None
        return Text(Kind.PUSH, text, comment, parts)

    def _read_binary(self, text: str, comment: str) -> Text:
        """Octets in hex; their tail may name protocol id and coding (channels.md)."""
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise BadParameters("mes: a binary message is written in hex digits") from None
        if not octets or octets[0] >= len(octets):
            raise BadParameters("mes: binary data begin with the length of their header, or 00")
        tail = BINARY_TAIL.fullmatch(comment)
        coded = {"pid": int(tail[1]), "dcs": int(tail[2])} if tail else {}
        if self._coded is not None and self._coded != coded:
            raise BadParameters("list: all its binary messages have one pid and dcs")
        self._coded = coded
        options = self.order.options | coded
        self.options = msgspec.json.encode(options).decode() if options else ""
        try:
            parts = segments.binary_count(octets)
        except ValueError as wrong:
            raise BadParameters(f"mes: {wrong}") from None
        return Text(Kind.BINARY, text, comment, parts)

    def _line_sender(self, line: ListLine) -> str:
        if not line.sender:
            return self.sender
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
        kind = text.kind
        is_address = ADDRESSES.get(kind)
        named = is_address is not None and is_address(phone) is not None
        msisdn = phone if named else None if kind is _MAIL else number.parse(phone)
        if msisdn is None or not (named or number.plausible(msisdn)):
            wrong = msisdn or "".join(c for c in phone if c.isdigit()) or phone[:40]
            return self._refused(wrong, text, sender, due, Status.BAD_NUMBER, Err.BAD_FORMAT)
        network = UNKNOWN if named else self.directory.numbering.find(msisdn)
        mccmnc = network.mccmnc
        shown = self._rules.shown(sender, kind)
        status, err = self._rules.judge(msisdn, text, shown, mccmnc, named=named, instead=instead)
        if status or shown is None:
            return self._refused(msisdn, text, sender, due, status, err, mccmnc)
        sender, window, zone = shown, None, ""
        if self.hours is not None:
            opens, zone = self._opening(network.zone, due)
            if opens != due and self.limits.hours_refuse:
                refusal = Status.FORBIDDEN, Err.HOURS
                return self._refused(msisdn, text, sender, due, *refusal, mccmnc)
            due, window = opens, (self.hours[0] * 60, self.hours[1] * 60)
        channel = CHANNEL_OF[kind]
        client = self.order.client
        plan = self.directory.routes.plan(channel, client.id, sender, msisdn, mccmnc)
        tested = self.test and kind is not _MAIL
        if not plan and not tested:
            return self._refused(
                msisdn, text, sender, due, Status.UNREACHABLE, Err.NO_ROUTE, mccmnc
            )
        if tested:
            return self._tested(msisdn, text, sender, due, mccmnc)
        price, lost = self._prices(text.parts, channel, msisdn, mccmnc)
        if text.links:
            text = self._own_links(text)
        return Recipient(
            msisdn,
            text.text,
            text.comment,
            sender,
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

    def _opening(self, recipients_zone: str, due: int) -> tuple[int, str]:
        """The first moment from `due` on in the account's hours, and the zone of their clock."""
        assert self.hours is not None
        zone = (self.limits.hours_recipient and recipients_zone) or self.order.client.zone
        return schedule.opening(self.hours, due, ZoneInfo(zone)), zone

    def _prices(
        self, parts: int, channel: str, msisdn: str, mccmnc: str
    ) -> tuple[int, tuple[int, ...]]:
        """What the payer pays, and what each ancestor of it loses, in their own money."""
        rates, first = self.directory.rates, self.chain[0]
        if len(self.chain) == 1 and first.currency == first.tariff_currency:
            return parts * rates.price(first.tariff_id, channel, msisdn, mccmnc), ()
        price, *lost = Chain(self.chain, self.directory.exchange).losses(
            [rates.price(p.tariff_id, channel, msisdn, mccmnc) for p in self.chain]
        )
        return parts * price, tuple(parts * each for each in lost)

    def _tested(self, phone: str, text: Text, sender: str, due: int, mccmnc: str) -> Recipient:
        """Test mode: all checks are passed, nothing is sent or charged (text.md)."""
        price = 0
        if self.order.cost == 1:  # a cost request gives the usual price
            price, _ = self._prices(text.parts, CHANNEL_OF[text.kind], phone, mccmnc)
        fate = self._refused(phone, text, sender, due, Status.DELIVERED, Err.VIRTUAL, mccmnc)
        return structs.replace(fate, price=price)

    def _refused(
        self,
        phone: str,
        text: Text,
        sender: str,
        due: int,
        status: int,
        err: int,
        mccmnc: str = "",
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

    def spread(self, recipients: list[Recipient]) -> None:
        """`period` and `freq` send a mailing in portions."""
        if not self.order.period:
            return
        offsets = schedule.spread(self.order.period, self.order.freq, len(recipients))
        for recipient, offset in zip(recipients, offsets, strict=True):
            recipient.due += offset
            recipient.expires += offset


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


def _sender(asked: str | None, client: Client, default: str) -> str:
    """The sender to show, if a message can."""
    if asked is None:
        return client.sender or default
    return "" if asked == "." else asked
