"""The drift study's own arithmetic, its trials that survive a kill, and the page it fills."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift.delay import delay
from benchmarks.drift.evidently_scores import power_at
from benchmarks.drift.plots import draw_plots
from benchmarks.drift.report import DOCS, PAGE
from benchmarks.drift.settings import QUICK
from benchmarks.drift.steps import DETAILS, SUBJECT
from benchmarks.drift.tables import TABLES
from benchmarks.drift.traffic import Traffic, apart, new_world, strengths
from benchmarks.drift.trials import collect
from benchmarks.pages import MARKERS, fill
from benchmarks.results import RESULTS
from lookalike.storage import read_json
from tests.monitoring.shop import World, sample

PRODUCTS = 900


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    world, rng = World(1, dimension=32), np.random.default_rng(0)
    types = rng.choice(["shirt", "shoe", "bag"], PRODUCTS, p=[0.5, 0.4, 0.1])
    seasons = rng.choice(["Summer", "Winter"], PRODUCTS)
    return Traffic(sample(world, PRODUCTS, 1), sample(world, PRODUCTS, 1, quality=30.0), types, seasons)


def rows_of(world_rows: np.ndarray, all_rows: np.ndarray) -> set[int]:
    places = {row.tobytes(): i for i, row in enumerate(all_rows)}
    return {places[row.tobytes()] for row in world_rows}


def test_no_product_is_in_a_reference_and_in_its_windows(traffic: Traffic) -> None:
    for number in range(5):
        world = new_world(traffic, QUICK, number, 3, unseen=True)
        reference = rows_of(world.reference.vectors, traffic.usual.vectors)
        for shift, strength in ((None, 0.0), ("unseen_type", 0.1), ("season_mix", 1.0)):
            window = rows_of(world.window(120, 0, shift, strength).vectors, traffic.usual.vectors)
            assert len(window) == 120
            assert not window & reference


def test_the_unseen_type_is_in_neither_the_reference_nor_ordinary_windows(traffic: Traffic) -> None:
    world = new_world(traffic, QUICK, 0, 3, unseen=True)
    hidden = set(world.unseen.tolist())
    assert not hidden & rows_of(world.reference.vectors, traffic.usual.vectors)
    assert not hidden & rows_of(world.window(120, 0).vectors, traffic.usual.vectors)
    assert len(hidden & rows_of(world.window(120, 0, "unseen_type", 0.1).vectors, traffic.usual.vectors)) == 12


def test_a_full_change_of_quality_changes_every_photo_and_half_of_it_about_half(traffic: Traffic) -> None:
    world = new_world(traffic, QUICK, 0, 3, unseen=False)
    for strength, low, high in ((1.0, 200, 200), (0.5, 70, 130)):
        window = world.window(200, 0, "jpeg_quality", strength)
        assert low <= (window.numbers["jpeg_quality"] == 30).sum() <= high


def test_a_gradual_shift_ends_as_the_sudden_one() -> None:
    gradual, sudden = (strengths(QUICK, "unseen_type", kind) for kind in (True, False))
    assert list(gradual.values()) == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert set(sudden.values()) == {0.1}


def test_the_delay_is_the_window_with_which_drift_is_believed() -> None:
    assert delay([False, True]) == 2
    assert delay([False, False, False]) is None


def test_windows_judged_as_one_show_every_photo_once(traffic: Traffic) -> None:
    world = new_world(traffic, QUICK, 0, 3, unseen=False)
    windows = [world.window(120, day) for day in range(3)]
    parts = apart(windows)
    assert parts[0].vectors.tolist() == windows[0].vectors.tolist()
    rows = [rows_of(part.vectors, traffic.usual.vectors) for part in parts]
    assert sum(map(len, rows)) == len(set.union(*rows)) == sum(map(len, parts))
    assert set.union(*rows) == set.union(*(rows_of(window.vectors, traffic.usual.vectors) for window in windows))


def test_a_fixed_threshold_at_its_best_lets_the_stated_share_of_clean_windows_pass() -> None:
    clean = list(range(100))
    assert power_at(clean, [94.0, 95.0, 96.0, 200.0], 0.05) == 0.5
    assert power_at(clean, clean, 0.05) <= 0.05


def test_trials_go_on_where_they_were_killed_and_begin_anew_under_other_settings(tmp_path: Path) -> None:
    path, ran = tmp_path / "trials.jsonl", []

    def run(number: int) -> dict:
        ran.append(number)
        return {"square": number**2}

    collect(path, {"seed": 0}, range(3), run, "trials")
    path.write_text(path.read_text() + '{"trial": 3, "sq')  # a kill in the middle of a line
    found = collect(path, {"seed": 0}, range(5), run, "trials")
    assert [one["square"] for one in found] == [0, 1, 4, 9, 16]
    assert ran == [0, 1, 2, 3, 4]
    collect(path, {"seed": 1}, range(2), run, "trials")
    assert ran[5:] == [0, 1]


def test_the_page_has_every_table_once() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    assert [name for _, name, _ in MARKERS.findall(page)] == list(TABLES)


def test_the_page_s_tables_are_those_made_from_the_committed_numbers() -> None:
    if not (RESULTS / DETAILS).is_file():
        pytest.skip("the study's numbers are not committed; `make bench-drift` writes them")
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    assert fill(page, read_json(RESULTS / f"{SUBJECT}.json")["figures"], read_json(RESULTS / DETAILS), TABLES) == page


def test_plots_are_drawn_from_numbers_alone(tmp_path: Path) -> None:
    waited = {"unseen_type": [2, 3], "season_mix": [None, 2]}
    told = {"days": 4, "waited": waited}
    draw_plots({"delay": {"sudden": told, "gradual": told}, "false_alarms": {"ranks": [0.2, 0.9]}}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drift_delay.svg", "drift_false_alarms.svg"]
