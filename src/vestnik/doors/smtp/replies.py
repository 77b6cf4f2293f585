"""Letters that tell a refusal, or what a test found, to whoever wrote (smtp.md, "Result")."""

import asyncio
import re
import uuid
from dataclasses import dataclass
from email.utils import formatdate

import aiosmtplib
import structlog

from vestnik.domain.refusals import TooManyRequests
from vestnik.doors.smtp.codes import plain
from vestnik.services.clients.access_limits import PerMinute, Recent

log = structlog.get_logger(__name__)

PER_MINUTE = 1  # letters to one address
PER_DAY = 10
DAY_MS = 86_400_000
REMEMBERED = 10_000  # addresses
WAITING_MAX = 100
RELAY_S_MAX = 30.0

# Who can be answered: nothing that a mail server would have to interpret.
_ADDRESS = re.compile(r"[^\s<>()\"\\,:;@]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Reply:
    recipient: str
    author: str
    subject: str
    line: str

    def octets(self) -> bytes:
        lines = [
            f"From: <{self.author}>",
            f"To: <{self.recipient}>",
            f"Subject: {self.subject}",
            f"Date: {formatdate()}",
            f"Message-ID: <{uuid.uuid4().hex}@{self.author.rpartition('@')[2]}>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            plain(self.line),
            "",
        ]
        return "\r\n".join(lines).encode("ascii")


class Replies:
    """Hands letters to a relay, one at a time, in the background.

    They are a courtesy: one that the relay does not take is logged and forgotten.
    """

    def __init__(self, relay: tuple[str, int]) -> None:
        self._host, self._port = relay
        self._waiting: asyncio.Queue[_Reply] = asyncio.Queue(WAITING_MAX)
        self._minute = PerMinute(REMEMBERED)
        self._day: Recent[str, list[int]] = Recent(REMEMBERED)

    def offer(self, recipient: str, author: str, subject: str, line: str, now_ms: int) -> bool:
        """Write to somebody; False if he cannot or may not be written to now."""
        if not (_ADDRESS.fullmatch(recipient) and _ADDRESS.fullmatch(author)):
            return False
        if self._waiting.full():
            return False
        today = [at for at in self._day.get(recipient) or [] if now_ms - at < DAY_MS]
        if len(today) >= PER_DAY:
            return False
        try:
            self._minute.count(recipient, PER_MINUTE, now_ms)
        except TooManyRequests:
            return False
        self._day.put(recipient, [*today, now_ms])
        self._waiting.put_nowait(_Reply(recipient, author, subject, line))
        return True

    async def run(self) -> None:
        """Send what was offered, until it is cancelled."""
        while True:
            reply = await self._waiting.get()
            try:
                await self._send(reply)
            except Exception:  # our bug: the letters behind it must not wait for ever
                log.exception("a reply could not be sent")
            finally:
                self._waiting.task_done()

    async def finish(self, wait_s: float) -> None:
        """Wait for what is still to be sent."""
        try:
            async with asyncio.timeout(wait_s):
                await self._waiting.join()
        except TimeoutError:
            log.warning("replies were not sent", waiting=self._waiting.qsize())

    async def _send(self, reply: _Reply) -> None:
        try:
            async with aiosmtplib.SMTP(
                hostname=self._host,
                port=self._port,
                timeout=RELAY_S_MAX,
                validate_certs=False,  # as mail servers do among each other; it holds no secret
            ) as relay:
                # An empty sender: nobody shall ever answer this letter by another.
                await relay.sendmail("", [reply.recipient], reply.octets())
        except (aiosmtplib.SMTPException, OSError) as reason:
            log.warning("the relay did not take a reply", reason=str(reason))
