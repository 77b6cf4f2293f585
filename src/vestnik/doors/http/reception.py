"""How a request is let in: its address, its credentials, its account's limits, its endpoint."""

from vestnik.domain.refusals import Refusal
from vestnik.doors.http.endpoint import Call, Endpoint
from vestnik.doors.http.multipart import File
from vestnik.doors.http.reply import Answer, Download
from vestnik.doors.http.services import Services

COUNTED_AS_WRONG = (1, 2)  # errors that lead to error 4 when they come often (conventions.md)


class Reception:
    """Where every request passes, in whichever form it came."""

    def __init__(self, services: Services) -> None:
        self._services, self._access = services, services.access

    async def answer(
        self,
        endpoint: Endpoint,
        params: dict[str, str],
        address: str,
        now_ms: int,
        *,
        files: tuple[File, ...] = (),
        fmt: int = 0,
        charset: str = "utf-8",
        json: bool = False,
        idempotency_key: str = "",
    ) -> Answer | Download:
        """What the endpoint answers; raises the Refusals that it, or the access, has."""
        self._access.admit(address, now_ms)
        client = await self._access.authenticate(
            params.get("login", ""),
            params.get("psw", ""),
            params.get("apikey", ""),
            address,
            now_ms,
        )
        call = Call(
            client,
            self._services,
            params,
            files,
            address,
            now_ms,
            fmt,
            charset,
            json,
            idempotency_key,
            endpoint.blank,
        )
        most = endpoint.simultaneous(client.limits)
        with self._access.entered(client, endpoint.name, most):
            rate = endpoint.rate(call) if endpoint.rate is not None else None
            if rate is not None:
                self._access.count(client, endpoint.name, rate.key, rate.per_minute, now_ms)
            return await endpoint.handler(call)

    def refused(self, refusal: Refusal, endpoint: Endpoint, address: str, now_ms: int) -> int:
        """The number of a refusal, which is counted if it is one of the caller's mistakes."""
        number = endpoint.codes[type(refusal)].number
        if number in COUNTED_AS_WRONG:
            self._access.wrong(address, now_ms)
        return number
