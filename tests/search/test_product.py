"""What a release knows of a product: the index's fields and photos, the store's features, and nothing of others."""

import pytest

from lookalike.errors import NotFound
from lookalike.search.engine import SearchEngine
from tests.search.shop import Shop

SHOP = Shop()


def engine() -> SearchEngine:
    return SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release, updates=lambda: 7)


def test_a_product_has_its_fields_photos_and_features() -> None:
    answer = engine().product("p004")
    assert answer.fields == SHOP.fields_of("p004")  # the groups it is folded by stay inside
    assert [photo.photo_id for photo in answer.photos] == ["p004/0", "p004/1"]
    assert (answer.features, answer.update, answer.release_id) == ({"price": 14.0}, 7, SHOP.release.release_id)
    assert engine().product("p005").features is None


def test_photos_are_told_with_where_they_can_be_seen() -> None:
    answer = engine().product("p004").with_photo_urls(lambda photo_id, product_id: f"{product_id}: {photo_id}")
    assert [photo["photo_url"] for photo in answer.as_json()["photos"]] == ["p004: p004/0", "p004: p004/1"]


@pytest.mark.parametrize("product_id", ["p999", "", "p004/0", "P004", "p" * 2000])
def test_an_unknown_product_is_named_in_short(product_id: str) -> None:
    with pytest.raises(NotFound, match="is not in the catalogue that is searched") as refusal:
        engine().product(product_id)
    assert len(str(refusal.value)) < 600


def test_a_photo_is_held_where_its_product_is() -> None:
    held = {
        photo_id: engine().holds(photo_id) for photo_id in ("p004/0", "p005/2", "p004/2", "p999/0", "p004", "/", "")
    }
    assert [photo_id for photo_id in held if held[photo_id]] == ["p004/0", "p005/2"]
