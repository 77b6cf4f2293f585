import asyncio
import shutil
import smtplib
import socket
import ssl
import subprocess
from email.message import EmailMessage

import pytest
from tests.doors.smtp.conftest import FAR_S, letter, posting

from vestnik.domain.message import Kind
from vestnik.domain.refusals import StoreUnavailable

pytestmark = pytest.mark.anyio

HELLO = letter("alex:123:::0,0,:79161234567:Hello world!")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so there is no certificate to test TLS with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem", folder / "key.pem"


async def test_a_letter_is_a_message(post):
    assert await post.told(HELLO) == (250, "OK - 1 SMS, ID - 1")
    assert await post.rows() == [("79161234567", "Hello world!", "Vestnik", Kind.SMS)]


async def test_the_key_stands_in_the_place_of_the_password(post):
    told = await post.told(letter(f":{post.key}:77::0,0,SHOP:+79161234567:Hi"))

    assert told == (250, "OK - 1 SMS, ID - 77")


async def test_several_phones_get_one_text(post):
    told = await post.told(letter("alex:123:::1,0,SHOP:79161234567;8 (916) 123-45-68:Привет"))

    assert told == (250, "OK - 2 SMS, ID - 1")
    assert await post.rows() == [
        ("79161234567", "Privet", "SHOP", Kind.SMS),
        ("79161234568", "Privet", "SHOP", Kind.SMS),
    ]


async def test_a_list_has_texts_of_their_own(post):
    told = await post.told(
        letter("alex:123:::0,0,SHOP::79161234567:Your code: 123\r\n79161234568:One\\ntwo")
    )

    assert told == (250, "OK - 2 SMS, ID - 1")
    assert [row[:2] for row in await post.rows()] == [
        ("79161234567", "Your code: 123"),
        ("79161234568", "One\ntwo"),
    ]


async def test_what_was_answered_is_on_record_before_the_answer(post):
    for n in range(3):
        await post.told(letter(f"alex:123:::0,0,:79161234567:Number {n}"))

        assert len(await post.rows()) == n + 1


async def test_a_test_checks_everything_and_sends_nothing(post):
    assert (await post.told(letter("alex:123:::0,0,,1:79161234567:Hi")))[0] == 250

    statement = await post.centre.assembly.services.billing.statement(
        post.centre.current.value.clients[1]
    )
    assert statement.available == 100_000_000


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("alex:124:::0,0,:79161234567:Hi", "ERROR = 2 (authorise error)"),
        ("bob:123:::0,0,:79161234567:Hi", "ERROR = 2 (authorise error)"),
        ("alex:123:::0,0,:12:Hi", "ERROR = 7 (invalid number), ID - 1"),
        ("alex:123::9999999999:0,0,:79161234567:Hi", "ERROR = 5 (invalid date)"),
        ("alex:123:5::0,0,Ы:79161234567:Hi", "ERROR = 6 (message is denied), ID - 5"),
        ("alex:123:::0,0,:79161234567:", "ERROR = 1 (parameters error: mes: the text is empty)"),
        (
            "alex:123:::0,99,:79161234567:Hi",
            "ERROR = 1 (parameters error: format is a number from 0 to 14)",
        ),
    ],
)
async def test_a_refusal_is_told_in_the_dialogue(post, command, expected):
    assert await post.told(letter(command)) == (554, expected)


async def test_an_empty_account_is_error_3(post):
    phones = ",".join(f"7916123{n:04}" for n in range(101))

    told = await post.told(letter(f"alex:123:9::0,0,:{phones}:Hi"))

    assert told == (554, "ERROR = 3 (no money), ID - 9")


async def test_an_identical_letter_within_a_minute_is_error_9(post):
    await post.told(HELLO)

    assert await post.told(HELLO) == (554, "ERROR = 9 (duplicate request, wait a minute)")


def dated(message_id, text="Hello", date="Sun, 15 Jun 2025 18:06:40 +0300"):
    headers = f"Message-ID: <{message_id}@client.example>\r\nDate: {date}"
    return letter(f"alex:123:::0,0,:79161234567:{text}", headers)


async def test_a_letter_handed_over_again_has_its_first_answer_and_is_sent_once(post):
    first = await post.told(dated(1))

    assert await post.told(dated(1)) == first == (250, "OK - 1 SMS, ID - 1")
    assert len(await post.rows()) == 1


async def test_another_letter_that_asks_for_the_same_is_error_9(post):
    await post.told(dated(1))

    assert (await post.told(dated(2)))[1] == "ERROR = 9 (duplicate request, wait a minute)"
    assert (await post.told(HELLO))[0] == 250  # other words


