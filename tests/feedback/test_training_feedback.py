"""Feedback on its way into a training: collected, kept under the digest of its content, mined, judged."""

from pathlib import Path

import pandas as pd
import pytest

from lookalike import stages
from lookalike.mining.clicks import CLICKS
from lookalike.mining.vectors import VECTORS
from lookalike.models.encoder import EncoderSettings
from lookalike.storage import read_json, read_seal
from tests.evaluation.test_stage import ENCODER, make_checkpoint
from tests.feedback.shop import ShopInService

LENIENT = {"mine": {"click_positive": -1.0, "click_negative": 1.0, "triplets_per_anchor": 2}}
"""The tiny model's random vectors tell nothing, so clicks are not filtered by them."""
FEW = {"evaluate": {"damaged_queries": 8, "queries_per_damage": 2, "repeats": 100, "sheet_rows": 2}}


@pytest.fixture
def shop(tmp_path: Path) -> ShopInService:
    return ShopInService.make(tmp_path / "shop")


def collected(shop: ShopInService, folder: Path, champion: str | None = None) -> str:
    """The folder's content under the name it is kept by."""
    asked = {"workspace": str(shop.place.root), "champion": shop.champion if champion is None else champion}
    stages.collect_feedback(str(shop.place.validated), str(shop.place.splits), str(folder), **asked)
    return stages.keep_feedback(str(folder), workspace=str(shop.place.root))


def mined(shop: ShopInService, output: Path, name: str) -> dict[str, int]:
    folder = stages.kept_feedback(name, workspace=str(shop.place.root))
    places = (str(shop.place.validated), str(shop.place.splits), str(output))
    return stages.mine(*places, clicks=folder, settings=LENIENT).figures


def test_a_shop_without_logs_or_without_clicks_has_nothing_to_learn_and_always_the_same(
    shop: ShopInService, tmp_path: Path
) -> None:
    assert collected(shop, tmp_path / "before", champion="") == ""
    assert collected(shop, tmp_path / "none") == ""
    shop.log([shop.answer(f"a{n}", f"p00{n}", "p005", "p006") for n in range(4)], [])
    assert collected(shop, tmp_path / "unclicked") == ""
    contents = {read_seal(tmp_path / name).content for name in ("none", "unclicked")}
    assert len(contents) == 1
    assert not shop.place.learned_feedback.exists()


def test_collected_again_later_it_has_the_name_it_had_until_somebody_clicks(
    shop: ShopInService, tmp_path: Path
) -> None:
    shop.log([shop.answer("a", "p000", "p003", "p004")], [("a", "p004", 1, "s")])
    first = collected(shop, tmp_path / "first")
    shop.log([shop.answer("b", "p001", "p003", "p004")], [])
    assert collected(shop, tmp_path / "again") == first != ""
    shop.log([], [("b", "p004", 1, "s")])
    assert collected(shop, tmp_path / "more") not in ("", first)


def test_clicks_become_triplets_with_the_vectors_they_bring(shop: ShopInService, tmp_path: Path) -> None:
    shop.log(
        [shop.answer("a", "p000", "p003", "p012", "p004"), shop.answer("b", "p020", "p021", "p022")],
        [("a", "p004", 2, "s"), ("b", "p022", 1, "t")],
    )
    name = collected(shop, tmp_path / "feedback")
    kept = shop.place.learned_feedback / name
    assert pd.read_parquet(kept / VECTORS)["product_id"].tolist() == ["p000", "p003", "p004", "p012"]
    figures = mined(shop, tmp_path / "triplets", name)
    assert (figures["click_rows"], figures["click_triplets"]) == (3, 1)
    assert figures["triplets"] == mined(shop, tmp_path / "without", "")["triplets"] + 1
    triplets = pd.read_parquet(tmp_path / "triplets" / "triplets.parquet")
    assert ["p000", "p004", "p003"] in triplets[["anchor", "positive", "negative"]].to_numpy().tolist()


def test_labelled_answers_alone_are_no_reason_to_mine_again(shop: ShopInService, tmp_path: Path) -> None:
    shop.log([shop.answer("a", "p000", "p003", "p004")], [("a", "p004", 1, "s")])
    mined(shop, tmp_path / "triplets", collected(shop, tmp_path / "first"))
    shop.log([shop.answer("b", "p020", "p021", "p022")], [("b", "p022", 1, "t")])
    name = collected(shop, tmp_path / "second")
    folder = stages.kept_feedback(name, workspace=str(shop.place.root))
    places = (str(shop.place.validated), str(shop.place.splits), str(tmp_path / "triplets"))
    assert stages.mine(*places, clicks=folder, settings=LENIENT).reused


def test_poisoned_clicks_teach_nothing_and_hold_the_challenger_back(shop: ShopInService, tmp_path: Path) -> None:
    """Six sessions push what is least alike; one honest shopper clicks another."""
    hits = ("p001", "p002", "p003", "p004", "p005", "p006")
    answers = [shop.answer(f"{who}-{n}", "p000", *hits) for who in range(6) for n in range(6)]
    planted = [(f"{who}-{n}", "p006", 5, f"attacker {who}") for who in range(6) for n in range(6)]
    honest = shop.answer("honest", "p007", *hits)
    shop.log([*answers, honest], [*planted, ("honest", "p002", 1, "shopper")])
    name = collected(shop, tmp_path / "feedback")
    kept = shop.place.learned_feedback / name
    assert read_json(kept / "guard.json")["dropped"]["against the order"] == 36
    clicks = pd.read_parquet(kept / CLICKS)
    assert clicks.loc[clicks["clicked"], ["query", "product_id"]].to_numpy().tolist() == [["p007", "p002"]]
    assert mined(shop, tmp_path / "triplets", name)["click_triplets"] == 1
    checkpoint = make_checkpoint(tmp_path / "checkpoint", EncoderSettings(config=ENCODER))
    inputs = (str(shop.place.validated), str(shop.place.splits), str(checkpoint), str(tmp_path / "evaluation"))
    workspace = {"workspace": str(shop.place.root)}
    feedback = stages.kept_feedback(name, **workspace)
    record = stages.evaluate(*inputs, **workspace, champion=shop.champion, feedback=feedback, settings=FEW)
    assert stages.promotion(str(tmp_path / "evaluation")) == "hold"
    assert any("the feedback looks poisoned: 36 of 37 events were dropped" in why for why in record.figures["reasons"])
