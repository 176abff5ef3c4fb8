"""The whole experiment in its smallest form: a drawn shop, random weights, every step, twice."""

from pathlib import Path

import pytest

from benchmarks.embedding import steps
from benchmarks.embedding.arms import MAIN
from benchmarks.embedding.details import DETAILS
from benchmarks.embedding.places import Places
from benchmarks.embedding.quick import QUICK, draw_quick_shop
from benchmarks.embedding.report import Destination
from benchmarks.embedding.steps import Plan
from lookalike.catalog.sample import SampleShop
from lookalike.storage import read_json

SHOP = SampleShop(products=60, photos_per_product=1, shopper_photos=0.5)
ARMS = ("multi_attribute", "single_label", MAIN)


@pytest.mark.slow
def test_every_step_runs_and_running_again_reuses_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(tmp_path / "work")
    plan = Plan(
        catalogue=draw_quick_shop(places, SHOP),
        encoders=tmp_path,
        places=places,
        settings=QUICK.model_copy(update={"photos": 192}),
        arms=ARMS,
        seeds=(0,),
        processes=1,  # starting one costs more than all the work here
        destination=Destination(tmp_path / "results", tmp_path / "docs"),
    )
    assert [told for step in (steps.train, steps.measure, steps.report) for told in step(plan)] == []
    figures = read_json(tmp_path / "results" / "embedding.json")["figures"]
    assert {"mining_gain", "multitask_gain", "frozen_gain", "known_item_recall_at_1", "damage_jpeg"} <= set(figures)
    assert {f"fine_precision_{arm}" for arm in (*ARMS, "frozen")} <= set(figures)
    assert set(read_json(tmp_path / "results" / DETAILS)["losses"]) == set(ARMS)
    assert "multi_attribute" in (tmp_path / "docs" / "embedding.md").read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "figures" / "map.png").is_file()
    assert (places.sheets / f"{MAIN}.png").is_file()
    capsys.readouterr()
    assert steps.train(plan) == []
    assert capsys.readouterr().out.count("kept") == len(ARMS)
