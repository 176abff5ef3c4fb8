"""Does a pipeline run again what changed, and nothing else? `cache_errors`: tasks wrongly run and wrongly reused.

The pipelines are run by KFP's local runner over the drawn shop, again and again, with something changed in between. A
task must be taken from the cache exactly where all that decides it, by the compiled pipeline, was the same before.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.local_runner import run_pipeline
from app.recipes import resolve_recipe
from benchmarks.cluster.compiled import Source, Task, read_compiled, roots_of, tasks_of
from benchmarks.cluster.turns import Turn, turns
from benchmarks.results import RESULTS, Figure, record
from lookalike import stages
from lookalike.errors import LookalikeError
from lookalike.workspace import Workspace
from pipelines.compile import PIPELINES
from pipelines.compiled import COMPILED

COMMAND = "make bench-caching"
PRODUCTS, EPOCHS = 160, 2
Meaning = frozenset[tuple[Source, str]]


@dataclass
class Counted:
    """How the turns went."""

    decisions: int = 0
    """Cached tasks that were met, over all turns."""
    wrongly_run: list[str] = field(default_factory=list)
    wrongly_reused: list[str] = field(default_factory=list)
    table: Table = field(default_factory=lambda: Table("turn", "run", "reused", "wrongly run", "wrongly reused"))
    _seen: set[tuple[str, Meaning]] = field(default_factory=set)

    @property
    def errors(self) -> int:
        return len(self.wrongly_run) + len(self.wrongly_reused)

    def count(self, turn: Turn, tasks: dict[str, Task], champion: str, said: Iterable[str]) -> None:
        """Hold what a run said of its tasks against what was seen in the turns before."""
        words = [line.split() for line in said]
        ran = {word[1] for word in words if word[:1] == ["▸"] and tasks[word[1]].cached}
        reused = {word[1] for word in words if word[:1] == ["✓"]}
        means = {name: self._means(turn, tasks, name, champion) for name in ran | reused}
        known = {name for name, meaning in means.items() if (tasks[name].component, meaning) in self._seen}
        wrong, stale = sorted(ran & known), sorted(reused - known)
        self.wrongly_run += [f"{turn.name}: {name}" for name in wrong]
        self.wrongly_reused += [f"{turn.name}: {name}" for name in stale]
        self.decisions += len(ran | reused)
        self._seen |= {(tasks[name].component, meaning) for name, meaning in means.items()}
        self.table.add_row(turn.name, ", ".join(sorted(ran)), str(len(reused)), ", ".join(wrong), ", ".join(stale))

    @staticmethod
    def _means(turn: Turn, tasks: dict[str, Task], name: str, champion: str) -> Meaning:
        return frozenset((source, turn.meaning(source, champion)) for source in roots_of(tasks, name))


def count_errors(folder: Path, planned: Iterable[Turn], told: Callable[[str], object] = lambda line: None) -> Counted:
    """Run the turns in a workspace below `folder` and count."""
    shop, counted = Workspace(folder / "shop"), Counted()
    for turn in planned:
        tasks = tasks_of(read_compiled(COMPILED / f"{turn.pipeline}.yaml")[0])
        champion, said = stages.champion(str(shop.root)), list[str]()
        arguments = turn.arguments(shop.root, f"faiss://{folder / 'faiss'}")
        told(turn.name)
        run_pipeline(
            PIPELINES[turn.pipeline], arguments, root=shop.pipeline_root, log=shop.logs / "run.log", say=said.append
        )
        counted.count(turn, tasks, champion, said)
    return counted


def main() -> int:
    """0: counted, however many errors; 2: a run failed."""
    parser = argparse.ArgumentParser(COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half of the products and one epoch; nothing is recorded")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figure is recorded")
    asked = parser.parse_args()
    products, epochs = (PRODUCTS // 2, 1) if asked.quick else (PRODUCTS, EPOCHS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stages.draw(str(folder / "drawn"), products=products, seed=0)
        recipe = json.dumps(resolve_recipe("sample_cpu", epochs=epochs).settings)
        try:
            counted = count_errors(folder, turns(folder, recipe), lambda name: sys.stderr.write(f"{name}\n"))
        except LookalikeError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    Console().print(counted.table)
    if not asked.quick:
        record("cluster", {"cache_errors": _figure(counted, products, epochs)}, asked.results)
    return 0


def _figure(counted: Counted, products: int, epochs: int) -> Figure:
    found = [*(f"wrongly run: {one}" for one in counted.wrongly_run)]
    found += [f"wrongly reused: {one}" for one in counted.wrongly_reused]
    how = (
        f"{len(counted.table.rows)} runs of training and refresh_index by KFP's local runner with caching, the drawn "
        f"shop of {products} products, {epochs} epochs, seed 0; between them nothing changed, a champion entered "
        "service, the catalogue was moved and its times changed, the recipe was laid out anew, and one setting, the "
        "learning rate, one product's price were changed; a task must be reused exactly where everything that decides "
        "it by the compiled pipeline was the same in an earlier run"
    )
    told = f"{how}; {'; '.join(found)}" if found else how
    return Figure(counted.errors, "tasks", told, COMMAND, "= 0", counted.errors == 0, n=counted.decisions)


if __name__ == "__main__":
    sys.exit(main())
