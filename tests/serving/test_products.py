"""Products and their photos over plain HTTP: what the release knows, and no other file."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydantic import ValidationError

from lookalike.catalog.products import PHOTOS
from lookalike.errors import BackendUnavailable
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import StoredPhoto
from serving.photos.named import NamedPhotos
from serving.photos.settings import PhotoSettings
from serving.photos.thumbnails import KeptThumbnails, Thumbnail
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, instance, put_live, running, settings, untimed

SHOP = Shop()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The shop with its photos, one of which is no picture, and one more that is not searched."""
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    photos = {**SHOP.photos, "p004/0": b"no picture", "p001/0": photo(1, side=600), "secret/0": photo(2)}
    table = pa.table({"photo_id": list(photos), "content": pa.array(photos.values(), pa.binary())})
    pq.write_table(table, folder / PHOTOS, row_group_size=16)
    with running(settings(folder, photos={"catalogue": folder, "side": 100}), engines_of(SHOP)) as client:
        yield client


# ---- products


def test_a_product_is_told_with_its_fields_features_and_photos(client: Client) -> None:
    answer = client.http.get("/products/p003").json()
    assert untimed([answer]) == [
        {
            "release_id": SHOP.release.release_id,
            "model_fingerprint": SHOP.release.model_fingerprint,
            "product_id": "p003",
            "fields": {"vertical": "bags", "colour": "red", "size": None},
            "photos": [{"photo_id": f"p003/{n}", "photo_url": f"/photos/p003/{n}"} for n in range(3)],
            "features_absent": True,
            "update": 0,
        }
    ]
    assert set(answer["timings_ms"]) == {"release", "search", "features", "total"}
    assert client.http.get("/products/p002").json()["features"] == {"price": 12.0}


@pytest.mark.parametrize(
    "address", ["/products/p999", "/products/p999/similar", "/products/a%2Fb", "/search?product_id=x"]
)
def test_an_unknown_product_is_not_found(client: Client, address: str) -> None:
    response = client.http.request("POST" if "search" in address else "GET", address)
    assert (response.status_code, "is not in the catalogue" in response.json()["error"]) == (404, True), response.text


# ---- photos


def test_every_answer_says_where_its_photos_are_and_they_are_there(client: Client) -> None:
    plain: dict[str, Any] = client.http.post("/search?k=5", content=photo(1)).json()
    assert untimed(client.v1(instance(photo(1), k=5)).json()["predictions"]) == untimed([plain])
    for hit in plain["hits"]:
        assert hit["photo_url"] == f"/photos/{hit['photo_id']}"
        assert client.http.get(hit["photo_url"]).status_code == (404 if hit["photo_id"] == "p004/0" else 200)


def test_a_photo_is_scaled_down_never_up_and_kept_by_browsers(client: Client) -> None:
    large, small = client.http.get("/photos/p001/0"), client.http.get("/photos/p001/1")
    assert [Image.open(io.BytesIO(one.content)).size for one in (large, small)] == [(100, 100), (24, 24)]
    assert large.headers["content-type"] == "image/jpeg"
    assert large.headers["cache-control"] == "private, max-age=3600"
    assert large.headers["etag"] != small.headers["etag"]
    again = client.http.get("/photos/p001/0", headers={"If-None-Match": large.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "address",
    ["secret/0", "p999/0", "p001/9", "p001", "..%2f..%2fetc%2fpasswd", "p001/..%2f..%2fphotos.parquet", "%00/0"],
)
def test_only_photos_that_are_searched_are_shown(client: Client, address: str) -> None:
    response = client.http.get(f"/photos/{address}")
    assert (response.status_code, "is not in the catalogue" in response.json()["error"]) == (404, True), response.text


def test_a_photo_of_the_shop_that_cannot_be_decoded_is_a_sentence(client: Client) -> None:
    response = client.http.get("/photos/p004/0")
    assert (response.status_code, "photo" in response.json()["error"]) == (404, True)


def test_what_an_answer_has_just_named_is_shown_without_asking_the_index_again(tmp_path: Path) -> None:
    class Away(MemoryIndex):
        def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
            raise BackendUnavailable("the index is away")

    shop = Shop(index=Away())
    put_live(tmp_path / "releases", shop)
    table = pa.table({"photo_id": list(shop.photos), "content": pa.array(shop.photos.values(), pa.binary())})
    pq.write_table(table, tmp_path / PHOTOS)
    with running(settings(tmp_path, photos={"catalogue": tmp_path}), engines_of(shop)) as client:
        assert client.http.get("/photos/p003/0").status_code == 503
        (hit,) = client.http.post("/search?k=1", content=photo(1)).json()["hits"]
        assert client.http.get(hit["photo_url"]).status_code == 200


def test_a_name_is_forgotten_after_its_time_or_among_too_many() -> None:
    now = [0.0]
    named = NamedPhotos(seconds=60, most=2, clock=lambda: now[0])
    for photo_id in ("a/0", "b/0", "a/0", "c/0"):
        named.add(photo_id)
    assert [photo_id in named for photo_id in ("a/0", "b/0", "c/0")] == [True, False, True]
    now[0] = 60.0
    assert "a/0" not in named


# ---- where photos are


def test_a_photo_url_is_built_from_what_the_settings_say() -> None:
    assert PhotoSettings().photo_url("p/0", "p") is None
    assert PhotoSettings(catalogue=Path()).photo_url("ä b?/0", "ä b?") == "/photos/%C3%A4%20b%3F/0"
    named = PhotoSettings(url="https://cdn.example/{product_id}/{photo_id}.jpg")
    assert (named.origins, PhotoSettings(catalogue=Path()).origins) == (("https://cdn.example",), ())
    assert named.photo_url("a/b/0", "a/b") == "https://cdn.example/a%2Fb/a/b/0.jpg"


@pytest.mark.parametrize(
    "wrong", [{"url": "https://cdn.example/{colour}"}, {"url": "{"}, {"url": "https://x/{photo_id}", "catalogue": "."}]
)
def test_a_wrong_place_of_photos_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        PhotoSettings.model_validate(wrong)


def test_the_latest_thumbnails_are_kept_within_their_bytes() -> None:
    kept = KeptThumbnails(10)
    for key in "abc":
        kept.keep(key, Thumbnail(bytes(4), key))
    assert [key for key in "abc" if kept.get(key)] == ["b", "c"]
    kept.get("b")
    kept.keep("d", Thumbnail(bytes(4), "d"))
    assert [key for key in "abcd" if kept.get(key)] == ["b", "d"]
    kept.keep("e", Thumbnail(bytes(11), "e"))
    assert not any(kept.get(key) for key in "abcde")
