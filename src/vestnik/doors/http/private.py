"""A door beside the public one, where nothing of the API is: pages for the operator alone."""

from vestnik.doors.http import asgi
from vestnik.doors.http.asgi import Receive, Scope, Send
from vestnik.doors.http.server import Door, Pages
from vestnik.doors.http.services import Services


class PrivateDoor(Door):
    """Leads to `pages`, and says of every other address which they are."""

    def __init__(self, services: Services, pages: Pages) -> None:
        super().__init__((), services, pages=pages)
        self._known = frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; uvicorn is who calls."""
        if scope["path"] in self._known:
            await super().__call__(scope, receive, send)
        else:
            words = f"There is nothing at this address. Here are: {', '.join(sorted(self._known))}."
            await asgi.plain(send, 404, words.encode())
