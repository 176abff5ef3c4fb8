"""Feedback in the training pipeline: never taken from the cache itself, and a reason to mine only where it is new."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import dsl

from app.local_runner import PipelineRun, run_pipeline
from components.collect_feedback import collect_feedback
from components.mine_triplets import mine_triplets
from pipelines.compiled import COMPILED
from tests.feedback.shop import ShopInService


def training_tasks() -> dict[str, Any]:
    spec = next(iter(yaml.safe_load_all((COMPILED / "training.yaml").read_text())))
    return dict(spec["components"]["comp-training-steps"]["dag"]["tasks"])


def test_feedback_is_collected_in_every_training_and_reaches_mining_and_the_gate() -> None:
    tasks = training_tasks()
    assert not tasks["collect-feedback"].get("cachingOptions", {}).get("enableCache")
    assert tasks["mine-triplets"]["cachingOptions"] == {"enableCache": True}
    for reader in ("mine-triplets", "evaluate-model"):
        given = tasks[reader]["inputs"]["parameters"]["feedback"]["taskOutputParameter"]
        assert given == {"outputParameterKey": "Output", "producerTask": "collect-feedback"}
        assert "feedback" not in tasks[reader]["inputs"]["artifacts"], "an artifact's address is new in every run"


@dsl.component(base_image="lookalike/tests:0-python3.11", install_kfp_package=False)
def place(folder: str, placed: dsl.Output[dsl.Dataset]):
    import shutil

    shutil.copytree(folder, placed.path)


@dsl.pipeline(name="learning")
def learning(validated: str, splits: str, workspace: str, champion: str, settings: dict) -> dsl.Dataset:
    shop = place(folder=validated).outputs["placed"]
    parts = place(folder=splits).outputs["placed"]
    collected = collect_feedback(validated=shop, splits=parts, workspace=workspace, champion=champion)
    return mine_triplets(
        validated=shop,
        splits=parts,
        workspace=workspace,
        feedback=collected.set_caching_options(False).outputs["Output"],
        settings=settings,
    ).outputs["triplets"]


def learn(shop: ShopInService, root: Path) -> PipelineRun:
    lenient = {"click_positive": -1.0, "click_negative": 1.0, "triplets_per_anchor": 2}
    arguments = {
        "validated": str(shop.place.validated),
        "splits": str(shop.place.splits),
        "workspace": str(shop.place.root),
        "champion": shop.champion,
        "settings": {"mine": lenient},
    }
    return run_pipeline(learning, arguments, root=root / "root", log=root / "log", say=lambda _: None)


@pytest.mark.slow
def test_mining_comes_from_the_cache_until_somebody_clicks(tmp_path: Path) -> None:
    shop = ShopInService.make(tmp_path / "shop")
    first = learn(shop, tmp_path).outputs["Output"]
    shop.log([shop.answer("a", "p000", "p003", "p004")], [])
    assert learn(shop, tmp_path).outputs["Output"] == first, "a query that nobody clicked teaches nothing"
    shop.log([], [("a", "p004", 1, "s")])
    clicked = learn(shop, tmp_path)
    assert clicked.outputs["Output"] != first
    figures = {record.stage: record.figures for _, record in clicked.records}
    assert (figures["collect_feedback"]["clicked"], figures["mine"]["click_triplets"]) == (1, 1)
    assert learn(shop, tmp_path).outputs["Output"] == clicked.outputs["Output"]
