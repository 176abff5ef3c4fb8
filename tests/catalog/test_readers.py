"""Reading deliveries: files, folders, URLs, and what strangers get wrong."""

import gzip
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml

from lookalike.catalog.readers import read_catalogue
from lookalike.errors import CatalogueError, ConfigError
from tests.catalog.tiny_shop import MAPPING, photo, row, rows, write_shop


def test_a_folder_is_read_in_the_names_of_its_mapping(tmp_path: Path):
    raw = read_catalogue(write_shop(tmp_path, rows(3)))
    assert list(raw.rows.columns) == [
        *("row", "product_id", "title", "vertical", "attribute_type", "attribute_colour", "feature_price")
    ]
    assert raw.rows.iloc[2].tolist() == [2, "p02", "Model 2 Green shoe", "shoes", "shoe", "green", 12.0]
    assert [(p.row, p.product_id, p.position, p.source) for p in raw.photos] == [
        (number, f"p{number:02d}", 0, photo(number)) for number in range(3)
    ]


def test_a_single_file_uses_the_mapping_beside_it(tmp_path: Path):
    write_shop(tmp_path, rows(3))
    assert len(read_catalogue(str(tmp_path / "catalogue.parquet")).rows) == 3


def test_object_storage_is_read_like_a_folder(tmp_path: Path):
    write_shop(tmp_path, rows(3))
    store = fsspec.filesystem("memory")
    store.put(str(tmp_path), "/shops/one", recursive=True)
    assert read_catalogue("memory://shops/one").rows.equals(read_catalogue(str(tmp_path)).rows)


@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz"])
def test_csv_ids_stay_text(tmp_path: Path, name: str):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(photo(1))
    text = "id,photo,title,vertical,type,colour,price\n007,photos/a.jpg,Shoe,shoes,shoe,NA,9.5\n"
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(MAPPING))
    raw = read_catalogue(str(tmp_path))
    assert raw.rows["product_id"].tolist() == ["007"]
    assert raw.rows["attribute_colour"].tolist() == [None]
    assert raw.rows["feature_price"].tolist() == [9.5]
    assert raw.photos[0].source == "photos/a.jpg"


def test_image_cells_may_be_structs_lists_bytes_or_gaps(tmp_path: Path):
    lines = [
        row(0, photo={"bytes": photo(0), "path": "0.jpg"}),
        row(1, photo={"bytes": None, "path": "1.jpg"}),
        row(2, photo=None),
    ]
    write_shop(tmp_path / "structs", lines)
    write_shop(tmp_path / "lists", [row(0, photo=[photo(0), photo(1)]), row(1, photo=[])])
    assert [p.source for p in read_catalogue(str(tmp_path / "structs")).photos] == [photo(0), "1.jpg"]
    listed = read_catalogue(str(tmp_path / "lists")).photos
    assert [(p.row, p.position, p.source) for p in listed] == [(0, 0, photo(0)), (0, 1, photo(1))]


def test_several_image_columns_are_one_products_photos(tmp_path: Path):
    frame = pd.DataFrame([row(0) | {"back": photo(7)}])
    frame.to_parquet(tmp_path / "shop.parquet")
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(MAPPING | {"image": ["photo", "back"]}))
    raw = read_catalogue(str(tmp_path))
    assert [(p.position, p.source) for p in raw.photos] == [(0, photo(0)), (1, photo(7))]


def test_integer_ids_survive_a_gap_that_made_them_floats(tmp_path: Path):
    lines = [row(0, id=1163.0), row(1, id=np.nan)]
    raw = read_catalogue(write_shop(tmp_path, lines))
    assert raw.rows["product_id"].tolist() == ["1163", None]


@pytest.mark.parametrize("word", ["", "NA", "n/a", " Unknown ", "NULL"])
def test_words_for_unknown_are_unknown(tmp_path: Path, word: str):
    raw = read_catalogue(write_shop(tmp_path, [row(0, colour=word)]))
    assert raw.rows["attribute_colour"].tolist() == [None]


