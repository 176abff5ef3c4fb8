"""Compare ways to train an embedding on one budget: every arm, several seeds, intervals; resumable.

Runs that finished are kept and killed ones go on where they were, so the same command may be given again at any
time. Photos of shops are only ever written into the workspace, never into the documentation.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.embedding import steps
from benchmarks.embedding.arms import ARMS
from benchmarks.embedding.places import Places
from benchmarks.embedding.quick import QUICK, QUICK_ARMS, draw_quick_shop
from benchmarks.embedding.report import Destination
from benchmarks.embedding.settings import Experiment
from benchmarks.embedding.steps import Plan
from lookalike.errors import LookalikeError

STEPS = ("sweep", "train", "measure", "report")


def main() -> int:
    """0: everything asked for is done; 1: a run failed; 2: something a person can put right."""
    arguments = _parser().parse_args()
    try:
        plan = _plan(arguments)
        failures = [told for step in STEPS if step in arguments.steps for told in getattr(steps, step)(plan)]
    except LookalikeError as error:
        sys.stderr.write(f"bench-embedding: {error}\n")
        return 2
    for told in failures:
        sys.stderr.write(f"{told}\n")
    return 1 if failures else 0


def _plan(arguments: argparse.Namespace) -> Plan:
    workspace = Path(arguments.workspace or Path(tempfile.gettempdir()) / "bench-embedding")
    places = Places(workspace / "quick" if arguments.quick else workspace)
    chosen = {name: getattr(arguments, name) for name in ("photos", "precision") if getattr(arguments, name)}
    common = {"places": places, "processes": arguments.processes, "limit": arguments.limit}
    common |= {"outside": dict(arguments.checkpoints)}
    encoders = Path(arguments.encoders)
    if arguments.quick:
        settings, arms = Experiment(**{**QUICK.model_dump(), **chosen}), tuple(arguments.arms or QUICK_ARMS)
        common |= {"destination": Destination(places.root / "report", places.root / "report")}
        return Plan(draw_quick_shop(places), encoders, settings=settings, arms=arms, seeds=(0,), **common)
    arms = tuple(arguments.arms or ARMS)
    return Plan(
        arguments.catalogue, encoders, settings=Experiment(**chosen), arms=arms, seeds=tuple(arguments.seeds), **common
    )


def _named(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder) or name in ARMS:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FOLDER, with a name that no arm has")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.embedding", description=__doc__)
    add = parser.add_argument
    add("--catalogue", default=os.environ.get("LOOKALIKE_FPI", ""), help="folder of the catalogue [LOOKALIKE_FPI]")
    add("--encoders", default=os.environ.get("LOOKALIKE_WEIGHTS", ""), help="folder of backbones [LOOKALIKE_WEIGHTS]")
    add("--workspace", help="where runs are kept [a folder for temporary files]")
    add("--quick", action="store_true", help="a drawn shop, two arms, one seed, minutes; reported into the workspace")
    add("--arms", nargs="+", choices=ARMS, metavar="ARM", help=f"some of: {', '.join(ARMS)} [all]")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="[0 1 2]")
    add("--processes", type=int, default=2, help="runs side by side, one thread each [2]")
    add("--photos", type=int, help="photos each run sees [48000]")
    add("--precision", choices=("32-true", "bf16-mixed"), help="arithmetic of training [bf16-mixed]")
    add("--limit", type=int, default=0, help="most products read from the catalogue [all]")
    add(
        "--checkpoints",
        nargs="+",
        type=_named,
        default=[],
        metavar="NAME=FOLDER",
        help="models on budgets of their own, measured too; what a model can do is asked of the first of them",
    )
    add(
        "--steps", nargs="+", choices=STEPS, default=STEPS[1:], help="sweep seeks learning rates [train measure report]"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
