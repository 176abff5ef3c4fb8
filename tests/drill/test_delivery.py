"""Deliveries of a drill: the released catalogue again, less most of it or with a flood."""

from collections import Counter
from pathlib import Path

import pytest

from app.drill.delivery import COPIES, FEWEST_COPIES, PURGED, write_delivery
from app.drill.watchers import delivery_said, validation_said
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.readers import read_catalogue
from lookalike.storage import digest_bytes
from tests.drill.shop import drilled_shop

LENIENT = {"validate": {"max_near_duplicates": 1.0}}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_purge_keeps_a_share_of_the_products_as_they_were(tmp_path: Path, seed: int) -> None:
    catalogue = drilled_shop(tmp_path / "shop").catalogue
    raw = read_catalogue(str(write_delivery(catalogue, "purged", tmp_path / "delivery", seed)))
    was = catalogue.products.set_index("product_id")
    now = raw.rows.set_index("product_id")
    assert len(now) == round((1 - PURGED) * len(was))
    assert now["attribute_type"].to_dict() == was.loc[now.index, "attribute_type"].to_dict()
    assert now["vertical"].to_dict() == was.loc[now.index, "vertical"].to_dict()


def test_a_flood_adds_listings_of_few_photos_under_false_values(tmp_path: Path) -> None:
    catalogue = drilled_shop(tmp_path / "shop").catalogue
    raw = read_catalogue(str(write_delivery(catalogue, "poisoned", tmp_path / "delivery", 0)))
    was = catalogue.products.set_index("product_id")["attribute_type"]
    flood = raw.rows[~raw.rows["product_id"].isin(was.index)]
    assert len(flood) == FEWEST_COPIES
    assert len(raw.rows) == len(was) + len(flood)
    owner = {digest_bytes(photo): name for name, photo in catalogue.photo_contents().items()}
    shown = {photo.product_id: owner[digest_bytes(photo.source)] for photo in raw.photos}  # type: ignore[arg-type]
    copied = Counter(shown[product][:4] for product in flood["product_id"])
    assert set(copied.values()) == {COPIES}
    for product, claimed in zip(flood["product_id"], flood["attribute_type"], strict=True):
        assert claimed != was[shown[product][:4]]


def test_the_guard_of_the_gate_speaks_of_a_flood(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path / "shop")
    delivery = write_delivery(drilled.catalogue, "poisoned", tmp_path / "delivery", 0)
    assert not validation_said(delivery, tmp_path / "validated", LENIENT).spoke
    said = delivery_said(drilled, tmp_path / "validated", {})
    assert said.spoke
    assert "the delivery looks poisoned: 100.0% of its 60 new products are copies of one another" in said.words
    assert len(load_catalogue(tmp_path / "validated").products) == 120


def test_a_refused_delivery_and_one_without_new_products_are_told(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path / "shop")
    delivery = write_delivery(drilled.catalogue, "purged", tmp_path / "delivery", 0)
    earlier = {"validate": {"previous": str(drilled.catalogue.folder)}}
    refused = validation_said(delivery, tmp_path / "refused", earlier)
    assert refused.spoke
    assert "70.0% of the earlier product ids are gone" in refused.words
    accepted = validation_said(delivery, tmp_path / "validated", {})
    assert not accepted.spoke and accepted.words.startswith("accepted: 18 products")
    said = delivery_said(drilled, tmp_path / "validated", {})
    assert not said.spoke and said.words.startswith("not judged: 0 new products")
