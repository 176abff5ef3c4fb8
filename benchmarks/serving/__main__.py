"""Measure the service: what it adds, its latencies, throughput, overload, releases switched, a soak with faults; also
decoding, category fusion, the model in Triton and hostile input. A step whose input is missing is skipped, and says so.

What was made and measured stays in the workspace, so the same command may be given again at any time; `--again`
measures anew what was measured before.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.serving.places import Places
from benchmarks.serving.plan import Destination, Plan, Skipped
from benchmarks.serving.report import write_report
from benchmarks.serving.settings import QUICK, Study
from benchmarks.serving.steps import MEASURES, measure
from lookalike.errors import LookalikeError

REPORT = "report"
STEPS = (*MEASURES, REPORT)


def main() -> int:
    """0: everything asked for is done; 2: something a person can put right."""
    arguments = _parser().parse_args()
    sys.argv = sys.argv[:1]  # KServe parses the command line when it is imported
    try:
        plan = _plan(arguments)
        for step in MEASURES:
            if step in arguments.steps:
                _measure(plan, step)
        if REPORT in arguments.steps:
            write_report(plan)
    except LookalikeError as error:
        sys.stderr.write(f"bench-serving: {error}\n")
        return 2
    return 0


def _measure(plan: Plan, step: str) -> None:
    try:
        measure(plan, step)
    except Skipped as reason:
        sys.stderr.write(f"bench-serving: {step} is skipped: {reason}\n")


def _plan(arguments: argparse.Namespace) -> Plan:
    workspace = Path(arguments.workspace or Path(tempfile.gettempdir()) / "bench-serving").resolve()
    places = Places(workspace / "quick" if arguments.quick else workspace)
    aside = Destination(places.root / "report", places.root / "report")
    minutes = {"soak_minutes": arguments.soak_minutes} if arguments.soak_minutes else {}
    return Plan(
        arguments.catalogue,
        Path(arguments.encoders),
        places,
        (QUICK if arguments.quick else Study()).model_copy(update=minutes),
        models=tuple(arguments.models),
        destination=aside if arguments.quick else Destination(),
        again=arguments.again,
        quick=arguments.quick,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.serving", description=__doc__)
    add = parser.add_argument
    add("--catalogue", default=os.environ.get("LOOKALIKE_FPI", ""), help="folder of the catalogue [LOOKALIKE_FPI]")
    add("--encoders", default=os.environ.get("LOOKALIKE_WEIGHTS", ""), help="folder of backbones [LOOKALIKE_WEIGHTS]")
    add("--models", nargs=2, type=Path, default=(), help="exports of two trained models [untrained ones are made]")
    add("--workspace", help="where shops are kept [a folder for temporary files]")
    add("--quick", action="store_true", help="a drawn shop and short runs; reported into the workspace")
    add("--again", action="store_true", help="measure again what was measured before")
    add("--soak-minutes", type=float, help="length of the soak [an hour]")
    add("--steps", nargs="+", choices=STEPS, default=STEPS, metavar="STEP", help=f"some of: {', '.join(STEPS)} [all]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
