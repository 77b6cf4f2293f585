"""Names at which accounts get letters as messages: which account a name belongs to."""

from collections.abc import Callable

from vestnik.domain.client import Client
from vestnik.services.centre.directory import Directory


class Mailboxes:
    """The names that accounts have chosen (`mail_name`, with `mail_phone`)."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._version = -1
        self._names: dict[str, Client] = {}

    def of(self, name: str) -> Client | None:
        """The account of a name, in any case; the older one if two have chosen the same."""
        directory = self._directory()
        if directory.version != self._version:
            self._names = {
                client.limits.mail_name.lower(): client
                for _, client in sorted(directory.clients.items(), reverse=True)
                if client.limits.mail_name and client.limits.mail_phone
            }
            self._version = directory.version
        client = self._names.get(name.lower())
        return None if client is None or client.limits.locked else client
