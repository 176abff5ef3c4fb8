"""The drawn shop: true labels, several photos, planted defects, the same bytes from the same seed."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lookalike.catalog.drawing.canvas import curve, mirrored
from lookalike.catalog.drawing.palette import COLOURS, PATTERNS, print_cloth
from lookalike.catalog.drawing.photograph import PHOTO, STUDIO, photograph
from lookalike.catalog.drawing.wares import WARES, Design, draw_design, draw_product, title
from lookalike.catalog.images import decode_photo
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.sample import SampleShop, draw_shop, sample_mapping
from lookalike.catalog.splits import split
from lookalike.catalog.validation import validate

SMALL = SampleShop(products=40, photos_per_product=2, seed=5)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw_shop(folder / "shop", SMALL)
    return folder / "shop"


@pytest.fixture(scope="module")
def validated(shop: Path) -> Path:
    validate(str(shop), shop.with_name("validated"))
    return shop.with_name("validated")


def test_the_same_seed_draws_the_same_bytes(shop: Path, tmp_path: Path):
    draw_shop(tmp_path / "again", SMALL)
    for name in ("catalogue.parquet", "shoppers.parquet", "mapping.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (shop / name).read_bytes()
    other = draw_shop(tmp_path / "other", SMALL.model_copy(update={"seed": 6, "products": 4}))
    assert other.content != draw_shop(tmp_path / "again", SMALL).content


def test_a_larger_shop_begins_with_the_smaller_one(shop: Path, tmp_path: Path):
    draw_shop(tmp_path / "more", SampleShop(products=6, photos_per_product=2, seed=5, defects=0))
    few, many = (pd.read_parquet(folder / "catalogue.parquet") for folder in (tmp_path / "more", shop))
    sound = many.iloc[:6]["type"].notna()
    assert few["name"][sound.to_numpy()].tolist() == many.iloc[:6]["name"][sound].tolist()


def test_photos_decode_and_differ(validated: Path):
    catalogue = load_catalogue(validated)
    contents = catalogue.photo_contents()
    assert all(decode_photo(content).size == PHOTO for content in contents.values())
    assert catalogue.photos.groupby("product_id")["sha256"].nunique().min() >= 1
    assert len(set(contents.values())) == len(contents) - 2  # two photos of the one copied listing


def test_planted_defects_end_in_quarantine(validated: Path):
    quarantine = pd.read_parquet(validated / "quarantine.parquet")
    lost = pd.read_parquet(validated / "lost_photos.parquet")
    assert sorted(quarantine["reason"]) == ["duplicate_id", "missing_required_attribute"]
    assert lost["reason"].tolist() == ["undecodable_photo"]
    copies = pd.read_parquet(validated / "duplicates.parquet").groupby("group_id")["product_id"].agg(list)
    assert any(f"{group[0]}-again" in group for group in copies)


def test_without_defects_nothing_is_quarantined(tmp_path: Path):
    draw_shop(tmp_path / "shop", SampleShop(products=8, photos_per_product=1, defects=0, seed=1))
    figures = validate(str(tmp_path / "shop"), tmp_path / "out").figures
    assert (figures["products"], figures["quarantined"], figures["lost_photos"]) == (8, 0, 0)


def test_sleeves_and_necklines_belong_to_garments_alone(validated: Path):
    products = load_catalogue(validated).products
    others = products[products["vertical"] != "garments"]
    assert others[["attribute_sleeve", "attribute_neckline"]].isna().all(axis=None)
    assert products["attribute_sleeve"].notna().any()


def test_labels_are_forgotten_at_random_but_the_type_never(shop: Path):
    rows = pd.read_parquet(shop / "catalogue.parquet")
    assert rows["colour"].isna().any()
    assert rows["type"].isna().sum() == 1  # the planted one


def test_designs_come_in_colours_and_stay_in_one_split(validated: Path, tmp_path: Path):
    figures = split(validated, tmp_path / "splits").figures
    assert figures["designs"] < figures["train"] + figures["validation"] + figures["test"]


def test_every_type_shows_its_colour_and_print():
    """A good part of the product has the colour of its label, and dots change some of that."""
    for kind in WARES:
        plain = drawn(kind, "plain", "red")
        assert (np.linalg.norm(plain - COLOURS["red"], axis=1) < 60).mean() > 0.25, kind
        assert (np.abs(drawn(kind, "dotted", "red") - plain).max(axis=1) > 30).mean() > 0.04, kind


def drawn(kind: str, pattern: str, colour: str) -> np.ndarray:
    """(pixels, 3) of a drawn product, the transparent sheet left out."""
    ware = WARES[kind]
    shape = (ware.sleeves[0], ware.necklines[0], ware.genders[0], "summer", 0.5, 0.5, 24.0, 10.0, (colour,))
    sheet = np.asarray(draw_product(Design("x", kind, pattern, *shape), colour, np.random.default_rng(0)).image)
    return sheet[sheet[..., 3] > 0][:, :3].astype(float)


def test_colours_are_told_apart_in_photos():
    mean = {}
    for colour in COLOURS:
        design = Design("x", "t-shirt", "plain", "short", "crew", "men", "summer", 0.5, 0.5, 24.0, 10.0, (colour,))
        sheet = draw_product(design, colour, np.random.default_rng(0)).image
        pixels = np.asarray(Image.open(io.BytesIO(photograph(sheet, STUDIO, np.random.default_rng(1)))))
        mean[colour] = pixels[70:100, 45:75].reshape(-1, 3).mean(axis=0)
    assert all(min(mean, key=lambda name: np.linalg.norm(mean[name] - mean[colour])) == colour for colour in mean)
    nearest = {c: min(COLOURS, key=lambda name: np.linalg.norm(mean[c] - COLOURS[name])) for c in COLOURS}
    assert sum(nearest[colour] == colour for colour in COLOURS) >= 9


def test_prints_cover_part_of_the_cloth():
    ground = np.array(COLOURS["navy"])
    for pattern in PATTERNS:
        shown = (np.abs(print_cloth((60, 80), COLOURS["navy"], pattern, 20.0) - ground) > 1).any(axis=2).mean()
        assert (shown == 0) if pattern == "plain" else (0.1 < shown < 0.9), pattern


def test_a_mirrored_outline_is_symmetrical_and_corners_stay():
    outline = curve(mirrored([(0.2, -1.0), (0.2, -1.0), (0.5, 0.0), (0.4, 1.0), (0.4, 1.0)]))
    assert {(round(-x, 6), round(y, 6)) for x, y in outline} >= {(-0.2, -1.0), (0.2, -1.0)}
    assert (0.4, 1.0) in {(round(x, 6), round(y, 6)) for x, y in outline}


def test_titles_name_the_colour_and_no_two_designs_share_a_name():
    designs = [draw_design(number, np.random.default_rng(number)) for number in range(900)]
    assert len({design.name for design in designs}) == 900
    assert all(colour in title(design, colour).lower() for design in designs[:20] for colour in design.colours)


def test_the_mapping_beside_the_data_is_the_samples_own(shop: Path, validated: Path):
    assert load_catalogue(validated).mapping == sample_mapping(2)
