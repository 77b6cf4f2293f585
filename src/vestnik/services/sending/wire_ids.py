"""The ids that clients see: small numbers, each account's own, given out in blocks.

A block is taken in the commit that first needs it.  Gaps are harmless, a reused number is not, so
a block whose commit failed is never used.
"""

from vestnik.services.messages.draft import Draft

BLOCK = 100


class WireIds:
    """What is left of each client's last block."""

    def __init__(self) -> None:
        self._left: dict[int, range] = {}

    def give(self, drafts: list[Draft]) -> dict[int, int]:
        """Number drafts from what is left; returns how many numbers each client lacks."""
        short: dict[int, int] = {}
        for draft in drafts:
            if draft.wire_id:
                continue
            client_id = draft.client.id
            left = self._left.get(client_id)
            if left:
                draft.wire_id = str(left[0])
                self._left[client_id] = left[1:]
            else:
                short[client_id] = short.get(client_id, 0) + 1
        return short

    def keep(self, left: dict[int, range]) -> None:
        """What a commit took and did not use."""
        self._left.update(left)


def block_for(lacking: int) -> int:
    """How many numbers to take at once: a busy client is not asked for at each commit."""
    return max(BLOCK, 4 * lacking)
