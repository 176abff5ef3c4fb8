"""What the newest catalogue brings that nobody indexed and the model was never taught."""

from pathlib import Path

import pandas as pd

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import Catalogue
from lookalike.embedders.model_folder import ExportedModel
from lookalike.storage import write_json
from monitoring.catalogue import compare_catalogue, vertical_by_value

PRODUCTS = pd.DataFrame(
    {
        "product_id": ["a", "b", "c", "d", "e"],
        "vertical": ["Shoes", "Shoes", "Bags", "Hats", "Hats"],
        "attribute_type": ["heel", "flat", "tote", "cap", "cap"],
        "attribute_colour": ["red", "blue", "red", "red", None],
    }
)
STORED = pd.DataFrame({"product_id": ["a", "a", "b", "c", "z"]})


MAPPING = CatalogueMapping(
    id="id",
    image=("photo",),
    vertical="vertical",
    attributes={"type": "type", "colour": "colour"},
    alike=AttributeSets(coarse=("type",), fine=("type", "colour")),
)


def catalogue(products: pd.DataFrame) -> Catalogue:
    return Catalogue(Path("nowhere"), products, pd.DataFrame(), MAPPING)


def release(tmp_path: Path) -> Path:
    labels = [("type", ["heel", "flat", "tote"]), ("colour", ["red", "blue"])]
    model = ExportedModel(
        name="m", fingerprint="f", weights="w", preprocessing=Preprocessing(), dimension=32, attribute_labels=labels,
        max_batch_size=1, opset=18, onnx_sha256="s", parity={},
    )  # fmt: skip
    write_json(tmp_path / "model.json", model.model_dump(mode="json"))
    return tmp_path


def test_new_products_verticals_and_values_are_counted_and_said(tmp_path: Path) -> None:
    change = compare_catalogue(catalogue(PRODUCTS), release(tmp_path), STORED)
    assert (change.products, change.unindexed, change.held, change.gone) == (5, 2, 4, 1)
    assert (change.share_unindexed, change.share_gone) == (0.4, 0.25)
    assert change.new_verticals == {"Hats": 2}
    assert change.new_values == {"type": {"cap": 2}}
    assert change.words == [
        "2 of 5 products (40.0%) are not indexed",
        "1 of 4 indexed products (25.0%) are gone",
        "the vertical 'Hats' is new: 2 products",
        "the model was never taught these values of type: 'cap' (2)",
    ]


def test_a_catalogue_that_is_indexed_changes_nothing(tmp_path: Path) -> None:
    change = compare_catalogue(catalogue(PRODUCTS[:3]), release(tmp_path), STORED[:4])
    assert change.words == []


def test_a_vertical_stays_new_until_a_model_was_evaluated_with_it(tmp_path: Path) -> None:
    """Indexing its products teaches the model nothing."""
    indexed = pd.DataFrame({"product_id": list("abcde")})
    folder = release(tmp_path)
    assert compare_catalogue(catalogue(PRODUCTS), folder, indexed).new_verticals == {}
    told = {"attribute": None, "by_value": {}, "sharpness": 1, "head_weight": 0, "sure": 1, "boost": 0}
    for verticals, new in ((["Bags", "Shoes"], {"Hats": 2}), (["Bags", "Hats", "Shoes"], {})):
        fusion = {"model_fingerprint": "f", "verticals": verticals, **told}
        write_json(folder / "evaluation" / "fusion.json", fusion)
        assert compare_catalogue(catalogue(PRODUCTS), folder, indexed).new_verticals == new


def test_a_vertical_is_told_by_the_attribute_that_tells_it_best() -> None:
    told = vertical_by_value(catalogue(PRODUCTS), ["colour", "type"])
    assert told == ("type", {"heel": "Shoes", "flat": "Shoes", "tote": "Bags", "cap": "Hats"})
    assert vertical_by_value(catalogue(PRODUCTS), ["pattern"]) is None
