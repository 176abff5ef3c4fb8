"""The decide stage from files to files, across restarts and beside another watch."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lookalike.errors import ConfigError, ReleaseMismatch
from lookalike.release.manifest import save_release
from lookalike.release.update_log import Update, UpdateLog
from lookalike.storage import digest_json, read_json, read_seal, run_stage, write_json
from monitoring.decision import decide_action
from monitoring.drift import detect_drift
from monitoring.runs.memory import MemoryTrigger
from monitoring.settings import DecisionSettings, DriftSettings
from pipelines.compile import COMPILED
from tests.monitoring.shop import NOW, World, log_queries, make_release, observations

WORLD = World(5, dimension=32)
SETTINGS = DecisionSettings()
DRIFT_SETTINGS = DriftSettings(alpha=0.05, draws=39, proof_draws=0, max_rows=60, report_rows=50)


class Shop:
    """A released shop under one folder, with the watch run over it by hand."""

    def __init__(self, root: Path) -> None:
        self.root, self.history, self.runs = root, root / "watch_history.json", MemoryTrigger(COMPILED)
        self.release, self.folder = make_release(root / "releases", observations(WORLD.vectors(200, 1), 1))

    def watch(self, day: int, shift: float = 2.0) -> None:
        """A day of queries, and drift measured over them."""
        end = NOW + timedelta(days=day)
        log_queries(self.root / "log", self.release, observations(WORLD.vectors(60, 10 + day, shift), day), end)
        detect_drift(self.root / "log", self.folder, self.root / "drift", DRIFT_SETTINGS, end, self.history)

    def decide(self, now: datetime = NOW, output: str = "decision", **files: Path) -> dict:
        places = (self.root / "drift", self.root / output, self.folder, self.history)
        decide_action(*places, SETTINGS, now, self.runs, **files)
        return read_json(self.root / output / "decision.json")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_veto_file_holds_the_run_back_until_it_is_removed(shop: Shop) -> None:
    veto = shop.root / "veto.txt"
    veto.write_text("the shoot of the summer catalogue is not finished\n")
    for day in (0, 1):
        shop.watch(day)
        decision = shop.decide(veto=veto)
    assert decision["action"] == "watch"
    assert decision["reasons"][0].endswith("the shoot of the summer catalogue is not finished")
    veto.unlink()
    assert shop.decide(veto=veto)["action"] == "retrain"


def newly_validated(shop: Shop) -> Path:
    def work(folder: Path) -> dict:
        write_json(folder / "products.json", ["new"])
        return {}

    validated = shop.root / "validated"
    run_stage("validate", validated, inputs={}, settings={}, content=["products.json"], work=work)
    return validated


def test_a_newly_validated_catalogue_asks_for_an_index(shop: Shop) -> None:
    shop.watch(day=0, shift=0)
    validated = newly_validated(shop)
    assert shop.decide(catalogue=validated)["action"] == "reindex"


def test_a_catalogue_that_an_update_applied_asks_for_nothing(shop: Shop) -> None:
    shop.watch(day=0, shift=0)
    validated = newly_validated(shop)
    done = Update(number=1, catalogue_digest=read_seal(validated).content, applied=NOW.isoformat())
    UpdateLog(shop.folder.parent, shop.release).record(done)
    assert shop.decide(catalogue=validated)["action"] == "watch"


def test_a_reindexed_model_keeps_its_age(shop: Shop) -> None:
    first = shop.release
    again = first.model_copy(update={"release_id": digest_json("again"), "created": NOW.isoformat()})
    folder = save_release(shop.root / "releases", again)
    (folder / "reference.parquet").write_bytes((shop.folder / "reference.parquet").read_bytes())
    shop.release, shop.folder = again, folder
    shop.watch(day=0, shift=0)
    assert "The model is 30 days old; 90 are allowed." in shop.decide()["reasons"]


def test_drift_of_a_release_no_longer_in_service_is_refused(shop: Shop) -> None:
    shop.watch(day=0)
    _, shop.folder = make_release(shop.root / "releases", observations(WORLD.vectors(60, 1), 1), name="second")
    with pytest.raises(ReleaseMismatch, match="detect drift against the release in service first"):
        shop.decide()
    assert not shop.history.exists()


def test_a_damaged_history_is_an_error_and_not_a_fresh_start(shop: Shop) -> None:
    shop.watch(day=0)
    shop.history.write_text('{"runs": "many"}')
    with pytest.raises(ConfigError, match=r"watch_history\.json: runs is 'many'"):
        shop.decide()
