"""What a shell script sees: the real `curl`, both charsets, both methods, answers to the octet."""

import asyncio
import itertools
import shutil
import subprocess

import pytest
from tests.serving import LOGIN, PASSWORD, Centre

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

CODECS = {"windows-1251": "cp1251", "utf-8": "utf-8"}
TYPES = ("text/plain", "text/plain", "text/xml", "application/json")
TEXT = "Привет, мир! № 1"
PHONE = "79161112233"
SENT = {
    0: "OK - 1 SMS, ID - {id}, COST - 1.00",
    1: "{id},1,1.00",
    2: "<result>\n<id>{id}</id>\n<cnt>1</cnt>\n<cost>1.00</cost>\n</result>",
    3: '{{\n"id": {id},\n"cnt": 1,\n"cost": "1.00"\n}}',
}
WRONG_LOGIN = (
    b"ERROR = 2 (authorise error)",
    b"0,-2",
    b"<result>\n<error>authorise error</error>\n<error_code>2</error_code>\n</result>",
    b'{\n"error": "authorise error",\n"error_code": 2\n}',
)
BAD_NUMBER = (
    b"ERROR = 7 (invalid number), ID - 77",
    b"77,-7",
    b"<result>\n<error>invalid number</error>\n<error_code>7</error_code>\n<id>77</id>\n</result>",
    b'{\n"error": "invalid number",\n"error_code": 7,\n"id": 77\n}',
)
COST = (
    b"2.00 (2 SMS)",
    b"2.00,2",
    b"<result>\n<cnt>2</cnt>\n<cost>2.00</cost>\n</result>",
    b'{\n"cost": "2.00",\n"cnt": 2\n}',
)
NOT_FOUND = (
    b"Status = -3",
    b"-3,,",
    b"<sms>\n<status>-3</status>\n</sms>",
    b'{\n"status": -3\n}',
)
ids = itertools.count(1_000)


@pytest.fixture(scope="module")
async def centre(furnished, tmp_path_factory):
    folder = shutil.copytree(furnished, tmp_path_factory.mktemp("curl") / "data")
    async with Centre(folder, ACCESS__WRONG_REQUESTS="0") as serving_one:
        yield serving_one


async def curl(centre, endpoint, *words, **given):
    """Status line and headers in lower case, and the body, of `curl WORDS address`."""
    method = "-G" if "GET" in words else "-d"
    encoded = [b"%s=%s" % (name.encode(), octets(value)) for name, value in given.items()]
    switches = [word for pair in encoded for word in ("--data-urlencode", pair)]
    extra = [word for word in words if word not in ("GET", "POST")]
    command = ["curl", "-s", "-S", "-i", "--max-time", "20", *switches, *extra]
    if method == "-G":
        command.append("-G")
    done = await asyncio.to_thread(
        subprocess.run, [*command, f"{centre.base}/sys/{endpoint}.php"], capture_output=True
    )
    assert not done.returncode, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return head.decode("latin-1").lower(), body


def octets(value):
    return value if isinstance(value, bytes) else str(value).encode()


def account(**given):
    return {"login": LOGIN, "psw": PASSWORD, **given}


@pytest.mark.parametrize("fmt", range(4))
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("charset", CODECS)
async def test_a_russian_text_goes_and_comes_back_in_its_charset(centre, charset, method, fmt):
    codec, own = CODECS[charset], next(ids)
    asked = account(charset=charset, fmt=fmt, id=own)
    head, body = await curl(
        *(centre, "send", method),
        **asked,
        phones="+7 (916) 111-22-33",
        mes=TEXT.encode(codec),
        cost=2,
    )
    await centre.ended([(own, PHONE)])
    _, told = await curl(centre, "status", method, **asked, phone=PHONE, all=1)

    assert body == SENT[fmt].format(id=own).encode()
    assert head.startswith("http/1.1 200")
    assert f"content-type: {TYPES[fmt]}; charset={charset}" in head
    assert f"content-length: {len(body)}" in head
    assert TEXT.encode(codec) in told
    assert "Доставлено".encode(codec) in told


@pytest.mark.parametrize("fmt", range(4))
async def test_a_wrong_password_is_told_to_the_octet(centre, fmt):
    _, body = await curl(centre, "balance", login=LOGIN, psw="wrong", fmt=fmt)

    assert body == WRONG_LOGIN[fmt]


@pytest.mark.parametrize("fmt", range(4))
async def test_a_bad_number_is_told_with_its_id(centre, fmt):
    _, body = await curl(centre, "send", **account(fmt=fmt, id=77, phones="123", mes="Hello"))

    assert body == BAD_NUMBER[fmt]


@pytest.mark.parametrize("fmt", range(4))
async def test_a_price_is_told_and_nothing_is_sent(centre, fmt):
    before = await centre.balance()
    asked = account(fmt=fmt, phones=f"{PHONE};{PHONE[:-1]}0", mes="Hello", cost=1)
    _, body = await curl(centre, "send", "GET", **asked)

    assert body == COST[fmt]
    assert await centre.balance() == before


@pytest.mark.parametrize("fmt", range(4))
async def test_an_unknown_message_is_minus_three(centre, fmt):
    _, body = await curl(centre, "status", **account(fmt=fmt, phone=PHONE, id=999_999))

    assert body == NOT_FOUND[fmt]


async def test_the_balance_after_a_send_is_told_in_four_forms(centre):
    bodies = []
    for fmt in range(4):
        asked = account(fmt=fmt, phones=PHONE, mes=f"Hello {fmt}", id=fmt + 1, cost=3)
        bodies.append((await curl(centre, "send", **asked))[1].decode())
    left = [f"{float(await centre.balance()) + 3 - sent:.2f}" for sent in range(4)]

    assert bodies == [
        f"OK - 1 SMS, ID - 1, COST - 1.00, BALANCE - {left[0]}",
        f"2,1,1.00,{left[1]}",
        f"<result>\n<id>3</id>\n<cnt>1</cnt>\n<cost>1.00</cost>\n<balance>{left[2]}</balance>\n</result>",
        f'{{\n"id": 4,\n"cnt": 1,\n"cost": "1.00",\n"balance": "{left[3]}"\n}}',
    ]


async def test_a_multipart_form_is_a_form(centre):
    fields = account(phones=PHONE, mes=TEXT, charset="utf-8", fmt=1, id=next(ids))
    words = [
        word for name, value in fields.items() for word in ("--form-string", f"{name}={value}")
    ]
    _, body = await curl(centre, "send", *words)

    assert body == f"{fields['id']},1".encode()


async def test_query_and_body_are_read_together_and_the_body_wins(centre):
    own = next(ids)
    query = f"?login={LOGIN}&fmt=0&id={own}&phones={PHONE}"
    done = await asyncio.to_thread(
        subprocess.run,
        ["curl", "-s", "-d", f"psw={PASSWORD}", "-d", "fmt=1", "-d", "mes=Hello"]
        + [f"{centre.base}/sys/send.php{query}"],
        capture_output=True,
    )

    assert done.stdout == f"{own},1".encode()


async def test_json_is_posted_and_answered(centre):
    done = await asyncio.to_thread(
        subprocess.run,
        ["curl", "-s", "-H", "Content-Type: application/json", f"{centre.base}/rest/send/", "-d"]
        + [f'{{"login":"{LOGIN}","psw":"{PASSWORD}","phones":"{PHONE}","mes":"{TEXT}","id":5}}'],
        capture_output=True,
    )

    assert done.stdout == b'{\n"id": 5,\n"cnt": 1\n}'