async def test_one_message_id_for_all_letters_does_not_make_them_one(post):
    await post.told(dated(1, "One"))

    assert (await post.told(dated(1, "Two")))[0] == 250
    assert len(await post.rows()) == 2


async def test_a_store_that_is_away_makes_the_mail_server_try_again(post, monkeypatch):
    async def away(*args):
        raise StoreUnavailable("away")

    monkeypatch.setattr(post.centre.store, "write", away)

    code, line = await post.told(HELLO)

    assert (code, line) == (451, "The centre cannot take letters at the moment; please try again.")


async def test_a_mistake_of_ours_is_told_as_ours(post, monkeypatch):
    async def broken(order):
        raise ZeroDivisionError

    monkeypatch.setattr(post.centre.assembly.services.sending, "send", broken)

    code, line = await post.told(HELLO)

    assert (code, line.partition(" made")[0]) == (451, "The centre")


@pytest.mark.parametrize("to", ["SEND@other.example", "send@localhost"])
async def test_any_domain_may_stand_behind_send(post, to):
    assert (await post.told(HELLO, to=to))[0] == 250


@pytest.mark.parametrize("to", ["bob@centre.example", "send", "x%send@w.example"])
async def test_nothing_is_passed_on(post, to):
    assert (await post.told(HELLO, to=to))[0] == 550


async def test_an_operator_may_name_his_domains(tmp_path):
    async with posting(tmp_path, domains=("send.centre.example",)) as post:
        assert (await post.told(HELLO, to="send@Send.centre.example"))[0] == 250
        assert (await post.told(HELLO, to="send@other.example"))[0] == 550


async def test_there_is_no_sender_that_is_refused(post):
    assert (await post.told(HELLO, sender=""))[0] == 250


async def test_an_address_that_guesses_is_told_to_come_later(tmp_path):
    async with posting(tmp_path, wrong_requests=2) as post:
        for n in range(2):
            await post.told(letter(f"alex:guess{n}:::0,0,:79161234567:Hi"))

        assert await post.told(HELLO) == (451, "ERROR = 4 (IP is blocked)")


async def test_an_account_is_called_from_its_addresses_alone(post):
    await post.limit(addresses="192.0.2.7")

    assert await post.told(HELLO) == (554, "ERROR = 2 (authorise error)")


async def test_a_letter_of_a_mail_program_is_read(post):
    message = EmailMessage()
    message["Subject"] = "Письмо"
    message.set_content("alex:123:::0,8,shop@client.example:ann@client.example:Здравствуйте, Анна")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="счёт.pdf")

    told = await post.told(bytes(message))

    assert told[0] == 250
    assert (await post.rows())[0] == (
        "ann@client.example",
        "Здравствуйте, Анна",
        "shop@client.example",
        Kind.MAIL,
    )
    assert await post.options() == (
        '{"files":[{"field":"file","name":"счёт.pdf","octets":"JVBERi0xLjQ="}],"subj":"Письмо"}'
    )


async def test_a_dialogue_may_speak_tls(tmp_path, certificate):
    file, key = certificate
    async with posting(tmp_path, certificate=file, certificate_key=key) as post:

        def told():
            context = ssl.create_default_context(cafile=file)
            with smtplib.SMTP("localhost", post.port, timeout=FAR_S) as mailer:
                mailer.starttls(context=context)
                mailer.ehlo()
                assert not mailer.has_extn("auth")
                return mailer.sendmail("a@b.example", ["send@x.example"], HELLO)

        assert await asyncio.to_thread(told) == {}
        assert len(await post.rows()) == 1


async def test_swaks_sends(post):
    if shutil.which("swaks") is None:
        pytest.skip("swaks is not installed (apt-get install swaks)")
    words = ["swaks", "--to", "send@centre.example", "--from", "shop@client.example"]
    words += ["--server", f"127.0.0.1:{post.port}", "--header", "Subject: "]
    words += ["--body", "alex:123:78::0,0,SHOP:79161234567:From the shell"]
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    assert "250 OK - 1 SMS, ID - 78" in said.decode()


