"""Strangers' input at length: mutated photos into the decoder, mutated requests into a real server, costs of bombs.

What is drawn, forged and mutated is the tests' (`tests/hostile`), run longer. Every portion runs in a process of its
own, so that a crash costs that portion and is counted.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import Figure
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.study import Measured
from lookalike.progress import progress
from lookalike.storage import read_json, write_json

STEP = "hostile"
PHOTOS, REQUESTS, COSTS = "tests.hostile.photo_fuzz", "tests.hostile.request_fuzz", "tests.hostile.cost"
PHOTOS_A_PROCESS, REQUESTS_A_PROCESS = 10_000, 2_000
MOST_MEGABYTES = 450.0
"""For one photo at a time, beyond what the process holds: a WebP of 25 megapixels, with its canvases, takes 390."""
PATIENCE = "5"
"""Seconds a damaged message waits for its answer: long enough on a busy machine."""
FIRST_SEED = 100
"""Portions count on from it; the tests begin at 0."""


def measure(plan: Plan) -> Measured:
    """The figures `hostile_*`, whatever came out; finished portions are kept unless all is measured anew."""
    kept = plan.places.scratch(STEP)
    if plan.again and kept.is_dir():
        shutil.rmtree(kept)
    portions = Portions(kept, FIRST_SEED)
    photos = portions.fuzzed(PHOTOS, plan.study.mutated_photos, PHOTOS_A_PROCESS)
    answers = portions.fuzzed(REQUESTS, plan.study.mutated_requests, REQUESTS_A_PROCESS, PATIENCE)
    failures = photos["failures"] + answers["failures"]
    return Measured(claims(photos, answers, forged()), {"failures": failures[:50]})


@dataclass(frozen=True)
class Portions:
    """How fuzzing is cut up: a process and a seed for each portion, and a file for what it found."""

    kept: Path
    seed: int

    def fuzzed(self, module: str, total: int, size: int, *more: str) -> dict[str, Any]:
        """Fuzz in processes of at most `size` inputs; counts are added up, peaks are the highest."""
        starts = range(0, total, size)
        parts = (self._portion(module, start // size, min(size, total - start), more) for start in starts)
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


def claims(photos: dict[str, Any], answers: dict[str, Any], costs: dict[str, Any]) -> dict[str, Figure]:
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
            f"{costs['photos']} forged photos; first seed {FIRST_SEED}",
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
