"""Octets by the fuzzer → decoder, session and SMPP door: nothing may raise but what is promised.

    python -m tests.fuzz.smpp [options of libFuzzer] [folders of examples]

The first octet chooses the side and the state that the rest meets.
"""

import sys

import atheris

with atheris.instrument_imports(include=["vestnik.wire", "vestnik.doors.smpp"]):
    from vestnik.domain.client import Client
    from vestnik.doors.smpp import submits
    from vestnik.doors.smpp.codes import Wrong
    from vestnik.wire.smpp import pdu as p
    from vestnik.wire.smpp import receipt
    from vestnik.wire.smpp.session import Asked, Session
    from vestnik.wire.smpp.states import Side, State

CLIENT = Client(1, "fuzz")
NOW_MS = 1_750_000_000_000
STATES = list(State)


def meet(octets: bytes) -> None:
    """One try."""
    if not octets:
        return
    _decoded(octets[1:])
    session = Session(Side.SMSC if octets[0] & 1 else Side.ESME, 0.0)
    session.state = STATES[(octets[0] >> 1) % len(STATES)]
    most = octets[0] >> 4
    for event in session.receive(octets[1:], 1.0, most):
        if isinstance(event, Asked):
            _asked(session, event.frame)
    while session.behind:
        session.receive(b"", 1.0, most)
    session.tick(100.0)
    session.octets_to_send()


def _decoded(octets: bytes) -> None:
    buffer = bytearray(octets)
    while True:
        try:
            frame = p.decode(buffer)
        except p.Unreadable:
            continue
        except p.Malformed:
            return
        if frame is None:
            return
        _again(frame)


def _again(frame: p.Frame) -> None:
    """What was read is written and read as it was, if it keeps to the sizes of its fields."""
    try:
        octets = p.encode(frame.pdu, frame.sequence, frame.status)
    except ValueError:
        return
    assert p.decode(bytearray(octets)) == frame, frame


def _asked(session: Session, frame: p.Frame) -> None:
    pdu = frame.pdu
    if isinstance(pdu, p.SubmitSm | p.DataSm):
        try:
            submit = submits.read(pdu, iso=bool(frame.sequence & 1), address="", now_ms=NOW_MS)
            if submit.place.total > 1:
                submit.part(CLIENT)
            else:
                list(submit.order(CLIENT, NOW_MS).lines)
        except Wrong:
            pass
    if isinstance(pdu, p.DeliverSm):
        receipt.parse(pdu.short_message.decode("latin-1"), pdu.tlvs, "text")
    if not isinstance(pdu, p.UNANSWERED):
        session.answer(frame)


def main() -> None:
    """Run for as long as the options say."""
    atheris.Setup(sys.argv, meet)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