class Dialogue:
    """A connection that says whatever the test likes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=FAR_S)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.file.close()
        self.socket.close()

    def say(self, octets):
        self.socket.sendall(octets)

    def hear(self):
        """One whole reply; empty when the door has hung up."""
        try:
            while (line := self.file.readline())[3:4] == b"-":
                continue
        except ConnectionResetError:
            return b""
        return line

    def ask(self, octets):
        self.say(octets + b"\r\n")
        return self.hear()

    def up_to_data(self):
        self.hear()
        self.ask(b"EHLO x")
        self.ask(b"MAIL FROM:<a@b.example>")
        self.ask(b"RCPT TO:<send@x.example>")
        return self.ask(b"DATA")


def talk(work):
    """A dialogue in a thread, beside the door's loop."""

    def run(port):
        with Dialogue(port) as dialogue:
            return work(dialogue)

    return lambda port: asyncio.to_thread(run, port)


async def test_a_letter_of_100_kb_is_taken_and_a_longer_one_is_not(post):
    command = "alex:123:::0,0,:79161234567:Hi"
    head = len(letter(command, "X-Fill: "))
    fits = letter(command, "X-Fill: " + "x\r\n " * ((102_400 - head) // 4))

    assert (await post.told(fits))[0] == 250
    assert (await post.told(fits + b"x" * 5))[0] == 552


async def test_a_letter_may_say_beforehand_that_it_is_too_long(post):
    @talk
    def work(dialogue):
        dialogue.hear()
        dialogue.ask(b"EHLO x")
        return dialogue.ask(b"MAIL FROM:<a@b.example> SIZE=102401")

    assert (await work(post.port))[:3] == b"552"


async def test_a_line_that_never_ends_is_cut_off(post):
    @talk
    def work(dialogue):
        dialogue.up_to_data()
        try:
            for _ in range(200):
                dialogue.say(b"x" * 10_000)
        except OSError:  # the door has hung up, as it shall
            return b"552"
        return dialogue.hear()

    assert (await work(post.port))[:3] in (b"552", b"")
    assert (await post.told(HELLO))[0] == 250


async def test_a_long_line_of_text_is_no_error(post):
    text = "x" * 1_000

    assert (await post.told(letter(f"alex:123:::0,0,:79161234567:{text}")))[0] == 250


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"FOO", b"500"),
        (b"MAIL FROM:<a\0b>", b"250"),
        (b"EHLO x\0y", b"250"),
        (b"\xff\xfe", b"500"),
        (b"x" * 5_000, b"500"),
        (b"x" * 500_000, b"500"),
        (b"EXPN all", b"502"),
        (b"VRFY bob@x.example", b"252"),
        (b"AUTH PLAIN AGFsZXgAMTIz", b"502"),
        (b"RCPT TO:<send@x.example>", b"503"),
        (b"MAIL FROM:<" + b"(" * 400, b"553"),
    ],
)
async def test_odd_commands_get_plain_answers(post, line, expected):
    @talk
    def work(dialogue):
        dialogue.hear()
        if not line.startswith(b"EHLO"):
            dialogue.ask(b"EHLO x")
        return dialogue.ask(line), dialogue.ask(b"NOOP")

    answer, after = await work(post.port)

    assert (answer[:3], after[:3]) == (expected, b"250")


async def test_whoever_says_nothing_is_hung_up_on(tmp_path):
    async with posting(tmp_path, idle_s_max=1) as post:

        @talk
        def work(dialogue):
            dialogue.up_to_data()
            return dialogue.hear()

        assert await work(post.port) == b""


async def test_one_address_has_so_many_connections(tmp_path):
    async with posting(tmp_path, connections_per_address=2) as post:

        def work():
            with Dialogue(post.port) as one, Dialogue(post.port) as two:
                heard = [one.hear(), two.hear()]
                with Dialogue(post.port) as three:
                    heard.append(three.hear())
            return [line[:3] for line in heard]

        assert await asyncio.to_thread(work) == [b"220", b"220", b"421"]
        assert (await post.told(HELLO))[0] == 250


async def test_a_letter_that_is_being_taken_is_finished_before_the_door_closes(post, monkeypatch):
    sending, begun, go_on = post.centre.assembly.services.sending, asyncio.Event(), asyncio.Event()
    send = sending.send

    async def slowly(order):
        begun.set()
        await go_on.wait()
        return await send(order)

    monkeypatch.setattr(sending, "send", slowly)
    with Dialogue(post.port) as idle:
        await asyncio.to_thread(idle.hear)
        told = asyncio.ensure_future(post.told(HELLO))
        await begun.wait()
        stopping = asyncio.ensure_future(post.door.stop())

        assert (await asyncio.to_thread(idle.hear))[:3] == b"421"
        assert not stopping.done()

        go_on.set()

        assert await told == (250, "OK - 1 SMS, ID - 1")
        await stopping
