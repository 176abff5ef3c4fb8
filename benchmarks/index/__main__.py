"""Measure the index: ratios to the bare libraries, filters, speed, memory, freshness, switching, crashes; resumable.

What was embedded, grown, built and measured stays in the workspace, so the same command may be given again at any
time; `--again` measures anew what was measured before.
"""

import sys
from functools import partial
from pathlib import Path

from benchmarks.index.plan import Places, Plan
from benchmarks.index.report import write_report
from benchmarks.index.settings import QUICK, Study
from benchmarks.index.steps import MEASURES, SUBJECT, measure
from benchmarks.study import common, run_steps, study_parser


def main() -> int:
    """0: everything asked for is done; 2: something a person can put right."""
    parser = study_parser(SUBJECT.name, __doc__, MEASURES)
    parser.add_argument(
        "--checkpoint", type=Path, help="a trained checkpoint that embeds the photos [an untrained backbone]"
    )
    arguments = parser.parse_args()
    root, fields = common(arguments, SUBJECT.name)
    study = QUICK if arguments.quick else Study()
    plan = Plan(places=Places(root), study=study, checkpoint=arguments.checkpoint, **fields)
    return run_steps(SUBJECT.name, arguments.steps, MEASURES, partial(measure, plan), partial(write_report, plan))


if __name__ == "__main__":
    sys.exit(main())
