"""8. SMTP: letters with a command each, over 1, 16 and 48 connections.

Messages are scheduled for later, so that what is measured is accepting them: the reply comes after
the commit.  The limit is the same rows by the bare driver in commits of 200.
"""

import json

from benchmarks.limits import raw_rows_per_s
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, run_json, served

LETTERS = {1: 1_000, 16: 6_000, 48: 10_000}
LIMIT_ROWS = 60_000


def run() -> list[Figure]:
    limit = raw_rows_per_s(LIMIT_ROWS)
    figures = []
    with served() as centre:
        first = 79_010_000_000
        for connections, count in LETTERS.items():
            before = centre.cpu_s
            words = (str(centre.smtp), LOGIN, PASSWORD, str(connections), str(count), str(first))
            result = json.loads(run_json("benchmarks.smtp_load", *words))
            if result["wrong"]:
                raise RuntimeError(f"wrong answers: {result['wrong_samples']}")
            first += count
            cpu = (centre.cpu_s - before) / count * 1000
            figures.append(
                Figure(
                    f"letters by SMTP, {connections} connections",
                    result["per_s"],
                    "letters/s",
                    limit,
                    f"p50 {result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms, "
                    f"{cpu:.2f} CPU-s per 1,000",
                )
            )
    return figures


if __name__ == "__main__":
    show(run())
