import pytest
from tests.doors.smtp.conftest import letter

from vestnik.domain.message import Kind

pytestmark = pytest.mark.anyio

TO = "alex.news@centre.example"
HEADERS = (
    "From: Ann <ann@client.example>\r\nSubject: Parcel\r\nContent-Type: text/plain; charset=utf-8"
)


@pytest.fixture
async def named(post):
    """alex gets letters to alex.news on the phone."""
    await post.limit(mail_name="Alex.News", mail_phone="79161234567")
    return post


async def texts(post):
    return [row[1] for row in await post.rows()]


async def test_a_letter_to_an_account_becomes_a_message_to_its_phone(named):
    told = await named.told(letter("It is here.\r\n\r\nCome!\r\n", HEADERS), to=TO)

    assert told == (250, "OK")
    assert await named.rows() == [
        ("79161234567", "ann@client.example: Parcel It is here. Come!", "Vestnik", Kind.SMS)
    ]


async def test_the_message_is_one_part(named):
    await named.told(letter("x" * 1_000, HEADERS), to=TO)
    await named.told(letter("Ы" * 1_000, HEADERS), to=TO)

    assert [len(text) for text in await texts(named)] == [160, 70]


async def test_a_page_is_read_as_text(named):
    page = "<head><style>p {}</style></head><p>Hello,<br>Bob</p>"
    await named.told(letter(page, "Content-Type: text/html; charset=utf-8"), to=TO)

    assert await texts(named) == ["Hello, Bob"]


@pytest.mark.parametrize("body", ["__CALL__79160000000", "alex:123:::0,0,:79160000000:Hi"])
async def test_nothing_in_a_letter_of_a_stranger_is_a_command(named, body):
    await named.told(letter(body, "X: y"), to=TO)

    [(phone, text, _, kind)] = await named.rows()
    assert (phone, text, kind) == ("79161234567", body.lstrip("_"), Kind.SMS)


async def test_a_letter_that_says_nothing_is_refused(named):
    assert (await named.told(letter("", "X: y"), to=TO))[0] == 554


async def test_what_is_wrong_with_the_account_is_no_business_of_the_writer(named):
    await named.limit(mail_phone="12")

    assert await named.told(letter("Hi"), to=TO) == (554, "The letter cannot be delivered.")


async def test_a_name_that_nobody_has_is_no_recipient(named):
    assert (await named.told(letter("Hi"), to="bob.news@centre.example"))[0] == 550

    await named.limit(mail_name="")

    assert (await named.told(letter("Hi"), to=TO))[0] == 550


async def test_a_locked_account_gets_no_letters(named):
    await named.limit(locked=1)

    assert (await named.told(letter("Hi"), to=TO))[0] == 550
