import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import session as s
from vestnik.wire.smpp.command_status import (
    ESME_RALYBND,
    ESME_RBINDFAIL,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_RINVCMDLEN,
    ESME_RINVMSGLEN,
    ESME_RTHROTTLED,
)
from vestnik.wire.smpp.states import BINDS, MAY_ASK, Side, State

BIND = p.BindTransceiver("shop", "secret", interface_version=0x34)
HELLO = p.SubmitSm(destination_addr="79991234567", short_message=b"Hello")
NEWS = p.DeliverSm(source_addr="79991234567", short_message=b"Yes")


@pytest.fixture
def pair():
    return s.Session(Side.ESME, now=0), s.Session(Side.SMSC, now=0)


def bound(esme, smsc, bind=BIND, now=0):
    esme.ask(bind, now)
    [asked] = smsc.receive(esme.octets_to_send(), now)
    smsc.answer(asked.frame)
    esme.receive(smsc.octets_to_send(), now)


def frames(octets):
    buffer, found = bytearray(octets), []
    while frame := p.decode(buffer):
        found.append(frame)
    return found


@pytest.mark.parametrize(("kind", "state"), BINDS.items())
def test_a_bind_that_is_accepted_binds_both_sides(pair, kind, state):
    bound(*pair, kind("shop"))

    assert [session.state for session in pair] == [state] * 2


def test_a_bind_that_is_refused_binds_nobody(pair):
    esme, smsc = pair
    esme.ask(BIND, 0)
    [asked] = smsc.receive(esme.octets_to_send(), 0)
    smsc.answer(asked.frame, status=ESME_RBINDFAIL)

    [answered] = esme.receive(smsc.octets_to_send(), 0)

    assert answered.frame.status == ESME_RBINDFAIL
    assert [session.state for session in pair] == [State.OPEN] * 2


def test_a_request_is_answered_to_its_sequence(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)
    [asked] = smsc.receive(esme.octets_to_send(), 0)
    smsc.answer(asked.frame, p.SubmitSmResp("77"))

    events = esme.receive(smsc.octets_to_send(), 0)

    assert events == [s.Answered(sequence, HELLO, p.Frame(p.SubmitSmResp("77"), sequence))]
    assert (esme.outstanding, smsc.owed) == (0, 0)


def test_requests_and_what_is_owed_are_counted(pair):
    esme, smsc = pair
    bound(esme, smsc)
    for _ in range(3):
        esme.ask(HELLO, 0)
    smsc.receive(esme.octets_to_send(), 0)

    assert (esme.outstanding, smsc.owed) == (3, 3)


