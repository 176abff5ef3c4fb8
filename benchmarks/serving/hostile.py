"""Strangers' input at length: mutated photos into the decoder, mutated requests into a real server, costs of bombs.

What is drawn, forged and mutated is the tests' (`tests/hostile`), run longer. Every portion runs in a process of its
own, so that a crash costs that portion and is counted; with a workspace, finished portions are kept.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import Figure, record
from lookalike.progress import progress
from lookalike.storage import read_json, write_json

PHOTOS, REQUESTS, COSTS = "tests.hostile.photo_fuzz", "tests.hostile.request_fuzz", "tests.hostile.cost"
PHOTOS_A_PROCESS, REQUESTS_A_PROCESS = 10_000, 2_000
MOST_MEGABYTES = 450.0
"""For one photo at a time, beyond what the process holds: a WebP of 25 megapixels, with its canvases, takes 390."""
PATIENCE = "5"
"""Seconds a damaged message waits for its answer: long enough on a busy machine."""
COMMAND = "python -m benchmarks.serving.hostile"


def main() -> int:
    """0: measured, whatever came out; the figures say it."""
    asked = _parser().parse_args()
    images, requests = (2_000, 400) if asked.quick else (asked.images, asked.requests)
    with tempfile.TemporaryDirectory() as scratch:
        portions = Portions(asked.workspace or Path(scratch), asked.at_once, asked.seed)
        photos = portions.fuzzed(PHOTOS, images, PHOTOS_A_PROCESS)
        answers = portions.fuzzed(REQUESTS, requests, REQUESTS_A_PROCESS, PATIENCE)
    figures = claims(photos, answers, forged(), asked.seed)
    for failure in (photos["failures"] + answers["failures"])[:50]:
        sys.stderr.write(f"{failure}\n")
    if not asked.quick:
        record("serving", figures)
    return 0


@dataclass(frozen=True)
class Portions:
    """How fuzzing is cut up: a process and a seed for each portion, and a file for what it found."""

    kept: Path
    at_once: int
    seed: int

    def fuzzed(self, module: str, total: int, size: int, *more: str) -> dict[str, Any]:
        """Fuzz in processes of at most `size` inputs; counts are added up, peaks are the highest."""
        starts = range(0, total, size)
        with ThreadPoolExecutor(self.at_once) as pool:
            parts = pool.map(lambda start: self._portion(module, start // size, min(size, total - start), more), starts)
            return merged(list(progress(parts, module.rpartition(".")[2], total=len(starts))))

    def _portion(self, module: str, number: int, count: int, more: Sequence[str]) -> dict[str, Any]:
        file = self.kept / f"{module.rpartition('.')[2]}-{self.seed + number}-{count}.json"
        if not file.is_file():
            self.kept.mkdir(parents=True, exist_ok=True)
            write_json(file, aside(module, self.seed + number, count, more))
        found: dict[str, Any] = read_json(file)
        return found


def aside(module: str, seed: int, count: int, more: Sequence[str]) -> dict[str, Any]:
    """What the process says at its end; a crash is a failure."""
    command = [sys.executable, "-m", module, str(seed), str(count), *more]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        return {"failures": [f"{module} {seed}: exit {answer.returncode}: {answer.stderr[-500:]}"]}
    said: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return said


def merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One outcome of several processes."""
    failures = [failure for part in parts for failure in part["failures"]]
    statuses: Counter[str] = sum((Counter(part.get("statuses", {})) for part in parts), Counter())
    counts = {name: sum(part.get(name, 0) for part in parts) for name in ("photos", "decoded", "requests")}
    peaks = {name: max(part.get(name, 0.0) for part in parts) for name in ("peak_megabytes", "slowest_seconds")}
    return {"failures": failures, "statuses": statuses, **counts, **peaks}


def forged() -> dict[str, Any]:
    """The drawn and forged photos, one after another: what the costliest costs, and which were judged wrongly."""
    measured = []
    for group in ("sound", "refused", "large"):
        answer = subprocess.run([sys.executable, "-m", COSTS, group], capture_output=True, text=True, check=True)
        measured += [(*one, (group == "refused") != one[-1]) for one in json.loads(answer.stdout)]
    return {
        "photos": len(measured),
        "failures": [
            f"{name}: {'refused' if refused else 'decoded'}" for name, *_, refused, wrong in measured if wrong
        ],
        "slowest_seconds": max(seconds for _, seconds, *_ in measured),
        "peak_megabytes": max(megabytes for _, _, megabytes, *_ in measured),
    }


def claims(photos: dict[str, Any], answers: dict[str, Any], costs: dict[str, Any], seed: int) -> dict[str, Figure]:
    """The two figures of strangers' input, and what the costliest of it costs."""
    inputs = photos["photos"] + answers["requests"] + costs["photos"]
    failures = photos["failures"] + answers["failures"] + costs["failures"]
    peak = max(photos["peak_megabytes"], costs["peak_megabytes"])
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(answers["statuses"].items()))
    return {
        "hostile_inputs": Figure(
            inputs,
            "inputs",
            f"{photos['photos']} mutated photos ({photos['decoded']} decoded, the others refused), "
            f"{answers['requests']} generated or mutated requests (half from the OpenAPI document by "
            "schemathesis and hypothesis, a third "
            f"damaged HTTP, the rest damaged gRPC; {statuses}; 0 is a connection closed without an answer), "
            f"{costs['photos']} forged photos; first seed {seed}",
            COMMAND,
            ">= 100000 photos, >= 20000 requests",
            photos["photos"] >= 100_000 and answers["requests"] >= 20_000,
            n=inputs,
        ),
        "hostile_failures": Figure(
            len(failures),
            "failures",
            "crashes, errors that are none of ours, unhandled 5xx, gRPC INTERNAL or UNKNOWN, forged photos decoded "
            f"that should be refused or the reverse{': ' + '; '.join(failures)[:500] if failures else ''}",
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
            f"{answers['peak_megabytes']:.0f} MB",
            COMMAND,
            f"< {MOST_MEGABYTES:.0f}",
            max(peak, answers["peak_megabytes"]) < MOST_MEGABYTES,
            n=photos["photos"] + costs["photos"],
        ),
        "hostile_slowest_s": Figure(
            round(max(photos["slowest_seconds"], costs["slowest_seconds"]), 3),
            "s of processor time",
            "the slowest of the same photos",
            COMMAND,
            n=photos["photos"] + costs["photos"],
        ),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(COMMAND, description=__doc__)
    add_argument = parser.add_argument
    add_argument("--images", type=int, default=100_000, help="mutated photos [100000]")
    add_argument("--requests", type=int, default=20_000, help="mutated requests [20000]")
    add_argument("--seed", type=int, default=100, help="first seed; portions count on from it [100]")
    add_argument("--workspace", type=Path, help="where finished portions are kept [nowhere]")
    add_argument("--at-once", type=int, default=1, help="portions at once [1]")
    add_argument("--quick", action="store_true", help="2000 photos and 400 requests, nothing recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
