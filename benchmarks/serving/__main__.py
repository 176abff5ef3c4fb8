"""Measure the service: what it adds, its latencies, throughput, overload, releases switched, a soak with faults; also
decoding, category fusion, the model in Triton and hostile input. A step whose input is missing is skipped, and says so.

What was made and measured stays in the workspace, so the same command may be given again at any time; `--again`
measures anew what was measured before.
"""

import sys
from functools import partial
from pathlib import Path

from benchmarks.serving.plan import Places, Plan
from benchmarks.serving.settings import QUICK, Study
from benchmarks.serving.steps import MEASURES, SUBJECT, measure
from benchmarks.study import common, run_steps, study_parser


def main() -> int:
    """0: everything asked for is done; 2: something a person can put right."""
    parser = study_parser(SUBJECT.name, __doc__, MEASURES)
    parser.add_argument(
        "--models", nargs=2, type=Path, default=(), help="exports of two trained models [untrained ones are made]"
    )
    parser.add_argument("--soak-minutes", type=float, help="length of the soak [an hour]")
    arguments = parser.parse_args()
    sys.argv = sys.argv[:1]  # KServe parses the command line when it is imported
    root, fields = common(arguments, SUBJECT.name)
    minutes = {"soak_minutes": arguments.soak_minutes} if arguments.soak_minutes else {}
    study = (QUICK if arguments.quick else Study()).model_copy(update=minutes)
    plan = Plan(places=Places(root), study=study, models=tuple(arguments.models), **fields)
    return run_steps(SUBJECT.name, arguments.steps, MEASURES, partial(measure, plan), partial(SUBJECT.write_page, plan))


if __name__ == "__main__":
    sys.exit(main())
