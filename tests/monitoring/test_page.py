"""`drift.html` with photos: small, safe to open, and of products the catalogue holds."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import PHOTOS, load_catalogue
from lookalike.embedders.model_folder import ExportedModel
from lookalike.index.gallery import GALLERY_COLUMNS, Gallery
from lookalike.index.trained_vectors import write_trained_vectors
from lookalike.release.manifest import STORED
from lookalike.storage import write_json
from lookalike.training.trained import TRAINED
from monitoring.catalogue import compare_catalogue
from monitoring.drift import detect_drift
from monitoring.page.album import Album
from monitoring.page.new_products import new_products
from monitoring.page.thumbnails import SIDE, thumbnail
from monitoring.settings import DriftSettings
from tests.index.stages import drawn_photo, validated_folder
from tests.monitoring.shop import NOW, World, log_queries, make_release, observations
from tests.monitoring.test_catalogue import PRODUCTS, catalogue
from tests.monitoring.test_catalogue import STORED as HELD
from tests.monitoring.test_catalogue import release as with_model

WORLD = World(5)
SETTINGS = DriftSettings(draws=199, proof_draws=0, report_rows=50)
ERASED = "p003"


class Shop:
    """A release trained on forty products, of which the catalogue no longer has one."""

    def __init__(self, root: Path) -> None:
        self.root, self.catalogue = root, validated_folder(root / "before", range(40))
        self.release, self.folder = make_release(root / "releases", observations(WORLD.vectors(120, 1), 1))
        model = ExportedModel(
            name="m", fingerprint="f", weights="w", preprocessing=Preprocessing(), dimension=64,
            attribute_labels=[("colour", ["red"])], max_batch_size=1, opset=18, onnx_sha256="s", parity={},
        )  # fmt: skip
        write_json(self.folder / "model.json", model.model_dump(mode="json"))
        photos = load_catalogue(self.catalogue).gallery_photos[GALLERY_COLUMNS].reset_index(drop=True)
        photos.to_parquet(self.folder / STORED)
        photos.to_parquet(self.folder / TRAINED)
        Gallery(photos, WORLD.vectors(40, 7)).save(self.folder)
        write_trained_vectors(self.folder, self.folder)
        self.catalogue = validated_folder(root / "now", [number for number in range(40) if number != 3])

    def page(self, hits: tuple[str, ...] = ("p001", ERASED, "p002"), catalogue: bool = True) -> str:
        queries = observations(WORLD.vectors(80, 2, shift=2.0), 2)
        log_queries(self.root / "log", self.release, queries, hits=hits)
        output = self.root / "drift"
        detect_drift(self.root / "log", self.folder, output, SETTINGS, NOW, None, self.catalogue if catalogue else None)
        return (output / "drift.html").read_text()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Shop(tmp_path_factory.mktemp("shown")).page()


def photos(page: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(found)))
        for found in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    ]


def test_new_queries_stand_beside_photos_of_what_the_model_was_trained_on(page: str) -> None:
    assert "New queries beside what the model was trained on" in page
    assert "39 training photos" in page
    assert len(page) < 3_000_000
    shown = photos(page)
    assert len(shown) > 20
    assert all(max(photo.size) <= SIDE for photo in shown)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_a_product_that_the_catalogue_has_no_more_is_neither_shown_nor_named(page: str) -> None:
    assert not re.search(rf"\b{ERASED}\b", page)
    erased = base64.b64encode(thumbnail(drawn_photo(3))).decode()
    known = base64.b64encode(thumbnail(drawn_photo(1))).decode()
    assert erased not in page and known in page


def test_without_a_catalogue_there_are_ids_and_no_photos_and_what_strangers_wrote_is_no_markup(tmp_path: Path) -> None:
    page = Shop(tmp_path).page(hits=("<script>alert(1)</script>",), catalogue=False)
    assert not photos(page)
    assert "there are ids and no photos" in page and "p001" in page
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_the_answer_stands_first(page: str) -> None:
    places = [
        page.index(words)
        for words in (
            "This window drifted; drift is not believed yet", "The queries drifted: surprise", "Windows over time",
            "What moved", "New queries beside", "Which part of the traffic", "The catalogue", "How sure that is",
            "Open Evidently",
        )
    ]  # fmt: skip
    assert places == sorted(places)


def test_a_photo_that_cannot_be_read_is_an_id(tmp_path: Path) -> None:
    folder = validated_folder(tmp_path, range(5))
    path = folder / PHOTOS
    table = pd.read_parquet(path)
    table.loc[table["photo_id"] == "p001/0", "content"] = b"torn"
    table.to_parquet(path, row_group_size=16)
    album = Album.read(load_catalogue(folder), ["p001", "p002", "nobody"], ["p004/0", "nowhere/0"])
    assert album.of_product("p001") is None and album.of_product("nobody") is None
    assert album.of_photo("nowhere/0") is None
    assert album.of_product("p002") is not None and album.of_photo("p004/0") is not None
    assert album.shows("p001") and not album.shows("nobody")


@pytest.mark.parametrize("size", [(96, 96), (2000, 20), (500, 500)])
def test_no_photo_makes_a_large_thumbnail(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "PNG")
    small = thumbnail(content.getvalue())
    assert len(small) < 6_000
    assert max(Image.open(io.BytesIO(small)).size) == SIDE


def test_new_verticals_come_before_new_values_with_a_few_products_of_each(tmp_path: Path) -> None:
    shop = catalogue(PRODUCTS)
    found = new_products(shop, compare_catalogue(shop, with_model(tmp_path), HELD))
    assert [(kind.words, kind.product_ids) for kind in found] == [
        ("vertical 'Hats': 2 products", ["d", "e"]),
        ("type 'cap': 2 products", ["d", "e"]),
    ]
