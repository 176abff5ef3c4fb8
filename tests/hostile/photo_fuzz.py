"""Decode mutated photos in this process and say what happened: `python -m tests.hostile.photo_fuzz SEED COUNT`.

In a process of its own, so that a crash of a decoder is seen and the peak of its memory is this fuzzing's alone.
"""

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.photo_quality import photo_header
from lookalike.errors import ImageError
from tests.hostile.cost import megabytes
from tests.hostile.mutations import mutated
from tests.hostile.photos import SOUND

MOST_BYTES = 70_000
"""Larger originals would be mutated in their pixels only."""


@dataclass
class Outcome:
    """What became of mutated photos."""

    photos: int = 0
    decoded: int = 0
    failures: list[str] = field(default_factory=list)
    """Anything but pixels or an ImageError: the photo's number and what was raised."""
    slowest_seconds: float = 0.0
    """Of processor time."""
    peak_megabytes: float = 0.0
    """Resident memory at its highest, beyond what the process held before the first photo."""


def photos(seed: int, count: int) -> Iterator[bytes]:
    """Mutated photos, the same for the same seed."""
    originals = [content for make in SOUND.values() if len(content := make()) <= MOST_BYTES]
    rng = np.random.default_rng(seed)
    return (mutated(originals, rng) for _ in range(count))


def decode_all(seed: int, count: int) -> Outcome:
    """Decode them here."""
    outcome, preprocessing = Outcome(), Preprocessing()
    warnings.simplefilter("ignore")
    preprocessing.pixels(SOUND["grey"]())
    before = megabytes("VmRSS")
    for number, content in enumerate(photos(seed, count)):
        started = time.process_time()
        try:
            pixels, size = preprocessing.pixels(content), photo_header(content)[:2]
            if pixels.shape != (96, 72, 3) or min(size) < 1:
                outcome.failures.append(f"{number}: shape {pixels.shape}, size {size}")
            outcome.decoded += 1
        except ImageError:
            pass
        except Exception as error:  # noqa: BLE001  whatever else is raised is what is looked for
            outcome.failures.append(f"{number}: {error!r}")
        outcome.photos += 1
        outcome.slowest_seconds = max(outcome.slowest_seconds, time.process_time() - started)
    outcome.peak_megabytes = megabytes("VmHWM") - before
    return outcome


def decode_aside(seed: int, count: int) -> Outcome:
    """Decode them in another process; a crash of it is a failure."""
    command = [sys.executable, "-m", "tests.hostile.photo_fuzz", str(seed), str(count)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        return Outcome(count, failures=[f"seed {seed}: exit {answer.returncode}: {answer.stderr[-500:]}"])
    return Outcome(**json.loads(answer.stdout))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(decode_all(int(sys.argv[1]), int(sys.argv[2])))))
