"""Measure the index: ratios to the bare libraries, filters, speed, memory, freshness, switching, crashes; resumable.

What was embedded, grown, built and measured stays in the workspace, so the same command may be given again at any
time; `--again` measures anew what was measured before.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.index.places import Places
from benchmarks.index.plan import Destination, Plan
from benchmarks.index.report import write_report
from benchmarks.index.settings import QUICK, Study
from benchmarks.index.steps import MEASURES, measure
from lookalike.errors import LookalikeError

REPORT = "report"
STEPS = (*MEASURES, REPORT)


def main() -> int:
    """0: everything asked for is done; 2: something a person can put right."""
    arguments = _parser().parse_args()
    try:
        plan = _plan(arguments)
        for step in MEASURES:
            if step in arguments.steps:
                measure(plan, step)
        if REPORT in arguments.steps:
            write_report(plan)
    except LookalikeError as error:
        sys.stderr.write(f"bench-index: {error}\n")
        return 2
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    workspace = Path(arguments.workspace or Path(tempfile.gettempdir()) / "bench-index")
    places = Places(workspace / "quick" if arguments.quick else workspace)
    aside = Destination(places.root / "report", places.root / "report")
    return Plan(
        arguments.catalogue,
        Path(arguments.encoders),
        places,
        QUICK if arguments.quick else Study(),
        checkpoint=Path(arguments.checkpoint) if arguments.checkpoint else None,
        destination=aside if arguments.quick else Destination(),
        again=arguments.again,
        quick=arguments.quick,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.index", description=__doc__)
    add = parser.add_argument
    add("--catalogue", default=os.environ.get("LOOKALIKE_FPI", ""), help="folder of the catalogue [LOOKALIKE_FPI]")
    add("--encoders", default=os.environ.get("LOOKALIKE_WEIGHTS", ""), help="folder of backbones [LOOKALIKE_WEIGHTS]")
    add("--checkpoint", help="a trained checkpoint that embeds the photos [an untrained backbone]")
    add("--workspace", help="where vectors and collections are kept [a folder for temporary files]")
    add("--quick", action="store_true", help="a drawn shop and small collections, minutes; reported into the workspace")
    add("--again", action="store_true", help="measure again what was measured before")
    add("--steps", nargs="+", choices=STEPS, default=STEPS, metavar="STEP", help=f"some of: {', '.join(STEPS)} [all]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
