"""What resumable studies share: where they keep things, what was asked for, what a step found, and the command line."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pages import Tables, fill
from benchmarks.results import RESULTS, Figure, record
from lookalike.errors import LookalikeError
from lookalike.storage import atomic_file, read_json, write_json

DOCS = Path(__file__).parents[1] / "docs"
REPORT = "report"


class Skipped(Exception):
    """A step cannot be measured here; the sentence says what is missing."""


@dataclass(frozen=True)
class StudyPlaces:
    """Paths under one workspace. Nothing is created here."""

    root: Path

    @property
    def drawn_shop(self) -> Path:
        return self.root / "drawn_shop"

    @property
    def validated(self) -> Path:
        return self.root / "validated"

    def measured(self, step: str) -> Path:
        """What a measuring step found, for the report."""
        return self.root / "measured" / f"{step}.json"

    def scratch(self, step: str) -> Path:
        """A folder that a step may empty and fill."""
        return self.root / "scratch" / step


@dataclass(frozen=True)
class Destination:
    """Where results go: into the repository, or for a trial into the workspace."""

    results: Path = RESULTS
    docs: Path = DOCS


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What was asked for on the command line."""

    catalogue: str
    encoders: Path
    destination: Destination = field(default_factory=Destination)
    again: bool = False
    """Measure again what was measured before."""
    quick: bool = False


@dataclass(frozen=True)
class Measured:
    """What one step found."""

    figures: Mapping[str, Figure]
    """By the key they are recorded under."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON: the numbers behind them, which tables and plots are made of."""


@dataclass(frozen=True)
class Subject:
    """What a study is about: `name` is that of its results."""

    name: str
    page: str
    """In docs/, whose tables are made of the results."""
    tables: Tables

    @property
    def details(self) -> str:
        return f"{self.name}_details.json"

    def keep(self, plan: StudyPlan, path: Path, asked: str, measure: Callable[[], Measured]) -> Measured:
        """Measure a step and keep what it found at `path`, or give back what it found earlier for the same `asked`."""
        if path.is_file() and not plan.again and (kept := read_json(path))["study"] == asked:
            return Measured({key: Figure(**figure) for key, figure in kept["figures"].items()}, kept["details"])
        found, results = measure(), plan.destination.results
        figures = {key: asdict(figure) for key, figure in found.figures.items()}
        write_json(path, {"study": asked, "figures": figures, "details": found.details})
        record(self.name, found.figures, results)
        known = read_json(results / self.details) if (results / self.details).is_file() else {}
        write_json(results / self.details, dict(sorted({**known, path.stem: found.details}.items())))
        return found

    def write_page(self, plan: StudyPlan) -> Mapping[str, Any]:
        """Make the page's tables anew from the recorded numbers, whose details are returned; its prose stays."""
        results, docs = plan.destination.results, plan.destination.docs
        figures, details = read_json(results / f"{self.name}.json")["figures"], read_json(results / self.details)
        page = fill((DOCS / self.page).read_text(encoding="utf-8"), figures, details, self.tables)
        with atomic_file(docs / self.page) as aside:
            aside.write_text(page, encoding="utf-8")
        return dict(details)


def study_parser(name: str, about: str | None, steps: Collection[str]) -> argparse.ArgumentParser:
    """The arguments every study takes."""
    parser = argparse.ArgumentParser(f"python -m benchmarks.{name}", description=about)
    add, known = parser.add_argument, (*steps, REPORT)
    add("--catalogue", default=os.environ.get("LOOKALIKE_FPI", ""), help="folder of the catalogue [LOOKALIKE_FPI]")
    add("--encoders", default=os.environ.get("LOOKALIKE_WEIGHTS", ""), help="folder of backbones [LOOKALIKE_WEIGHTS]")
    add("--workspace", help="where everything is kept [a folder for temporary files]")
    add("--quick", action="store_true", help="a drawn shop and short runs, minutes; reported into the workspace")
    add("--again", action="store_true", help="measure again what was measured before")
    add("--steps", nargs="+", choices=known, default=known, metavar="STEP", help=f"some of: {', '.join(known)} [all]")
    return parser


def common(arguments: argparse.Namespace, name: str) -> tuple[Path, dict[str, Any]]:
    """The workspace's root, and the fields of a plan that the arguments decide."""
    workspace = Path(arguments.workspace or Path(tempfile.gettempdir()) / f"bench-{name}").resolve()
    root = workspace / "quick" if arguments.quick else workspace
    fields = {"catalogue": arguments.catalogue, "encoders": Path(arguments.encoders)}
    fields |= {"again": arguments.again, "quick": arguments.quick}
    aside = {"destination": Destination(root / REPORT, root / REPORT)} if arguments.quick else {}
    return root, {**fields, **aside}


def run_steps(
    name: str,
    asked: Collection[str],
    steps: Collection[str],
    measure: Callable[[str], object],
    report: Callable[[], object],
) -> int:
    """0: everything asked for is done, or skipped with a reason; 2: something a person can put right."""
    try:
        for step in steps:
            if step in asked:
                _measure_or_say(name, step, measure)
        if REPORT in asked:
            report()
    except LookalikeError as error:
        sys.stderr.write(f"bench-{name}: {error}\n")
        return 2
    return 0


def _measure_or_say(name: str, step: str, measure: Callable[[str], object]) -> None:
    try:
        measure(step)
    except Skipped as reason:
        sys.stderr.write(f"bench-{name}: {step} is skipped: {reason}\n")