def test_answers_may_come_in_any_order(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequences = [esme.ask(HELLO, 0) for _ in range(3)]
    asked = smsc.receive(esme.octets_to_send(), 0)
    for event in reversed(asked):
        smsc.answer(event.frame)

    events = esme.receive(smsc.octets_to_send(), 0)

    assert [event.sequence for event in events] == sequences[::-1]


def test_a_pdu_may_arrive_octet_by_octet(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)

    events = [e for octet in esme.octets_to_send() for e in smsc.receive(bytes([octet]), 0)]

    assert events == [s.Asked(p.Frame(HELLO, sequence))]


def test_what_is_to_be_sent_is_taken_once(pair):
    esme, _ = pair
    esme.ask(BIND, 0)

    assert frames(esme.octets_to_send()) == [p.Frame(BIND, 1)]
    assert esme.octets_to_send() == b""


def test_the_matrix_forbids_our_own_mistakes(pair):
    esme, smsc = pair

    with pytest.raises(s.NotAllowed, match="SubmitSm by ESME in OPEN"):
        esme.ask(HELLO, 0)
    bound(esme, smsc)
    with pytest.raises(s.NotAllowed, match="DeliverSm by ESME"):
        esme.ask(NEWS, 0)
    with pytest.raises(s.NotAllowed, match="SubmitSm by SMSC"):
        smsc.ask(HELLO, 0)


def test_a_request_that_the_state_forbids_is_turned_away(pair):
    _, smsc = pair
    octets = p.encode(HELLO, 5)

    [turned] = smsc.receive(octets, 0)

    assert (turned.command_id, turned.status) == (p.SubmitSm.command_id, ESME_RINVBNDSTS)
    assert frames(smsc.octets_to_send()) == [p.Frame(p.SubmitSmResp(), 5, ESME_RINVBNDSTS)]


def test_a_second_bind_is_already_bound(pair):
    _, smsc = pair
    bound(*pair)

    smsc.receive(p.encode(BIND, 5), 0)

    assert frames(smsc.octets_to_send()) == [p.Frame(p.BindTransceiverResp(), 5, ESME_RALYBND)]


def test_a_receiver_gets_messages_and_sends_none(pair):
    esme, smsc = pair
    bound(esme, smsc, p.BindReceiver("shop"))
    smsc.ask(NEWS, 0)

    assert esme.receive(smsc.octets_to_send(), 0) == [s.Asked(p.Frame(NEWS, 1))]
    with pytest.raises(s.NotAllowed):
        esme.ask(HELLO, 0)


def test_a_transmitter_gets_no_messages(pair):
    esme, smsc = pair
    bound(esme, smsc, p.BindTransmitter("shop"))

    with pytest.raises(s.NotAllowed):
        smsc.ask(NEWS, 0)


def test_the_table_names_every_state_of_both_sides():
    for side in Side:
        assert set(MAY_ASK[side]) == set(State)


def test_an_enquire_link_is_answered_by_the_session(pair):
    esme, smsc = pair
    bound(esme, smsc)

    events = smsc.receive(p.encode(p.EnquireLink(), 9), 0)

    assert events == []
    assert frames(smsc.octets_to_send()) == [p.Frame(p.EnquireLinkResp(), 9)]


def test_an_unknown_command_gets_a_generic_nack_and_the_session_lives(pair):
    esme, smsc = pair
    bound(esme, smsc)
    unknown = p.HEADER.pack(16, 0x21, 0, 5)

    turned, asked = smsc.receive(unknown + p.encode(HELLO, 6), 0)

    assert (turned.command_id, turned.status) == (0x21, ESME_RINVCMDID)
    assert asked == s.Asked(p.Frame(HELLO, 6))
    assert frames(smsc.octets_to_send()) == [p.Frame(p.GenericNack(), 5, ESME_RINVCMDID)]


def test_an_unreadable_request_is_answered_by_its_own_response(pair):
    esme, smsc = pair
    bound(esme, smsc)
    body = p.encode(HELLO, 5)[16:-1]

    smsc.receive(p.HEADER.pack(16 + len(body), 4, 0, 5) + body, 0)

    assert frames(smsc.octets_to_send()) == [p.Frame(p.SubmitSmResp(), 5, ESME_RINVMSGLEN)]


def test_an_unknown_response_is_not_answered(pair):
    esme, smsc = pair
    bound(esme, smsc)

    [turned] = esme.receive(p.HEADER.pack(16, 0x80000021, 0, 5), 0)

    assert turned.command_id == 0x80000021
    assert esme.octets_to_send() == b""


def test_lost_framing_is_told_to_the_peer_and_ends_the_session(pair):
    esme, smsc = pair
    bound(esme, smsc)

    events = smsc.receive(p.HEADER.pack(5, 4, 0, 8) + p.encode(HELLO, 9), 0)

    assert events == [s.Broken("command_length 5")]
    assert smsc.state is State.CLOSED
    assert frames(smsc.octets_to_send()) == [p.Frame(p.GenericNack(), 8, ESME_RINVCMDLEN)]
    assert smsc.receive(p.encode(HELLO, 10), 0) == []


def test_a_generic_nack_answers_the_request_it_names(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)

    events = esme.receive(p.encode(p.GenericNack(), sequence, ESME_RTHROTTLED), 0)

    nack = p.Frame(p.GenericNack(), sequence, ESME_RTHROTTLED)
    assert events == [s.Answered(sequence, HELLO, nack)]


@pytest.mark.parametrize("answer", [p.SubmitSmResp("77"), p.GenericNack()])
def test_an_answer_nobody_waits_for_is_stray(pair, answer):
    esme, smsc = pair
    bound(esme, smsc)

    assert esme.receive(p.encode(answer, 99), 0) == [s.Stray(p.Frame(answer, 99))]


def test_an_answer_of_the_wrong_kind_leaves_the_request_waiting(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)

    [event] = esme.receive(p.encode(p.DeliverSmResp(), sequence), 0)

    assert isinstance(event, s.Stray)
    assert esme.outstanding == 1


def test_a_request_without_an_answer_expires_once(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)

    assert [esme.tick(now) for now in (30, 30.5, 31)] == [[], [s.Expired(sequence, HELLO)], []]


def test_requests_expire_in_the_order_of_asking(pair):
    esme, smsc = pair
    bound(esme, smsc)
    first, second = esme.ask(HELLO, 0), esme.ask(HELLO, 10)

    assert [event.sequence for event in esme.tick(35)] == [first]
    assert [event.sequence for event in esme.tick(41)] == [second]


def test_an_answer_after_its_time_is_stray(pair):
    esme, smsc = pair
    bound(esme, smsc)
    sequence = esme.ask(HELLO, 0)
    esme.tick(31)

    [event] = esme.receive(p.encode(p.SubmitSmResp("77"), sequence), 32)

    assert isinstance(event, s.Stray)


def test_silence_is_asked_about_and_twice_unanswered_is_the_end(pair):
    esme, smsc = pair
    bound(esme, smsc)
    heard = []
    for now in (29, 30, 59, 60, 89, 90):
        events = esme.tick(now)
        heard.append((len(frames(esme.octets_to_send())), events))

    assert heard[:5] == [(0, []), (1, []), (0, []), (1, []), (0, [])]
    assert heard[5] == (0, [s.Broken("2 enquire_link unanswered")])
    assert esme.state is State.CLOSED


def test_anything_heard_ends_the_silence(pair):
    esme, smsc = pair
    bound(esme, smsc)
    for now in range(10, 500, 10):
        esme.tick(now)
        smsc.receive(esme.octets_to_send(), now)
        esme.receive(smsc.octets_to_send(), now)

    assert esme.state is State.BOUND_TRX


def test_whoever_does_not_bind_is_sent_away():
    smsc = s.Session(Side.SMSC, now=0)

    assert smsc.tick(30) == []
    assert smsc.tick(31) == [s.Broken("no bind within 30 s")]


def test_a_peer_that_only_answers_is_idle(pair):
    esme, _ = pair
    smsc = s.Session(Side.SMSC, 0, s.Limits(enquire_s=60, idle_s=120))
    bound(esme, smsc)
    for now in (60, 120):
        smsc.tick(now)
        esme.receive(smsc.octets_to_send(), now)
        smsc.receive(esme.octets_to_send(), now)

    assert smsc.tick(121) == [s.Broken("idle for 120 s")]


def test_more_requests_than_we_can_answer_are_throttled(pair):
    esme, _ = pair
    smsc = s.Session(Side.SMSC, 0, s.Limits(owed_max=2))
    bound(esme, smsc)
    for _ in range(3):
        esme.ask(HELLO, 0)

    first, _, third = smsc.receive(esme.octets_to_send(), 0)

    assert isinstance(third, s.Turned)
    assert third.status == ESME_RTHROTTLED
    smsc.answer(first.frame)
    esme.ask(HELLO, 0)
    assert isinstance(smsc.receive(esme.octets_to_send(), 0)[0], s.Asked)


def test_an_unbind_is_answered_and_both_are_unbound(pair):
    esme, smsc = pair
    bound(esme, smsc)
    esme.ask(p.Unbind(), 0)

    assert smsc.receive(esme.octets_to_send(), 0) == [s.Unbound()]
    [answered] = esme.receive(smsc.octets_to_send(), 0)
    assert isinstance(answered, s.Answered)
    assert [session.state for session in pair] == [State.UNBOUND] * 2


def test_what_was_asked_before_an_unbind_may_still_be_answered(pair):
    esme, smsc = pair
    bound(esme, smsc)
    esme.ask(HELLO, 0)
    [asked] = smsc.receive(esme.octets_to_send(), 0)
    esme.ask(p.Unbind(), 0)
    smsc.receive(esme.octets_to_send(), 0)
    smsc.answer(asked.frame, p.SubmitSmResp("77"))

    events = esme.receive(smsc.octets_to_send(), 0)

    assert {type(event.request) for event in events} == {p.Unbind, p.SubmitSm}


def test_an_outbind_invites_a_bind(pair):
    esme, smsc = pair
    smsc.ask(p.Outbind("carrier", "secret"), 0)

    assert esme.receive(smsc.octets_to_send(), 0) == [
        s.Asked(p.Frame(p.Outbind("carrier", "secret"), 1))
    ]
    assert (smsc.outstanding, esme.owed) == (0, 0)


def test_a_sequence_in_use_is_passed_over(pair):
    esme, smsc = pair
    bound(esme, smsc)
    waiting = esme.ask(HELLO, 0)
    esme._sequence = p.SEQUENCE_MAX - 1

    sequences = [esme.ask(HELLO, 0) for _ in range(3)]

    assert sequences == [p.SEQUENCE_MAX, 1, waiting + 1]


HEADERS = st.builds(
    lambda length, command, status, sequence, body: (
        p.HEADER.pack(16 + len(body) + length, command, status, sequence) + body
    ),
    st.sampled_from([0, 0, 0, 1, 70000]),
    st.sampled_from([*p.PDUS, 0x21, 0x80000021]),
    st.sampled_from([0, 8]),
    st.integers(0, 5),
    st.binary(max_size=60),
)


@given(
    st.sampled_from(Side),
    st.booleans(),
    st.lists(st.one_of(st.binary(max_size=80), HEADERS), max_size=8),
)
def test_no_octets_make_a_session_raise(side, is_bound, pieces):
    pair = s.Session(Side.ESME, 0), s.Session(Side.SMSC, 0)
    if is_bound:
        bound(*pair)
    session = pair[0] if side is Side.ESME else pair[1]
    for now, piece in enumerate(pieces):
        for event in session.receive(piece, now):
            assert isinstance(event, s.Event)
        session.tick(now)

    frames(session.octets_to_send())  # what we say can always be read


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_the_sizes_of_what_arrives_do_not_matter(sizes):
    octets = b"".join(p.encode(HELLO, sequence) for sequence in range(1, 6))
    pair = s.Session(Side.ESME, 0), s.Session(Side.SMSC, 0)
    bound(*pair)
    events, at = [], 0
    for size in [*sizes, len(octets)]:
        events += pair[1].receive(octets[at : at + size], 0)
        at += size

    assert events == [s.Asked(p.Frame(HELLO, sequence)) for sequence in range(1, 6)]


def test_what_came_may_be_read_a_few_requests_at_a_time(pair):
    esme, smsc = pair
    bound(esme, smsc)
    for _ in range(5):
        esme.ask(HELLO, 0)
    octets = esme.octets_to_send()

    found = []
    for data in (octets[:-3], b"", b"", octets[-3:], b""):
        events = smsc.receive(data, 0, most=2)
        found.append((len(events), smsc.behind))

    assert found == [(2, True), (2, True), (0, False), (1, False), (0, False)]


def test_nothing_is_left_behind_by_a_session_that_is_over(pair):
    esme, smsc = pair
    bound(esme, smsc)
    esme.ask(HELLO, 0)

    events = smsc.receive(esme.octets_to_send() + b"\0" * 40, 0, most=2)

    assert [type(event) for event in events] == [s.Asked, s.Broken]
    assert not smsc.behind
