"""A planted leak is found, of whatever kind, and a checkpoint that hides what it saw is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.catalog.products import Catalogue
from lookalike.errors import ArtifactError
from lookalike.evaluation.leakage import Leak, find_leaks, judge_leaks, leaks_of
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.training.trained import TRAINED, read_trained, write_trained
from tests.evaluation.shop import make_shop, make_splits


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Truth]:
    folder = tmp_path_factory.mktemp("leaks")
    catalogue = make_shop(folder / "validated", 24)
    return catalogue, read_truth(catalogue, make_splits(folder / "splits", catalogue))


def trained_on(catalogue: Catalogue, ids: list[str]) -> pd.DataFrame:
    photos = catalogue.gallery_photos
    return photos.loc[photos["product_id"].isin(ids), ["product_id", "sha256"]]


def train_ids(shop: tuple[Catalogue, Truth]) -> list[str]:
    return shop[0].products["product_id"][shop[1].splits == "train"].tolist()


def test_an_honest_split_leaks_nothing(shop: tuple[Catalogue, Truth]) -> None:
    assert find_leaks(trained_on(shop[0], train_ids(shop)), *shop, "test") == []
    assert judge_leaks([]).passed


def test_a_product_of_the_evaluated_split_is_found_by_id_and_by_photo(shop: tuple[Catalogue, Truth]) -> None:
    found = find_leaks(trained_on(shop[0], [*train_ids(shop), "p020"]), *shop, "test")
    assert {leak.kind: leak.example for leak in found}["products"] == "p020"
    assert {leak.kind for leak in found} == {"products", "designs", "near-duplicates", "photos"}
    verdict = judge_leaks(found)
    assert not verdict.passed
    assert "trained on what it is measured on: 1 products, the first is 'p020'" in verdict.reason


def test_a_photo_is_found_under_another_name(shop: tuple[Catalogue, Truth]) -> None:
    renamed = trained_on(shop[0], ["p020"]).assign(product_id="delivered under another id")
    assert [leak.kind for leak in find_leaks(renamed, *shop, "test")] == ["photos"]


def test_another_colour_of_an_evaluated_design_is_found(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    groups = truth.groups.copy()
    groups[0] = groups[20]  # p000 is trained on
    leaking = Truth(**{**truth.__dict__, "groups": groups})
    assert find_leaks(trained_on(catalogue, ["p000"]), catalogue, leaking, "test") == [Leak("designs", 1, "p020")]


def test_a_query_of_recent_traffic_is_found(shop: tuple[Catalogue, Truth]) -> None:
    found = find_leaks(trained_on(shop[0], train_ids(shop)), *shop, "test", ["p001", "p023"])
    assert found == [Leak("queries of recent traffic", 1, "p001")]


def test_a_checkpoint_that_does_not_say_what_it_saw_is_refused(shop: tuple[Catalogue, Truth], tmp_path: Path) -> None:
    assert leaks_of(tmp_path, *shop, "test") is None
    assert not judge_leaks(None).passed
    (tmp_path / TRAINED).write_bytes(b"torn")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_trained(tmp_path)


def test_a_model_that_goes_on_from_another_has_seen_what_that_one_saw(
    shop: tuple[Catalogue, Truth], tmp_path: Path
) -> None:
    def triplets(name: str, products: list[str]) -> Path:
        (tmp_path / name).mkdir()
        table = pd.DataFrame([products], columns=["anchor", "positive", "negative"])
        table.to_parquet(tmp_path / name / "triplets.parquet")
        return tmp_path / name

    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    write_trained(first, shop[0], triplets("a", ["p020", "p001", "p002"]), None)
    write_trained(second, shop[0], triplets("b", ["p002", "p003", "p004"]), first)
    assert read_trained(second)["product_id"].tolist() == ["p001", "p002", "p003", "p004", "p020"]
    assert np.isin("products", [leak.kind for leak in leaks_of(second, *shop, "test") or []])
    write_trained(third, shop[0], triplets("c", ["p002", "p003", "p004"]), tmp_path)  # which has no list
    assert not (third / TRAINED).exists()
