"""Install what the serving image holds, by its own Dockerfile's steps, and measure it: `serving_image_mb`."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.cluster.image_steps import ROOT, run_stage_here, size_of
from benchmarks.results import RESULTS, Figure, record
from lookalike.errors import LookalikeError

COMMAND = "python -m benchmarks.cluster.images"
GOAL = 600
TRANSFORMER = ROOT / "images" / "transformer.Dockerfile"
COMPONENT = ROOT / "images" / "component.Dockerfile"
UNWANTED = ("torch", "transformers", "lightning")


def main() -> int:
    """0: measured; 2: a step failed."""
    parser = argparse.ArgumentParser(COMMAND, description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figure is recorded")
    results: Path = parser.parse_args().results
    with tempfile.TemporaryDirectory() as folder:
        try:
            environment = run_stage_here(TRANSFORMER, "build", Path(folder))
        except LookalikeError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        record("cluster", {"serving_image_mb": measured(environment)}, results)
    return 0


def measured(environment: Path) -> Figure:
    """The environment's size, and what it must not hold."""
    packages = sorted(environment.glob("lib/python*/site-packages/*.dist-info"))
    names = {path.name.rsplit("-", 1)[0].split("-")[0] for path in packages}
    unwanted = [name for name in UNWANTED if name in names]
    megabytes = size_of(environment) / 1e6
    return Figure(
        value=megabytes,
        unit="MB",
        how=f"bytes of the files that the steps of images/transformer.Dockerfile installed into an empty environment: "
        f"{len(packages)} packages, of {', '.join(UNWANTED)}: {', '.join(unwanted) or 'none'}; the base image "
        "(Debian's and Python's files) is not counted",
        command=COMMAND,
        goal=f"< {GOAL}, no torch",
        met=megabytes < GOAL and not unwanted,
        n=len(packages),
    )


if __name__ == "__main__":
    sys.exit(main())
