"""Strangers' input at length: mutated photos into the decoder, mutated requests into a real server, costs of bombs.

Every portion runs in a process of its own, so that a crash costs that portion and is counted.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import TypeVar

from benchmarks.results import Figure, record
from lookalike.progress import progress
from tests.hostile.photo_fuzz import Outcome, decode_aside
from tests.hostile.photos import LARGE, REFUSED, SOUND
from tests.hostile.request_fuzz import Answers, fuzz_aside

PHOTOS_A_PROCESS, REQUESTS_A_PROCESS = 10_000, 2_000
MOST_MEGABYTES = 450.0
"""For one photo at a time, beyond what the process holds: a WebP of 25 megapixels, with its canvases, takes 390."""
COMMAND = "python -m benchmarks.serving.hostile"

Part = TypeVar("Part", Outcome, Answers)


def main() -> int:
    """0: measured, whatever came out; the figures say it."""
    arguments = _parser().parse_args()
    images = 2_000 if arguments.quick else arguments.images
    requests = 400 if arguments.quick else arguments.requests
    photos = reduce(add, _portions(decode_aside, images, PHOTOS_A_PROCESS, arguments.seed, "mutated photos"), Outcome())
    answers = reduce(
        add, _portions(fuzz_aside, requests, REQUESTS_A_PROCESS, arguments.seed, "mutated requests"), Answers()
    )
    figures = claims(photos, answers, corpus_costs(), arguments.seed)
    for failure in (photos.failures + answers.failures)[:50]:
        sys.stderr.write(f"{failure}\n")
    if not arguments.quick:
        record("serving", figures)
    return 0


def corpus_costs() -> list[tuple[str, float, float, bool]]:
    """(name, processor seconds, peak megabytes, refused) of every drawn and forged photo."""
    costs: list[tuple[str, float, float, bool]] = []
    for group in ("sound", "refused", "large"):
        answer = subprocess.run(
            [sys.executable, "-m", "tests.hostile.cost", group], capture_output=True, text=True, check=True
        )
        costs += [tuple(one) for one in json.loads(answer.stdout)]
    return costs


def claims(
    photos: Outcome, answers: Answers, costs: list[tuple[str, float, float, bool]], seed: int
) -> dict[str, Figure]:
    """The two figures of strangers' input, and what the costliest of it costs."""
    inputs = photos.photos + answers.requests + len(costs)
    wrong = [name for name, *_, refused in costs if refused != (name in REFUSED)]
    peak = max(photos.peak_megabytes, *(megabytes for _, _, megabytes, _ in costs))
    slowest = max(photos.slowest_seconds, *(seconds for _, seconds, _, _ in costs))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(answers.statuses.items()))
    split = (
        f"{photos.photos} mutated photos ({photos.decoded} decoded, the others refused), {answers.requests} generated "
        f"or mutated requests (half from the OpenAPI document by schemathesis and hypothesis, a third damaged HTTP, "
        f"the rest damaged gRPC; {statuses}; 0 is a connection closed without an answer), {len(costs)} forged photos; "
        f"seed {seed}"
    )
    failures = [*photos.failures, *answers.failures, *wrong]
    return {
        "hostile_inputs": Figure(
            inputs,
            "inputs",
            split,
            COMMAND,
            ">= 100000 photos, >= 20000 requests",
            photos.photos >= 100_000 and answers.requests >= 20_000,
            n=inputs,
        ),
        "hostile_failures": Figure(
            len(failures),
            "failures",
            "crashes, unhandled 5xx, gRPC INTERNAL or UNKNOWN, forged photos decoded that should be refused or the "
            f"reverse{': ' + '; '.join(failures)[:500] if failures else ''}",
            COMMAND,
            "= 0",
            not failures,
            n=inputs,
        ),
        "hostile_peak_mb": Figure(
            round(peak, 1),
            "MB",
            "most resident memory that one photo added to its process, over all mutated and forged photos; the "
            "costliest are accepted ones of 25 megapixels. The server under requests added "
            f"{answers.peak_megabytes:.0f} MB",
            COMMAND,
            f"< {MOST_MEGABYTES:.0f}",
            max(peak, answers.peak_megabytes) < MOST_MEGABYTES,
            n=len(costs) + photos.photos,
        ),
        "hostile_slowest_s": Figure(
            round(slowest, 3),
            "s of processor time",
            f"the slowest of the same photos, of which {len(LARGE)} are as large as is accepted and {len(SOUND)} small",
            COMMAND,
            n=len(costs) + photos.photos,
        ),
    }


def _portions(run: Callable[[int, int], Part], total: int, size: int, seed: int, what: str) -> Iterator[Part]:
    for number, start in enumerate(progress(range(0, total, size), what)):
        yield run(seed + number, min(size, total - start))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(COMMAND, description=__doc__)
    add_argument = parser.add_argument
    add_argument("--images", type=int, default=100_000, help="mutated photos [100000]")
    add_argument("--requests", type=int, default=20_000, help="mutated requests [20000]")
    add_argument("--seed", type=int, default=100, help="first seed; portions count on from it [100]")
    add_argument("--quick", action="store_true", help="2000 photos and 400 requests, nothing recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
