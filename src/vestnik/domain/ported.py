"""Numbers that moved to another network: which network has them now.

Ten million of them take six octets each: blocks of sorted numbers, as distances from the first one
of the block, and beside them places in a table of network codes.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

BLOCK_NUMBERS = 4_096
NETWORKS_MAX = 1 << 16
HEADER = b"Phone;mccmnc\n"  # how the whole list begins (recorded.md)

_SPAN = 1 << 32  # how far apart the numbers of a block may be
_BUCKET = 100_000  # numbers that are sorted together


@dataclass(frozen=True, slots=True)
class Block:
    """Sorted numbers from `first` to `last`.

    `octets` are `numbers` distances of four octets, then as many places of two, both in the byte
    order of the machine.  `stamp` changes whenever the block does.
    """

    first: int
    last: int
    numbers: int
    octets: bytes
    stamp: int = 0

    @property
    def distances(self) -> "memoryview[int]":
        return memoryview(self.octets)[: 4 * self.numbers].cast("I")

    @property
    def places(self) -> "memoryview[int]":
        return memoryview(self.octets)[4 * self.numbers :].cast("H")

    def pairs(self) -> dict[int, int]:
        """Each number with the place of its network, in order."""
        first = self.first
        return {
            first + distance: place
            for distance, place in zip(self.distances, self.places, strict=True)
        }


class Ported:
    """All ported numbers; `networks` are the codes that places stand for.  It never changes."""

    def __init__(self, blocks: Iterable[Block] = (), networks: Sequence[str] = ()) -> None:
        self.blocks = {block.first: block for block in sorted(blocks, key=lambda b: b.first)}
        self.networks = tuple(networks)
        self._firsts = array("q", self.blocks)
        self._distances = [block.distances for block in self.blocks.values()]
        self._places = [block.places for block in self.blocks.values()]
        self._count = sum(block.numbers for block in self.blocks.values())

    def find(self, number: int) -> str:
        """The MCC and MNC of the network that a number has moved to; empty if it has not."""
        at = bisect_right(self._firsts, number) - 1
        if at < 0:
            return ""
        distances, distance = self._distances[at], number - self._firsts[at]
        place = bisect_left(distances, distance)
        if place == len(distances) or distances[place] != distance:
            return ""
        return self.networks[self._places[at][place]]

    def __len__(self) -> int:
        """How many numbers there are."""
        return self._count

    @cached_property
    def octets(self) -> int:
        """The length of all `lines` together; with millions of them it takes a while to find."""
        widths = [len(code) for code in self.networks]
        found = len(HEADER)
        for block in self.blocks.values():
            found += sum(map(widths.__getitem__, block.places)) + 2 * block.numbers
            found += _digits(block)
        return found

    def lines(self) -> Iterator[bytes]:
        """The whole list as `Phone;mccmnc` lines, a block at a time, its header first."""
        yield HEADER
        ends = [f";{code}\n" for code in self.networks]
        for block in self.blocks.values():
            first = block.first
            yield "".join(
                [
                    f"{first + distance}{ends[place]}"
                    for distance, place in zip(block.distances, block.places, strict=True)
                ]
            ).encode()


def _digits(block: Block) -> int:
    """How many digits the numbers of a block have together."""
    width = len(str(block.first))
    if len(str(block.last)) == width:
        return width * block.numbers
    return sum(len(str(block.first + distance)) for distance in block.distances)


class Gathered:
    """Ported numbers as a file brings them, in any order; of a number twice the later counts.

    It takes eight octets a number: they gather in buckets of near numbers, and only one bucket at
    a time is sorted.
    """

    def __init__(self) -> None:
        self.networks: list[str] = []
        self.twice = 0
        self._known: dict[str, int] = {}
        self._buckets: dict[int, array[int]] = {}

    def add(self, number: int, mccmnc: str) -> None:
        """Raises ValueError when there are more networks than the world has."""
        place = self._known.get(mccmnc)
        if place is None:
            place = self._known[mccmnc] = len(self.networks)
            if place == NETWORKS_MAX:
                raise ValueError(f"more than {NETWORKS_MAX} different network codes")
            self.networks.append(mccmnc)
        high, low = divmod(number, _BUCKET)
        bucket = self._buckets.get(high)
        if bucket is None:
            bucket = self._buckets[high] = array("Q")
        bucket.append(low << 16 | place)

    def blocks(self) -> Iterator[Block]:
        """All of them as blocks, in order; this empties it."""
        return packed(self._sorted())

    def _sorted(self) -> Iterator[tuple[int, int]]:
        for high in sorted(self._buckets):
            bucket = self._buckets.pop(high)
            base = high * _BUCKET
            known = {entry >> 16: entry & 0xFFFF for entry in bucket}
            self.twice += len(bucket) - len(known)
            for low in sorted(known):
                yield base + low, known[low]


def packed(pairs: Iterable[tuple[int, int]], stamp: int = 0) -> Iterator[Block]:
    """Blocks of (number, place) that come in order."""
    coming = iter(pairs)
    while some := list(islice(coming, BLOCK_NUMBERS)):
        while some:
            first = some[0][0]
            near = bisect_left(some, first + _SPAN, key=lambda pair: pair[0])
            yield _block(some[:near], stamp)
            some = some[near:]


def _block(pairs: Sequence[tuple[int, int]], stamp: int) -> Block:
    first = pairs[0][0]
    distances = array("I", [number - first for number, _ in pairs])
    places = array("H", [place for _, place in pairs])
    octets = distances.tobytes() + places.tobytes()
    return Block(first, pairs[-1][0], len(pairs), octets, stamp)


def changed(block: Block | None, changes: Mapping[int, int | None], stamp: int) -> Iterator[Block]:
    """A block with numbers moved (to the place given) or gone back (None): it may become several,
    equally big, or nothing.  None stands for no block."""
    pairs = block.pairs() if block else {}
    for number, place in changes.items():
        if place is None:
            pairs.pop(number, None)
        else:
            pairs[number] = place
    left = sorted(pairs.items())
    portions = -(-len(left) // BLOCK_NUMBERS)
    for portion in range(portions):
        begin, end = (len(left) * n // portions for n in (portion, portion + 1))
        yield from packed(left[begin:end], stamp)
