"""Measure what the watch and the gate promise: false alarms, power beside Evidently, windows until a shift is believed,
retrains for nothing in simulated years, decisions on planted challengers, poisoned feedback and catalogues; resumable.

It needs a workspace in which validate, split, train and export have run over a real catalogue. What was observed and
tried stays there, so the same command may be given again at any time. A step that lacks something is skipped and says
what; the others run.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from benchmarks.drift.places import Places
from benchmarks.drift.plan import Destination, Plan
from benchmarks.drift.report import write_report
from benchmarks.drift.settings import QUICK, Study
from benchmarks.drift.steps import MEASURES, measure
from lookalike.errors import LookalikeError

REPORT = "report"
STEPS = (*MEASURES, REPORT)


def main() -> int:
    """0: something was measured or reported; 2: nothing could be, or something went wrong that a person can put
    right."""
    arguments = _parser().parse_args()
    logging.basicConfig(format="bench-drift: %(message)s")
    places = Places(Path(arguments.workspace or Path(tempfile.gettempdir()) / "bench-drift"), arguments.quick)
    aside = Destination(places.root / "report", places.root / "report")
    study, destination = (QUICK, aside) if arguments.quick else (Study(), Destination())
    plan = Plan(places, study, destination, arguments.short, arguments.arms)
    try:
        done = [step for step in MEASURES if step in arguments.steps and measure(plan, step)]
        if REPORT in arguments.steps:
            write_report(plan)
    except LookalikeError as error:
        sys.stderr.write(f"bench-drift: {error}\n")
        return 2
    return 0 if done or REPORT in arguments.steps else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.drift", description=__doc__)
    add = parser.add_argument
    add("--workspace", help="where a model was trained and exported; the study adds its own folders there")
    add("--short", type=Path, help="checkpoint of the workspace's recipe after one epoch, for `gate`")
    add("--arms", type=Path, help="workspace of a finished `make bench-embedding` on this catalogue, for `gate_fresh`")
    add("--quick", action="store_true", help="few and small trials, minutes; reported into the workspace")
    add("--steps", nargs="+", choices=STEPS, default=STEPS, metavar="STEP", help=f"some of: {', '.join(STEPS)} [all]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
