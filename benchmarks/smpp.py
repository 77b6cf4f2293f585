"""6. SMPP durable submit: one bind, windows of 10 and 100; and what idle binds weigh.

Messages are scheduled for later, so that what is measured is accepting them: the answer comes after
the commit.  The limit is the same rows by the bare driver in commits of 200.
"""

import asyncio
import json
import time

from benchmarks.limits import raw_rows_per_s
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, run_json, served
from benchmarks.smpp_load import bound

SUBMITS = {10: 20_000, 100: 60_000}
LIMIT_ROWS = 60_000
BINDS = 200


def run() -> list[Figure]:
    limit = raw_rows_per_s(LIMIT_ROWS)
    figures = []
    with served() as centre:
        centre.vestnik("client", "set", LOGIN, "smpp_binds=0")
        time.sleep(2)  # the server follows within two seconds
        first = 79_010_000_000
        for window, count in SUBMITS.items():
            before = centre.cpu_s
            words = (str(centre.smpp), LOGIN, PASSWORD, str(window), str(count), str(first), "0")
            result = json.loads(run_json("benchmarks.smpp_load", *words))
            if result["wrong"]:
                raise RuntimeError(f"wrong answers: {result['wrong_samples']}")
            first += count
            cpu = (centre.cpu_s - before) / count * 1000
            figures.append(
                Figure(
                    f"SMPP durable submit, one bind, window {window}",
                    result["per_s"],
                    "submits/s",
                    limit,
                    f"p50 {result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms, "
                    f"{cpu:.2f} CPU-s per 1,000",
                )
            )
        figures.append(
            Figure("peak memory of the server", centre.rss_max_mb, "MB", None, "at most 150")
        )
    with served() as centre:
        figures.append(_idle(centre))
    return figures


def _idle(centre: Served) -> Figure:
    """What the server weighs more with so many binds that say nothing."""
    centre.vestnik("client", "set", LOGIN, "smpp_binds=0")
    time.sleep(2)
    before = centre.rss_mb

    async def with_binds() -> float:
        for _ in range(BINDS):
            await bound(centre.smpp, LOGIN, PASSWORD, [], 1)
        await asyncio.sleep(2)
        return centre.rss_mb

    weighs = asyncio.run(with_binds()) - before
    return Figure(f"memory of {BINDS} idle binds", weighs, "MB", None, "of the server, at most 20")


if __name__ == "__main__":
    show(run())
