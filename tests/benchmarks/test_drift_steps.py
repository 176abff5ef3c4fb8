"""The study as a whole: every step writes what it found, goes on where it was, and says what it lacks."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.drift.__main__ import main
from benchmarks.drift.places import Places
from benchmarks.drift.plan import Destination, MissingInput, Plan
from benchmarks.drift.report import write_report
from benchmarks.drift.settings import QUICK
from benchmarks.drift.steps import MEASURES, measure
from lookalike.observation import observations_table
from lookalike.storage import read_json
from tests.monitoring.shop import World, observations

PRODUCTS = 500
STUDY = QUICK.model_copy(
    update={
        "reference": 200,
        "sizes": (40,),
        "clean_windows": 4,
        "window": 60,
        "episodes": 2,
        "days": 4,
        "shared_references": 2,
        "shared_windows": 2,
        "draws": 99,
        "lives": 2,
        "lived_windows": 4,
        "years": 3,
    }
)


def made_up(folder: Path) -> None:
    """Observed photos of products that nobody has; those of the coarse set are more strongly compressed."""
    folder.mkdir(parents=True)
    vectors, rng = World(1, dimension=32).vectors(PRODUCTS, 2), np.random.default_rng(0)
    types, seasons = (rng.choice(values, PRODUCTS) for values in (["shirt", "shoe", "bag"], ["Summer", "Winter"]))
    for name, quality in (("first", 90.0), ("coarse", 30.0)):
        table = observations_table(observations(vectors, 3, quality=quality))
        table = table.append_column("type", pa.array(types)).append_column("season", pa.array(seasons))
        pq.write_table(table, folder / f"{name}.parquet")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    places = Places(tmp_path / "shop", quick=True)
    made_up(places.observed)
    return Plan(places, STUDY, Destination(tmp_path / "results", tmp_path / "docs"))


def test_the_cheapest_steps_run_from_observed_photos_alone_and_fill_the_page(plan: Plan, tmp_path: Path) -> None:
    assert not measure(plan, "years")  # which draw from the lives
    for step in ("false_alarms", "delay", "shared", "lives", "years"):
        assert measure(plan, step)
    write_report(plan)
    figures = read_json(tmp_path / "results" / "drift.json")["figures"]
    assert {"false_alarm_1pct", "delay_sudden", "false_alarm_shared_5pct", "false_retrains_per_year"} <= set(figures)
    assert "| `delay_sudden` |" in (tmp_path / "docs" / "drift.md").read_text()
    kept = sorted(path.name for path in plan.places.root.glob("*.jsonl"))
    assert kept == ["clean.jsonl", "delay.jsonl", "lives.jsonl", "shared.jsonl"]


def test_a_step_without_its_inputs_is_skipped_with_a_sentence(
    plan: Plan, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not measure(plan, "gate")
    assert "gate was skipped" in caplog.text
    assert "validated is missing; it needs a workspace in which a model was exported" in caplog.text
    assert not (tmp_path / "results").exists()


def test_what_else_a_step_needs_is_said_by_its_option(plan: Plan) -> None:
    with pytest.raises(MissingInput, match=r"--short is None; .* after one epoch"):
        plan.one_epoch()
    with pytest.raises(MissingInput, match="--arms is not given"):
        plan.arm("multi_task")


def test_a_catalogue_without_seasons_cannot_shift_them(plan: Plan) -> None:
    path = plan.places.observed / "first.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["season"]), path)
    with pytest.raises(MissingInput, match="the catalogue has no season"):
        plan.traffic()


def test_the_command_runs_what_it_can_and_writes_into_the_workspace_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up(Places(tmp_path, quick=True).observed)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    asked = ["bench-drift", "--quick", "--workspace", str(tmp_path), "--steps", "lives", "gate", "poison", "report"]
    monkeypatch.setattr(sys, "argv", asked)
    assert main() == 0
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file() and path not in before}
    reported = {Path("report") / name for name in ("drift.json", "drift_details.json", "drift.md")}
    assert written == {Path("drift_study_quick") / name for name in (*reported, "lives.jsonl")}
    monkeypatch.setattr(sys, "argv", [*asked[:-4], "gate"])
    assert main() == 2


def test_every_step_has_a_name_of_its_own_and_the_report_is_none_of_them() -> None:
    assert "report" not in MEASURES
    assert len(set(MEASURES.values())) == len(MEASURES)
