"""A delivery is judged: what stays, what goes to quarantine and why, and when it is refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lookalike.catalog import validation
from lookalike.catalog.images import ImageLimits, decode_photo
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.thresholds import ValidationSettings
from lookalike.catalog.validation import validate
from lookalike.errors import CatalogueError, ConfigError, StorageError, ValidationFailed
from lookalike.storage import StageRecord, read_seal
from tests.catalog.tiny_shop import encoded, photo, picture, row, rows, write_shop

LENIENT = ValidationSettings(max_quarantined=1, max_required_null_rate=1, max_lost_photos=1, max_near_duplicates=1)


def judged(tmp_path: Path, lines: list[dict[str, Any]], **mapping: Any) -> tuple[StageRecord, dict[str, str], set[str]]:
    """The record, reason per quarantined row, and the ids kept."""
    record = validate(write_shop(tmp_path / "shop", lines, **mapping), tmp_path / "out", LENIENT)
    quarantine = pd.read_parquet(tmp_path / "out" / "quarantine.parquet")
    assert record.figures["products"] + record.figures["quarantined"] == len(lines)
    return (
        record,
        dict(zip(quarantine["row"], quarantine["reason"], strict=True)),
        set(load_catalogue(tmp_path / "out").products["product_id"]),
    )


def test_a_sound_delivery_becomes_the_catalogue(tmp_path: Path):
    record, reasons, ids = judged(tmp_path, rows(6))
    catalogue = load_catalogue(tmp_path / "out")
    assert reasons == {}
    assert ids == {f"p{number:02d}" for number in range(6)}
    assert catalogue.products["attribute_colour"].tolist() == ["red", "blue", "green"] * 2
    assert catalogue.products["feature_price"].tolist() == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    assert catalogue.photo_contents(["p03/0"]) == {"p03/0": photo(3)}
    assert catalogue.photos["width"].tolist() == [48] * 6
    assert record.figures["products"] == record.figures["photos"] == 6


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "missing_id"),
        ({"id": "  "}, "missing_id"),
        ({"id": "x" * 200}, "invalid_id"),
        ({"vertical": None}, "missing_vertical"),
        ({"type": "unknown"}, "missing_required_attribute"),
        ({"photo": None}, "no_photo"),
        ({"photo": photo(1)[:300]}, "undecodable_photo"),
        ({"photo": b"<svg/>"}, "undecodable_photo"),
        ({"photo": encoded(picture(1), "TIFF")}, "undecodable_photo"),
    ],
)
def test_a_bad_row_goes_to_quarantine_with_its_reason(tmp_path: Path, changes: dict[str, Any], reason: str):
    _, reasons, ids = judged(tmp_path, [row(0), row(1, **changes), row(2)])
    assert reasons == {1: reason}
    assert ids == {"p00", "p02"}


def test_a_giant_photo_goes_to_quarantine(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", [*rows(3), row(3, photo=encoded(picture(3, (400, 300))))])
    settings = LENIENT.model_copy(update={"limits": ImageLimits(pixels=100_000)})
    record = validate(shop, tmp_path / "out", settings)
    quarantine = pd.read_parquet(tmp_path / "out" / "quarantine.parquet")
    assert quarantine["reason"].tolist() == ["giant_photo"]
    assert "400x300; at most 100000 pixels" in quarantine["detail"][0]
    assert record.figures["quarantined_by_reason"] == {"giant_photo": 1}


def test_photo_paths_are_read_and_bad_ones_explained(tmp_path: Path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.jpg").write_bytes(photo(1))
    (tmp_path / "outside.jpg").write_bytes(photo(2))
    lines = [
        row(0, photo="a.jpg"),
        row(1, photo="../outside.jpg"),
        row(2, photo="b.jpg"),
        row(3, photo="http://x.example/a"),
    ]
    _, reasons, ids = judged(tmp_path, [*lines, row(4, photo="a.jpg")])
    assert reasons == dict.fromkeys((1, 2, 3), "unreadable_photo")
    assert ids == {"p00", "p04"}


def test_one_bad_photo_of_several_is_lost_but_not_silently(tmp_path: Path):
    lines = [row(0, photo=[b"broken", photo(0), photo(10)]), row(1, photo=[photo(1)])]
    record, reasons, _ = judged(tmp_path, lines)
    lost = pd.read_parquet(tmp_path / "out" / "lost_photos.parquet")
    assert reasons == {}
    assert lost[["product_id", "position", "reason"]].values.tolist() == [["p00", 0, "undecodable_photo"]]
    assert load_catalogue(tmp_path / "out").photos["photo_id"].tolist() == ["p00/0", "p00/1", "p01/0"]
    assert load_catalogue(tmp_path / "out").photo_contents(["p00/0"]) == {"p00/0": photo(0)}
    assert record.figures["lost_photos"] == 1


def test_of_a_repeated_id_one_row_stays_and_a_broken_one_never(tmp_path: Path):
    lines = [row(0), row(1, photo=b"broken"), row(1), row(2, price=1.0), row(2, price=2.0), row(3)]
    _, reasons, ids = judged(tmp_path, lines)
    assert ids == {"p00", "p01", "p02", "p03"}
    assert reasons.pop(1) == "undecodable_photo"
    assert list(reasons.values()) == ["duplicate_id"]


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_are_the_same_catalogue(tmp_path: Path, seed: int):
    lines = [*rows(8), row(3, price=99.0), row(4, photo=b"broken"), row(20, photo=photo(2)), row(9, id=None)]
    order = np.random.default_rng(seed).permutation(len(lines))
    ahead, *_ = judged(tmp_path / "ahead", lines)
    mixed, *_ = judged(tmp_path / "mixed", [lines[index] for index in order])
    assert mixed.content == ahead.content
    assert mixed.inputs != ahead.inputs


def test_the_same_delivery_is_judged_once(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", rows(4))
    first, again = validate(shop, tmp_path / "out"), validate(shop, tmp_path / "out")
    assert (first.reused, again.reused) == (False, True)
    assert again.content == first.content
    assert not validate(shop, tmp_path / "out", limit=3).reused
    assert not validate(shop, tmp_path / "out", ValidationSettings(min_products=3)).reused


def test_a_changed_photo_file_is_judged_again(tmp_path: Path):
    (tmp_path / "shop").mkdir()
    for name in ("a", "b"):
        (tmp_path / "shop" / f"{name}.jpg").write_bytes(photo(1))
    shop = write_shop(tmp_path / "shop", [row(0, photo="a.jpg"), row(1, photo="b.jpg")])
    validate(shop, tmp_path / "out", LENIENT)
    (tmp_path / "shop" / "b.jpg").write_bytes(encoded(picture(2)))
    assert not validate(shop, tmp_path / "out", LENIENT).reused
    assert load_catalogue(tmp_path / "out").photo_contents(["p01/0"]) == {"p01/0": encoded(picture(2))}


def test_query_photos_stand_apart(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", [*rows(3), row(3, type=None)], query_photos="query.parquet")
    pd.DataFrame({"id": ["p01", "p03", "nobody"], "photo": [photo(7), photo(8), photo(9)]}).to_parquet(
        tmp_path / "shop" / "query.parquet"
    )
    record = validate(shop, tmp_path / "out", LENIENT)
    catalogue = load_catalogue(tmp_path / "out")
    assert catalogue.query_photos["photo_id"].tolist() == ["p01/-1"]
    assert len(catalogue.gallery_photos) == 3
    assert record.figures["query_photos_without_product"] == 2


def test_near_duplicates_are_found_and_reported(tmp_path: Path):
    smaller = encoded(picture(1).resize((36, 48)), quality=90, subsampling=0)
    record, *_ = judged(tmp_path, [*rows(4), row(8, photo=smaller)])
    duplicates = pd.read_parquet(tmp_path / "out" / "duplicates.parquet")
    assert duplicates.values.tolist() == [["p01", "p01"], ["p08", "p01"]]
    assert record.figures["near_duplicate_groups"] == 1


def test_one_product_verticals_and_products_without_labels_are_counted_not_refused(tmp_path: Path):
    lines = [*rows(4), row(4, vertical="hats", type=None, colour=None)]
    record, *_ = judged(tmp_path, lines, required=[])
    assert record.figures["single_product_verticals"] == 1
    assert record.figures["products_without_attributes"] == 1


# --- refusals --------------------------------------------------------------------------------------------------


def refused(tmp_path: Path, lines: list[dict[str, Any]], sentence: str, **settings: Any) -> None:
    shop = write_shop(tmp_path / "shop", lines)
    with pytest.raises(ValidationFailed, match=sentence) as failure:
        validate(shop, tmp_path / "out", ValidationSettings(**settings))
    assert str(tmp_path / "out.rejected") in str(failure.value)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "out.rejected" / "data_docs" / "index.html").is_file()
    assert (tmp_path / "out.rejected" / "quarantine.parquet").is_file()
    assert "Refused" in (tmp_path / "out.rejected" / "summary.md").read_text()


def test_too_much_quarantine_is_refused_with_the_reasons(tmp_path: Path):
    lines = [*rows(6), row(6, photo=None), row(7, photo=b"x")]
    refused(
        tmp_path, lines, r"25\.0% of the rows are quarantined \(1 no_photo, 1 undecodable_photo\), more than 10\.0%"
    )


def test_too_many_unknown_required_values_are_refused(tmp_path: Path):
    refused(tmp_path, [*rows(9), row(9, type=None)], r"'type' is unknown in 10\.0% of the rows, more than 5\.0%")


def test_an_attribute_unknown_everywhere_is_named_with_its_column(tmp_path: Path):
    lines = [line | {"colour": None} for line in rows(4)]
    refused(tmp_path, lines, r"the attribute 'colour' \(column 'colour'\) is unknown for every product")


def test_too_few_products_are_refused(tmp_path: Path):
    refused(tmp_path, rows(2), "2 products remain, fewer than min_products 3", min_products=3)


def test_too_many_shared_pictures_are_refused(tmp_path: Path):
    lines = [row(number, photo=photo(0)) for number in range(4)]
    refused(tmp_path, lines, r"100\.0% of the products share a picture")


def test_a_later_success_removes_the_old_refusal(tmp_path: Path):
    refused(tmp_path, rows(2), "min_products", min_products=3)
    validate(str(tmp_path / "shop"), tmp_path / "out")
    assert not (tmp_path / "out.rejected").exists()


def test_values_outside_the_allowed_set_go_to_quarantine(tmp_path: Path):
    settings = LENIENT.model_copy(update={"allowed_values": {"colour": ("red", "blue")}})
    validate(write_shop(tmp_path / "shop", rows(3)), tmp_path / "out", settings)
    quarantine = pd.read_parquet(tmp_path / "out" / "quarantine.parquet")
    assert quarantine[["product_id", "detail"]].values.tolist() == [["p02", "colour is 'green'; accepted: red, blue"]]


def test_settings_that_name_no_attribute_are_refused(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", rows(3))
    with pytest.raises(ConfigError, match="max_null_rate names"):
        validate(shop, tmp_path / "out", ValidationSettings(max_null_rate={"color": 0.1}))


def test_an_empty_catalogue_is_refused(tmp_path: Path):
    with pytest.raises(CatalogueError, match="has no rows"):
        validate(write_shop(tmp_path / "shop", []), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- between deliveries ----------------------------------------------------------------------------------------


def test_ids_that_vanish_or_change_between_deliveries_are_counted(tmp_path: Path):
    validate(write_shop(tmp_path / "old", rows(6)), tmp_path / "before")
    lines = [*rows(4), row(4, id="renamed"), row(7, colour="mauve")]
    shop, settings = write_shop(tmp_path / "new", lines), ValidationSettings(previous=tmp_path / "before")
    figures = validate(shop, tmp_path / "after", settings.model_copy(update={"max_unseen_values": 1})).figures
    assert (figures["previous_products"], figures["vanished_ids"], figures["renamed_ids"]) == (6, 2, 1)
    assert figures["products_with_unseen_values"] == 1
    with pytest.raises(ValidationFailed, match="attribute values that the earlier catalogue did not know"):
        validate(shop, tmp_path / "after", settings)


def test_a_delivery_with_other_ids_altogether_is_refused(tmp_path: Path):
    validate(write_shop(tmp_path / "old", rows(4)), tmp_path / "before")
    shop = write_shop(tmp_path / "new", [row(number, id=f"new{number}") for number in range(4)])
    with pytest.raises(ValidationFailed, match=r"100\.0% of the earlier product ids are gone \(4 of them show up"):
        validate(shop, tmp_path / "after", ValidationSettings(previous=tmp_path / "before"))


# --- trouble while writing -------------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_and_the_next_run_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shop = write_shop(tmp_path / "shop", rows(4))

    def full(*_: Any) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:
            device.write(b"x")  # the kernel's own "no space left on device"

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StorageError, match="the disk is full"):
            validate(shop, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop"]
    assert validate(shop, tmp_path / "out").figures["products"] == 4


def test_an_interrupted_run_leaves_the_earlier_output_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = validate(write_shop(tmp_path / "shop", rows(4)), tmp_path / "out")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    shop = write_shop(tmp_path / "shop", rows(5))
    with monkeypatch.context() as patch:
        patch.setattr(validation, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            validate(shop, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "shop"]
    assert read_seal(tmp_path / "out") == before
    assert validate(shop, tmp_path / "out").figures["products"] == 5


# --- the report ------------------------------------------------------------------------------------------------


def test_data_docs_show_the_reasons_and_never_the_photos(tmp_path: Path):
    judged(tmp_path, [*rows(3), row(3, photo=photo(3)[:300])])
    pages = [path.read_text() for path in (tmp_path / "out" / "data_docs").rglob("*.html")]
    assert any("every photo is fetched and decodes" in page for page in pages)
    assert any("the photo is damaged" in page for page in pages)
    assert not any("JFIF" in page for page in pages)


def test_the_summary_has_the_figures(tmp_path: Path):
    judged(tmp_path, [*rows(3), row(3, photo=None)])
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert "| Products | 3 |" in summary
    assert "| Quarantined: no_photo | 1 |" in summary


def test_the_catalogue_files_carry_no_pandas_index_and_photos_decode(tmp_path: Path):
    judged(tmp_path, rows(3))
    assert pq.read_schema(tmp_path / "out" / "products.parquet").metadata is None
    contents = load_catalogue(tmp_path / "out").photo_contents()
    assert all(decode_photo(content).size == Image.open(io.BytesIO(content)).size for content in contents.values())


def test_a_slice_of_the_public_set_is_sound(fpi_folder: Path, tmp_path: Path):
    record = validate(str(fpi_folder), tmp_path / "out", limit=60)
    assert (record.figures["products"], record.figures["quarantined"]) == (60, 0)
