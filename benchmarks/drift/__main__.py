"""Measure the watch of drift: false alarms, power beside Evidently, windows until a shift is believed; resumable.

It needs a workspace in which validate, split, train and export have run over a real catalogue. What was observed and
tried stays there, so the same command may be given again at any time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.drift.observe import observe_photos
from benchmarks.drift.places import Places
from benchmarks.drift.plan import Destination, Plan
from benchmarks.drift.report import write_report
from benchmarks.drift.settings import QUICK, Study
from benchmarks.drift.steps import MEASURES, measure
from lookalike.errors import LookalikeError

REPORT = "report"
STEPS = (*MEASURES, REPORT)


def main() -> int:
    """0: everything asked for is done; 2: something a person can put right."""
    arguments = _parser().parse_args()
    places = Places(Path(arguments.workspace or Path(tempfile.gettempdir()) / "bench-drift"), arguments.quick)
    aside = Destination(places.root / "report", places.root / "report")
    plan = Plan(places, QUICK if arguments.quick else Study(), aside if arguments.quick else Destination())
    try:
        observe_photos(places)
        for step in MEASURES:
            if step in arguments.steps:
                measure(plan, step)
        if REPORT in arguments.steps:
            write_report(plan)
    except LookalikeError as error:
        sys.stderr.write(f"bench-drift: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.drift", description=__doc__)
    add = parser.add_argument
    add("--workspace", help="where a model was trained and exported; the study adds its own folders there")
    add("--quick", action="store_true", help="few and small windows, a minute; reported into the workspace")
    add("--steps", nargs="+", choices=STEPS, default=STEPS, metavar="STEP", help=f"some of: {', '.join(STEPS)} [all]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
