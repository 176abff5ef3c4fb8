"""A change is recorded when it happens, and nothing else is."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import load_catalogue
from lookalike.errors import CatalogueError
from lookalike.features.history import served_table, with_history, write_history
from tests.features.shop import BOOT, CLOG, MONDAY, SHOP, TUESDAY, WEDNESDAY, validated_folder


def products(**colours: str | None) -> pd.DataFrame:
    return pd.DataFrame({"product_id": list(colours), "colour": pd.Series(list(colours.values()), dtype=object)})


def changes(table: pd.DataFrame) -> list[tuple[str, str | None, datetime]]:
    return list(zip(table["product_id"], table["colour"], table["event_timestamp"], strict=True))


def test_everything_is_new_on_the_first_day() -> None:
    assert changes(with_history(products(boot="red", clog="green"), None, MONDAY)) == [
        ("boot", "red", MONDAY),
        ("clog", "green", MONDAY),
    ]


def test_only_what_changed_is_added() -> None:
    monday = with_history(products(boot="red", clog=None), None, MONDAY)
    tuesday = with_history(products(boot="blue", clog=None, mule="tan"), monday, TUESDAY)
    assert changes(tuesday) == [
        ("boot", "red", MONDAY),
        ("boot", "blue", TUESDAY),
        ("clog", None, MONDAY),
        ("mule", "tan", TUESDAY),
    ]
    assert with_history(products(boot="blue", clog=None, mule="tan"), tuesday, WEDNESDAY).equals(tuesday)


def test_a_value_that_comes_back_is_a_change() -> None:
    monday = with_history(products(boot="red"), None, MONDAY)
    tuesday = with_history(products(boot="blue"), monday, TUESDAY)
    assert changes(with_history(products(boot="red"), tuesday, WEDNESDAY))[-1] == ("boot", "red", WEDNESDAY)


def test_a_product_that_left_the_catalogue_leaves_its_history() -> None:
    monday = with_history(products(boot="red", clog="green"), None, MONDAY)
    assert changes(with_history(products(clog="green"), monday, TUESDAY)) == [("clog", "green", MONDAY)]


def test_a_new_column_is_unknown_before_and_a_dropped_one_is_gone() -> None:
    monday = with_history(products(boot="red"), None, MONDAY)
    wider = products(boot="red").assign(price=[80.0])
    tuesday = with_history(wider, monday, TUESDAY)
    assert tuesday["price"].isna().tolist() == [True, False]
    assert changes(with_history(products(boot="red"), tuesday, WEDNESDAY))[0] == ("boot", "red", MONDAY)


def test_a_column_whose_type_changed_starts_anew() -> None:
    monday = with_history(products(boot="red").assign(size=[42.0]), None, MONDAY)
    tuesday = with_history(products(boot="red").assign(size=["42 wide"]), monday, TUESDAY)
    assert tuesday["size"].tolist() == [None, "42 wide"]


def test_timestamps_are_written_in_microseconds_and_unknown_columns_as_text(tmp_path: Path) -> None:
    table = with_history(products(boot=None), None, MONDAY)
    write_history(table, tmp_path / "table.parquet")
    schema = pq.read_schema(tmp_path / "table.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "product_id": "string",
        "colour": "string",
        "event_timestamp": "timestamp[us, tz=UTC]",
    }


def test_features_are_served_under_their_own_names(tmp_path: Path) -> None:
    table = served_table(load_catalogue(validated_folder(tmp_path / "validated", [BOOT, CLOG])))
    assert table.columns.tolist() == ["product_id", "title", "vertical", "colour", "fabric", "price", "stock"]
    assert table["price"].tolist() == [80.0, 25.5]


def test_an_attribute_and_a_feature_of_one_name_are_refused(tmp_path: Path) -> None:
    alike = AttributeSets(coarse=("colour",), fine=("colour",))
    clash = CatalogueMapping(**{**SHOP.model_dump(), "features": {"colour": "c"}, "alike": alike})
    validated = validated_folder(tmp_path / "validated", [BOOT], clash)
    with pytest.raises(CatalogueError, match=r"\['colour'\] for more than one"):
        served_table(load_catalogue(validated))
