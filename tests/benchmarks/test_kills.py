"""A short run of the study in which processes are killed: the index passes it, and what is not atomic does not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.index.kill_collection import FaissCollections, expected_views
from benchmarks.index.kill_run import Scenario
from benchmarks.index.kill_shop import ShopVerbs, make_inputs
from benchmarks.index.kill_trap import DONE
from benchmarks.index.kill_trial import Reference, Toll, refer, trial, views_of


def killed(scenario: Scenario, root: Path, reference: Reference, kills: int, seed: int = 0) -> Toll:
    toll, random = Toll(), np.random.default_rng(seed)
    while toll.kills < kills and not toll.faults:
        trial(scenario, root, reference, toll, random, ahead=8)
    return toll


def test_whatever_a_kill_interrupts_in_a_faiss_folder_nothing_is_lost_and_nothing_half_built_is_seen(
    tmp_path: Path,
) -> None:
    scenario = FaissCollections()
    reference = refer(scenario, tmp_path / "index", expected_views())  # the exact index in memory says what to expect
    toll = killed(scenario, tmp_path / "index", reference, kills=12)
    assert toll.faults == []
    assert toll.kills >= 12


def test_every_kind_of_act_passes_points_where_it_can_be_killed(tmp_path: Path) -> None:
    scenario = FaissCollections()
    reference = refer(scenario, tmp_path / "index", expected_views())
    points = {kind: {step for act, step in reference.steps.values() if act == kind} for kind in scenario.acts}
    assert all(DONE in steps and len(steps) > 2 for steps in points.values()), points
    assert any("collection.json" in step for step in points["upsert"])
    assert any("aliases.json" in step for step in points["swap alias"])


@pytest.mark.slow
def test_whatever_a_kill_interrupts_in_a_shop_s_verbs_the_next_run_ends_in_the_same_state(tmp_path: Path) -> None:
    scenario = ShopVerbs(make_inputs(tmp_path / "inputs"))
    reference = refer(scenario, tmp_path / "shop", views_of(scenario, tmp_path / "viewed"))
    assert killed(scenario, tmp_path / "shop", reference, kills=8).faults == []


class Notebook:
    """Acts that add a line to a file: in two writes, or in one that is acknowledged before it is made."""

    name = "notebook"
    acts: Sequence[str] = ["write"] * 3

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def empty(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        (root / "book").write_text("")

    @contextmanager
    def opened(self, root: Path) -> Iterator[Sequence[Callable[[], object]]]:
        late: list[str] = []
        yield [lambda: (self._torn if self.fault == "torn" else self._late)(root / "book", late)] * 3

    def _torn(self, book: Path, late: list[str]) -> None:
        text = book.read_text().removesuffix("half ")  # a new run clears up first, so it does end in the same state
        for content in (text + "half ", text + "line\n"):
            with book.open("w") as file:
                file.write(content)

    def _late(self, book: Path, late: list[str]) -> None:
        late.append("line\n")
        if len(late) > 1:
            with book.open("a") as file:
                file.write(late.pop(0))

    def view(self, root: Path) -> Any:
        return (root / "book").read_text()

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        return "" if seen in (before, after) else f"{seen!r} is neither {before!r} nor {after!r}"

    def left(self, root: Path) -> list[str]:
        return []


@pytest.mark.parametrize("fault", ["torn", "late"])
def test_what_is_torn_or_acknowledged_too_early_is_caught(tmp_path: Path, fault: str) -> None:
    scenario = Notebook(fault)
    lines = ["line\n" * count for count in range(4)]
    steps = refer(scenario, tmp_path / "notes", lines if fault == "torn" else [*lines[:2], lines[2], lines[2]]).steps
    toll = killed(scenario, tmp_path / "notes", Reference(lines, steps), kills=30)
    assert toll.faults
