"""The mining stage on a shop of 36 products."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike import stages
from lookalike.errors import MiningError
from lookalike.mining.mine import mine
from lookalike.mining.settings import MiningSettings
from lookalike.storage import read_json
from tests.mining.tiny_shop import tiny_products, write_shop, write_vectors


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_shop(tmp_path, tiny_products(), duplicates=[("p000", "p001")])
    return tmp_path


def _mine(shop: Path, output: str = "triplets", **settings: object) -> pd.DataFrame:
    mine(shop / "validated", shop / "splits", shop / output, MiningSettings.model_validate(settings))
    return pd.read_parquet(shop / output / "triplets.parquet")


def test_triplets_hold_only_products_of_the_train_split(shop: Path) -> None:
    triplets = _mine(shop)
    splits = pd.read_parquet(shop / "splits" / "splits.parquet")
    training = set(splits.loc[splits["split"] == "train", "product_id"])
    assert set(triplets[["anchor", "positive", "negative"]].to_numpy().ravel()) == training
    assert len(triplets) == 8 * len(training)


def test_the_margin_grows_with_the_gap_between_levels(shop: Path) -> None:
    triplets = _mine(shop, margin_per_level=0.07)
    gap = triplets["positive_level"] - triplets["negative_level"]
    assert set(gap) == {1, 2, 3, 4}
    assert triplets["margin"].tolist() == pytest.approx((0.07 * gap).tolist(), rel=1e-6)
    assert triplets.dtypes.astype(str).to_dict() == {
        "anchor": "object",
        "positive": "object",
        "negative": "object",
        "positive_level": "int8",
        "negative_level": "int8",
        "margin": "float32",
    }


def test_margins_may_differ_level_by_level(shop: Path) -> None:
    triplets = _mine(shop, margin_steps=[0.05, 0.1, 0.2, 0.3])
    heights = np.cumsum([0, 0.05, 0.1, 0.2, 0.3])
    expected = heights[triplets["positive_level"]] - heights[triplets["negative_level"]]
    np.testing.assert_allclose(triplets["margin"], expected, rtol=1e-6)
    assert not np.allclose(triplets["margin"], _mine(shop, "evenly")["margin"])


def test_vectors_make_negatives_hard_and_enter_the_digest(shop: Path) -> None:
    easy = _mine(shop, "easy")
    write_vectors(shop / "vectors", tiny_products())
    folders = (shop / "validated", shop / "splits", shop / "hard")
    settings = MiningSettings(hard_share=1, hard_lead=2, hard_ceiling=1)
    record = mine(*folders, settings, vectors=shop / "vectors")
    hard = pd.read_parquet(shop / "hard" / "triplets.parquet")
    assert record.figures["hard_negatives"] == len(hard) == len(easy)
    unchanged = ["anchor", "positive", "positive_level", "negative_level", "margin"]
    pd.testing.assert_frame_equal(hard[unchanged], easy[unchanged])
    assert mine(*folders, settings, vectors=shop / "vectors").reused
    assert not mine(*folders, settings).reused


def test_the_verb_takes_vectors_by_path(shop: Path) -> None:
    write_vectors(shop / "vectors", tiny_products())
    places = (str(shop / "validated"), str(shop / "splits"), str(shop / "triplets"))
    by_verb = stages.mine(*places, vectors=str(shop / "vectors"), settings={"mine": {"hard_share": 0.25}})
    assert by_verb.figures["hard_negatives"] > 0
    assert mine(*map(Path, places), MiningSettings(hard_share=0.25), vectors=shop / "vectors").reused


def test_vectors_that_do_not_fit_are_refused(shop: Path) -> None:
    folders = (shop / "validated", shop / "splits", shop / "triplets")
    write_vectors(shop / "few", tiny_products().iloc[:10])
    with pytest.raises(MiningError, match="21 of 30 products have no vector, 'p010' first"):
        mine(*folders, vectors=shop / "few")
    write_vectors(shop / "long", tiny_products(), length=2.0)
    with pytest.raises(MiningError, match=r"of unit length; those in .* reach from 2\.000 to 2\.000"):
        mine(*folders, vectors=shop / "long")


def test_a_click_log_adds_its_triplets_or_stands_alone(shop: Path) -> None:
    write_vectors(shop / "vectors", tiny_products())
    rows = {"query": ["p000", "p000"], "product_id": ["p002", "p003"], "position": [1, 0], "clicked": [True, False]}
    pd.DataFrame(rows).assign(when=pd.Timestamp("2026-11-01")).to_parquet(shop / "clicks.parquet")
    further = {"vectors": shop / "vectors", "clicks": shop / "clicks.parquet"}
    folders, lenient = (shop / "validated", shop / "splits"), {"click_positive": -1, "click_negative": 1}
    both = mine(*folders, shop / "both", MiningSettings.model_validate(lenient), **further)
    assert (both.figures["triplets"], both.figures["click_triplets"]) == (8 * 30 + 1, 1)
    mine(*folders, shop / "alone", MiningSettings(scheme="clicks", **lenient), **further)
    alone = pd.read_parquet(shop / "alone" / "triplets.parquet")
    assert alone[["anchor", "positive", "negative"]].to_numpy().tolist() == [["p000", "p002", "p003"]]
    with pytest.raises(MiningError, match="needs the products' vectors"):
        mine(*folders, shop / "blind", MiningSettings(), clicks=shop / "clicks.parquet")


def test_the_single_attribute_scheme_writes_the_same_columns(shop: Path) -> None:
    levels, single = _mine(shop), _mine(shop, "single", scheme="single_attribute")
    assert single.dtypes.to_dict() == levels.dtypes.to_dict()
    assert single["margin"].unique().tolist() == pytest.approx([0.1])
    with pytest.raises(MiningError, match="hard negatives need levels"):
        write_vectors(shop / "vectors", tiny_products())
        chosen = MiningSettings(scheme="single_attribute")
        mine(shop / "validated", shop / "splits", shop / "refused", chosen, vectors=shop / "vectors")


def test_levels_json_sums_to_all_pairs(shop: Path) -> None:
    _mine(shop)
    levels = read_json(shop / "triplets" / "levels.json")
    assert sum(levels["pairs_per_level"].values()) + levels["pairs_undefined"] == 30 * 29
    assert 0 < levels["mean_level"] < 4


def test_a_second_run_reuses_and_another_seed_does_not(shop: Path) -> None:
    arguments = (shop / "validated", shop / "splits", shop / "triplets")
    first, second = mine(*arguments), mine(*arguments)
    other = mine(*arguments, MiningSettings(seed=1))
    assert (second.reused, other.reused) == (True, False)
    assert first.content == second.content != other.content


def test_a_weight_of_zero_leaves_an_attribute_out(shop: Path) -> None:
    triplets = _mine(shop, weights={"season": 0, "shape": 0})
    colours = tiny_products().set_index("product_id")["attribute_colour"]
    within = triplets[triplets["positive_level"] == 4]
    assert (colours[within["anchor"]].to_numpy() == colours[within["positive"]].to_numpy()).all()


def test_weights_of_unknown_attributes_are_refused(shop: Path) -> None:
    with pytest.raises(MiningError, match=r"\['fabric'\]; the catalogue's attributes are"):
        _mine(shop, weights={"fabric": 2.0})
    with pytest.raises(MiningError, match="at least one above 0"):
        _mine(shop, weights={"shape": 0, "colour": 0, "season": 0})
    assert not (shop / "triplets").exists()


def test_a_shop_without_attributes_is_refused(tmp_path: Path) -> None:
    products = tiny_products()
    write_shop(tmp_path, products)
    blank = products.assign(attribute_shape=None, attribute_colour=None, attribute_season=None)
    blank.to_parquet(tmp_path / "validated" / "products.parquet", index=False)
    with pytest.raises(MiningError, match="all attributes of all 30 products are unknown"):
        _mine(tmp_path)
