"""Kill a scenario's processes again and again, look at what a reader sees each time, and go on until all is done."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.kill_run import Run, Scenario, done, finish, points, start
from benchmarks.index.kill_trap import Point

AHEAD = 4
"""Acts that may be performed before the next kill; more make a life shorter."""
Step = tuple[str, str]
"""An act's kind and a point within it; what is covered is counted by these."""


@dataclass(frozen=True)
class Reference:
    """What a run that is never killed comes to."""

    views: Sequence[Any]
    """Before the first act and after each."""
    steps: Mapping[Point, Step]


@dataclass
class Toll:
    """What killing came to."""

    kills: int = 0
    hits: Counter[Step] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Sentences: what was lost, seen half-built or not reached."""
    trials: int = 0

    def fewest(self, reference: Reference) -> int:
        """How often the step that was hit the least was hit."""
        return min(self.hits[step] for step in reference.steps.values())


def refer(scenario: Scenario, root: Path, views: Sequence[Any]) -> Reference:
    """Perform everything once, unharmed, and name its points; `views` are those after each act, and before the first.

    Raises RuntimeError where the end is another than the last view.
    """
    run = Run(scenario, root)
    clear(run)
    finish(run, start(run))
    if scenario.view(root) != views[-1]:
        raise RuntimeError(
            f"{scenario.name} ends in {scenario.view(root)} though nothing is killed, not in {views[-1]}"
        )
    named = {
        Point(act, change): (scenario.acts[act], name)
        for act, names in enumerate(points(run))
        for change, name in enumerate(names)
    }
    return Reference(views, named)


def views_of(scenario: Scenario, root: Path) -> list[Any]:
    """What a reader sees before the first act and after each, in this process."""
    scenario.empty(root)
    views = [scenario.view(root)]
    with scenario.opened(root) as acts:
        for act in acts:
            act()
            views.append(scenario.view(root))
    return views


def trial(
    scenario: Scenario, root: Path, reference: Reference, toll: Toll, random: np.random.Generator, ahead: int = AHEAD
) -> None:
    """From nothing to everything done, killed on the way wherever the fewest kills were so far."""
    run = Run(scenario, root)
    clear(run)
    toll.trials += 1
    try:
        while True:
            at = _next(reference, toll, done(run), random, ahead)
            run = Run(scenario, root, done(run), at)
            if at is not None:
                toll.hits[reference.steps[at]] += 1
            if finish(run, start(run)):
                break
            toll.kills += 1
            examine(run, reference, toll)
        if scenario.view(root) != reference.views[-1]:
            toll.faults.append(f"{scenario.name}: ended in {scenario.view(root)}, not in {reference.views[-1]}")
        toll.faults += [f"{scenario.name}: {name} is left" for name in scenario.left(root)]
    except RuntimeError as error:
        toll.faults.append(f"{scenario.name}, killed at {run.at}: {error}")


def examine(run: Run, reference: Reference, toll: Toll) -> None:
    """Nothing acknowledged may be missing, and of the act under way all or nothing may be seen."""
    act, last = done(run), len(reference.views) - 1
    before, after = reference.views[act], reference.views[min(act + 1, last)]
    try:
        seen = run.scenario.view(run.root)
    except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is looked for
        seen = error
    wrong = run.scenario.explain(min(act, last - 1), before, after, seen)
    if wrong:
        toll.faults.append(f"{run.scenario.name}, killed at {run.at}, {act} acts acknowledged: {wrong}")


def clear(run: Run) -> None:
    """As if nothing had ever run there."""
    run.scenario.empty(run.root)
    for path in (run.acknowledged, run.passed, run.failure):
        path.unlink(missing_ok=True)


def _next(reference: Reference, toll: Toll, act: int, random: np.random.Generator, ahead: int) -> Point | None:
    """One of the least covered points of the next acts; None now and then at the end, so that a trial ends."""
    near = [point for point in reference.steps if act <= point.act < act + ahead]
    if not near or (act == len(reference.views) - 2 and random.random() < 0.5):
        return None
    fewest = min(toll.hits[reference.steps[point]] for point in near)
    least = [point for point in near if toll.hits[reference.steps[point]] == fewest]
    return least[int(random.integers(len(least)))]
