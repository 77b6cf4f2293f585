"""1. HTTP durable submit: single sends over 1, 16 and 64 connections.

Messages are scheduled for later, so that what is measured is accepting them: the answer comes after
the commit.  The limit is the same rows by the bare driver in commits of 200.
"""

import json

from benchmarks.limits import raw_rows_per_s
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, run_json, served

REQUESTS = {1: 3_000, 16: 20_000, 64: 30_000}
LIMIT_ROWS = 60_000


def run() -> list[Figure]:
    limit = raw_rows_per_s(LIMIT_ROWS)
    figures = []
    with served() as centre:
        first = 79_010_000_000
        for connections, count in REQUESTS.items():
            before = centre.cpu_s
            result = json.loads(
                run_json(
                    "benchmarks.load",
                    *("127.0.0.1", str(centre.http), LOGIN, PASSWORD),
                    *(str(connections), str(count), str(first), "time=%2B600"),
                )
            )
            if result["wrong"]:
                raise RuntimeError(f"wrong answers: {result['wrong_samples']}")
            first += count
            cpu = (centre.cpu_s - before) / count * 1000
            figures.append(
                Figure(
                    f"HTTP durable submit, {connections} connections",
                    result["per_s"],
                    "requests/s",
                    limit,
                    f"p50 {result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms, "
                    f"{cpu:.2f} CPU-s per 1,000",
                )
            )
        figures.append(
            Figure("peak memory of the server", centre.rss_max_mb, "MB", None, "at most 150")
        )
    return figures


if __name__ == "__main__":
    show(run())