def test_a_misspelled_column_is_named_with_what_is_close(tmp_path: Path):
    shop = write_shop(tmp_path, rows(2), attributes={"type": "typ", "colour": "color"})
    with pytest.raises(CatalogueError, match=r"no column 'typ' \(did you mean 'type'.*'color' \(did you mean 'colour'"):
        read_catalogue(shop)


def test_unknown_columns_without_a_mapping_name_what_the_preset_lacks(tmp_path: Path):
    pd.DataFrame({"sku": [1]}).to_parquet(tmp_path / "shop.parquet")
    with pytest.raises(ConfigError, match=r"articleType.*put a mapping\.yaml beside the data"):
        read_catalogue(str(tmp_path))


def test_a_mapping_with_a_misspelled_setting_is_refused(tmp_path: Path):
    shop = write_shop(tmp_path, rows(2), requried=["type"])
    with pytest.raises(ConfigError, match="unknown setting 'requried'"):
        read_catalogue(shop)


def test_empty_and_missing_catalogues_are_refused(tmp_path: Path):
    with pytest.raises(CatalogueError, match="has no rows"):
        read_catalogue(write_shop(tmp_path / "empty", []))
    with pytest.raises(CatalogueError, match="there is no catalogue"):
        read_catalogue(str(tmp_path / "nowhere"))
    (tmp_path / "bare").mkdir()
    with pytest.raises(CatalogueError, match=r"no \.parquet or \.csv"):
        read_catalogue(str(tmp_path / "bare"))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path):
    write_shop(tmp_path, rows(2))
    (tmp_path / "catalogue.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(CatalogueError, match=r"catalogue\.parquet cannot be read as a table"):
        read_catalogue(str(tmp_path))


def test_a_limit_draws_the_same_products_whatever_their_order(tmp_path: Path):
    lines = rows(12)
    ahead = read_catalogue(write_shop(tmp_path / "a", lines), limit=5).rows["product_id"]
    behind = read_catalogue(write_shop(tmp_path / "b", lines[::-1]), limit=5).rows["product_id"]
    fewer = read_catalogue(write_shop(tmp_path / "a", lines), limit=3).rows["product_id"]
    assert len(ahead) == 5
    assert set(ahead) == set(behind)
    assert set(fewer) < set(ahead)
    with pytest.raises(CatalogueError, match="limit is 0"):
        read_catalogue(str(tmp_path / "a"), limit=0)


def test_query_photos_belong_to_products_that_were_read(tmp_path: Path):
    shop = write_shop(tmp_path, rows(3), query_photos="query*.parquet")
    contents = {"p00": [photo(20), photo(21)], "p02": [photo(22)], "stranger": [photo(23)]}
    lines = [{"id": product, "photo": content} for product, photos in contents.items() for content in photos]
    pd.DataFrame(lines).to_parquet(tmp_path / "query.parquet")
    raw = read_catalogue(shop)
    queries = [(p.product_id, p.position) for p in raw.photos if p.position < 0]
    assert queries == [("p00", -1), ("p00", -2), ("p02", -1)]
    assert raw.strangers == 1
    assert len(raw.rows) == 3


def test_the_digest_follows_the_bytes(tmp_path: Path):
    before = read_catalogue(write_shop(tmp_path, rows(3))).digest
    assert read_catalogue(str(tmp_path)).digest == before
    assert read_catalogue(write_shop(tmp_path, [*rows(2), row(2, price=1.0)])).digest != before


def test_the_public_set_needs_no_mapping(fpi_folder: Path):
    raw = read_catalogue(str(fpi_folder), limit=20)
    assert raw.rows["product_id"].nunique() == 20
    assert raw.rows["attribute_type"].notna().all()
    assert all(isinstance(p.source, bytes) for p in raw.photos)
