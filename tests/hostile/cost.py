"""What a decoded photo costs, measured in a process of its own: `python -m tests.hostile.cost GROUP NAME...`.

Prints a JSON list of [name, processor seconds, megabytes at the peak above the photo itself, refused or not].
"""

import json
import sys
import time
import warnings
from pathlib import Path

from lookalike.catalog.images import Preprocessing
from lookalike.errors import ImageError
from tests.hostile.photos import LARGE, REFUSED, SOUND

GROUPS = {"sound": SOUND, "refused": REFUSED, "large": LARGE}


def cost(content: bytes) -> tuple[float, float, bool]:
    """Of decoding it: processor seconds, peak megabytes beyond what the process held, whether it was refused."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    before, started, refused = megabytes("VmRSS"), time.process_time(), False
    try:
        Preprocessing().pixels(content)
    except ImageError:
        refused = True
    return time.process_time() - started, megabytes("VmHWM") - before, refused


def megabytes(name: str) -> float:
    """A line of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1000


def main(group: str, names: list[str]) -> None:
    """Measure the named photos of a group, or all."""
    warnings.simplefilter("ignore")
    Preprocessing().pixels(SOUND["grey"]())  # what the first decoding loads is no photo's doing
    measured = [[name, *cost(GROUPS[group][name]())] for name in names or GROUPS[group]]
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
