import json

import pytest
from tests.fakes.paperwork import Desk

from vestnik.domain.sender import Status
from vestnik.services.centre import names
from vestnik.services.senders import moderation, templates

pytestmark = pytest.mark.anyio

TEXT = "Your code is %d"
ADD = "add=1&sender=Shop&msg=Your+code+is+%25d"
MTS, MEGA = "25001", "25002"


@pytest.fixture
async def desk(store):
    return await furnished(Desk(), store)


@pytest.fixture
async def strict(store):
    """A desk whose operator approves names and texts; Shop is a name of alex."""
    made = await furnished(Desk(), store, registration=True)
    await made.say("senders", "add=1&sender=Shop")
    return made


async def furnished(desk, store, **more):
    await desk.over(store, **more)
    for login in ("alex", "boris"):
        await desk.set(login, identical_per_minute=0)
    return desk


async def ask(desk, query, **more):
    return await desk.say("op_templates", query, **more)


async def judge(desk, number, status, login="alex"):
    await desk.store.write(templates.judge, login, number, status)
    await desk.current.refresh()


def permitted(desk, text, operator=MTS, sender="Shop", login="alex"):
    return names.permits(desk.current.value, desk.client(login).id, sender, operator, text)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "MTS (service), ID - 1\nSocial networks, ID - 2"),
        (1, "MTS (service),1\nSocial networks,2"),
        (
            2,
            (
                "<templates>\n<template><name>MTS (service)</name><id>1</id></template>\n"
                "<template><name>Social networks</name><id>2</id></template>\n</templates>"
            ),
        ),
        (
            3,
            (
                '[{\n"name": "MTS (service)",\n"id": 1\n},\n{\n"name": "Social networks",\n'
                '"id": 2\n}]'
            ),
        ),
    ],
)
async def test_a_text_is_registered_once_for_each_kind(desk, fmt, expected):
    assert await ask(desk, f"{ADD}&mts_srv=1&soc=1&bee_srv=0&fmt={fmt}") == expected


async def test_what_became_of_it_is_told_for_a_sender_and_a_text(strict):
    await ask(strict, f"{ADD}&mts_srv=1&mega_adv=1")
    await ask(strict, "add=1&sender=Other&msg=Hello&mts_srv=1")
    await judge(strict, 2, templates.APPROVED)

    assert await ask(strict, "get=1&sender=shop&fmt=1") == (
        "MTS (service),1,0\nMegafon (advertising),2,1"
    )
    assert await ask(strict, "get=1&sender=Other&msg=Hello") == "MTS (service), ID - 3, status = 0"
    assert len(json.loads(await ask(strict, "get=1&fmt=3"))) == 3
    assert await ask(strict, "get=1&sender=Shop&msg=Hello") == "ERROR = 3 (record not found)"


async def test_the_same_text_keeps_its_number(desk):
    await ask(desk, f"{ADD}&mts_srv=1")

    assert await ask(desk, f"{ADD}&mts_srv=1&mts_trn=1&fmt=1") == (
        "MTS (service),1\nMTS (transactional),3"
    )
    assert len(json.loads(await ask(desk, "get=1&fmt=3"))) == 2


WRONG = [
    "",
    "add=1&get=1",
    "add=1&msg=x&mts_srv=1",
    "add=1&sender=Shop&mts_srv=1",
    "add=1&sender=Shop&msg=x",
    "add=1&sender=Shop&msg=x&mts_srv=2",
    "add=1&sender=Shop&msg=%25w{5,1}&mts_srv=1",
    f"add=1&sender=Shop&msg={'x' * 1001}&mts_srv=1",
    f"add=1&sender={'x' * 101}&msg=x&mts_srv=1",
    "add=1&sender=a%0Ab&msg=x&mts_srv=1",
]


async def test_wrong_parameters_are_error_1(desk):
    for query in WRONG:
        assert await ask(desk, f"{query}&fmt=1") == "0,-1", query


async def test_nobody_sees_another_accounts_texts(desk):
    await ask(desk, f"{ADD}&mts_srv=1")

    assert await ask(desk, "get=1", login="boris") == "ERROR = 3 (record not found)"


async def test_there_is_a_limit(desk, monkeypatch):
    monkeypatch.setattr(templates, "TEMPLATES_MAX", 2)

    assert (await ask(desk, f"{ADD}&mts_srv=1&soc=1&bee_srv=1")).startswith("ERROR = 5 (")


# What operators let through.


async def test_where_names_need_no_registration_every_text_passes(desk):
    await ask(desk, f"{ADD}&mts_srv=1")

    assert permitted(desk, "Anything")


async def test_a_text_passes_that_satisfies_an_approved_template(strict):
    await ask(strict, f"{ADD}&mts_srv=1")
    assert permitted(strict, "Anything")  # nothing is approved yet: nothing is required

    await judge(strict, 1, templates.APPROVED)

    assert permitted(strict, "Your code is 1234")
    assert permitted(strict, "Your code is 1234", sender="SHOP")
    assert not permitted(strict, "Your code is hidden")
    assert permitted(strict, "Anything", operator=MEGA)
    assert permitted(strict, "Anything", sender="Other")
    assert permitted(strict, "Anything", login="boris")


async def test_one_of_several_templates_is_enough(strict):
    await ask(strict, f"{ADD}&mts_srv=1")
    await ask(strict, "add=1&sender=Shop&msg=Dear+%25w,+come!&mts_adv=1&mts_trn=1")
    for number in (1, 2):
        await judge(strict, number, templates.APPROVED)

    assert permitted(strict, "Dear Anna, come!")
    assert permitted(strict, "Your code is 7")


async def test_a_rejected_template_permits_nothing_more(strict):
    await ask(strict, f"{ADD}&mts_srv=1&mts_trn=1")
    for number in (1, 2):
        await judge(strict, number, templates.APPROVED)
    await judge(strict, 2, templates.REJECTED)
    assert permitted(strict, "Your code is 7")

    await judge(strict, 1, templates.REJECTED)
    assert permitted(strict, "Anything")


async def test_social_networks_have_templates_of_their_own(strict):
    await ask(strict, f"{ADD}&soc=1")
    await judge(strict, 1, templates.APPROVED)

    assert not permitted(strict, "Hello", operator=names.SOCIAL)
    assert permitted(strict, "Hello")


async def test_who_uses_the_name_of_its_main_account_keeps_to_its_templates(strict):
    await strict.subclient("shop", parent_senders=1)
    await strict.subclient("other")
    await strict.store.write(moderation.judge, "alex", "Shop", Status.APPROVED, "", strict.now)
    await ask(strict, f"{ADD}&mts_srv=1")
    await judge(strict, 1, templates.APPROVED)

    assert not permitted(strict, "Hello", login="shop")
    assert permitted(strict, "Hello", login="other")
