"""Ten thousand messages through the whole centre to a carrier that somebody else wrote."""

import asyncio
import itertools
import time
from collections import Counter

import pytest
from tests.serving import SOON_S

pytestmark = pytest.mark.anyio

LISTS, IN_A_LIST, SINGLES = 3, 3_300, 100
SHORT = ("Your code is {0}", "Ваш код: {0}")
LONG = (
    "Number {0} of a text that is too long for one message. " * 4,
    "Номер {0}: письмо, которое длиннее одного сообщения. " * 3,
)
TEXTS = SHORT * 4 + LONG
FOLLOWS_S_MAX = 2.0
TIMES_MAX = 8  # that a machine busy with other things may take longer


def messages():
    """Phone and text of each message, Latin and Cyrillic, short and long."""
    count = LISTS * IN_A_LIST + SINGLES
    return [
        (str(79_160_000_000 + number), TEXTS[number % len(TEXTS)].format(number).strip())
        for number in range(count)
    ]


def whole_texts(submits):
    """What each phone got, its parts joined in their order, and how often it got each part."""
    parts = {}
    for submit in submits:
        header = submit["udh"][0] if submit["udh"] else ""
        parts.setdefault(submit["to"], []).append((header[-2:], submit["message"]))
    return {phone: "".join(text for _, text in sorted(got)) for phone, got in parts.items()}


async def send_all(centre, asked):
    """Lists and singles at the same time; id and phone of each message."""
    lists = [asked[at * IN_A_LIST : (at + 1) * IN_A_LIST] for at in range(LISTS)]
    answers = await asyncio.gather(
        *(centre.ask("send", list="\n".join(f"{p}:{t}" for p, t in one)) for one in lists),
        *(centre.ask("send", phones=p, mes=t) for p, t in asked[LISTS * IN_A_LIST :]),
    )
    singles = [[one] for one in asked[LISTS * IN_A_LIST :]]
    pairs = [
        (answer["id"], phone)
        for answer, some in zip(answers, lists + singles, strict=True)
        for phone, _ in some
    ]
    return pairs, sum(answer["cnt"] for answer in answers)


@pytest.mark.parametrize("npm_carrier", [["--hex"]], indirect=True)
async def test_each_of_ten_thousand_messages_reaches_its_phone_once(centre, npm_carrier):
    await centre.run(
        *("carrier", "add", "npm", "--port", str(npm_carrier.port), "--system-id", "shop"),
        *("--password", "secret", "--window", "200"),
        *("response_ids=hexadecimal", "receipt_ids=decimal"),
    )
    await centre.run("route", "add", "--carrier", "npm")
    asked = messages()
    await centre.routed("npm", asked[0][0])

    pairs, parts = await send_all(centre, asked)
    statuses = await centre.ended(pairs, wait_s=120)
    submits = npm_carrier.submits()

    assert Counter(statuses.values()) == {1: len(asked)}
    assert len(submits) == parts
    assert whole_texts(submits) == dict(asked)
    assert await centre.balance() == f"{100_000 - parts}.00"
    await centre.sound()


async def follows_s(centre, carrier, phones):
    """Seconds from now until the first message is accepted that leaves by the carrier."""
    began = time.monotonic()
    while True:
        phone = next(phones)
        answer = await centre.ask("send", phones=phone, mes="Hello")
        took_s = time.monotonic() - began
        await centre.ended([(answer["id"], phone)])
        if phone in {submit["to"] for submit in carrier.submits()}:
            return took_s
        assert took_s < SOON_S, "it is not followed"


async def test_a_serving_centre_follows_the_operator_within_two_seconds(centre, npm_carrier):
    await centre.run("carrier", "add", "npm", "--port", str(npm_carrier.port))
    await centre.run("carrier", "set", "npm", "system_id=shop", "password=secret")
    phones = (f"7916000{number:04}" for number in itertools.count())
    took_s = []
    for number in range(1, TIMES_MAX + 1):
        await centre.run("route", "add", "--carrier", "npm")
        took_s.append(await follows_s(centre, npm_carrier, phones))
        if took_s[-1] <= FOLLOWS_S_MAX:
            break
        await centre.run("route", "remove", str(number))
        await asyncio.sleep(FOLLOWS_S_MAX)  # the next change is another one, seen by itself

    assert min(took_s) <= FOLLOWS_S_MAX, took_s
