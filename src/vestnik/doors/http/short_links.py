"""Short links: `/l/<code>` leads on to the address that the code stands for (text.md)."""

from vestnik.doors.http.server import Page
from vestnik.services.messages.links import Links

PATH = "/l/"

_PLAIN = "text/plain; charset=utf-8"
# Every click must come here, and the page that follows need not know whence.
_HEADERS = ((b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"))


class ShortLinks:
    """The page of all short links."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def page(self, code: str, method: str) -> Page:
        """302 to the address; 404 for a code that nobody has.  Programs that only look (HEAD) are
        not counted."""
        location = await self._links.location(code, clicked=method == "GET")
        if location is None:
            return Page(404, _PLAIN, b"There is no such link.\n", _HEADERS)
        headers = (*_HEADERS, (b"location", location.encode("ascii")))
        return Page(302, _PLAIN, b"", headers)
