"""What a search may fold into one answer."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lookalike.catalog.group_fields import DESIGN, ITEM
from lookalike.catalog.groups import product_groups
from lookalike.catalog.products import DUPLICATES, load_catalogue
from lookalike.catalog.validation import validate
from lookalike.errors import ArtifactError
from tests.catalog.test_validation import LENIENT
from tests.catalog.tiny_shop import photo, row, write_shop


def groups(tmp_path: Path, lines: list[dict[str, Any]], titles: bool = True) -> pd.DataFrame:
    validate(write_shop(tmp_path / "shop", lines), tmp_path / "out", LENIENT)
    return product_groups(load_catalogue(tmp_path / "out"), titles)


def alma(number: int, colour: str, **changes: Any) -> dict[str, Any]:
    return row(number, **{"title": f"Alma {colour} Shoe", "type": "shoe", "colour": colour} | changes)


def test_other_colours_of_a_title_are_one_design_and_not_one_item(tmp_path: Path):
    found = groups(tmp_path, [alma(0, "red"), alma(1, "teal"), row(2)])
    assert found[DESIGN].nunique() == 2 and found[DESIGN].iloc[0] == found[DESIGN].iloc[1]
    assert found[ITEM].nunique() == 3


def test_a_photo_listed_twice_is_one_item_and_so_one_design(tmp_path: Path):
    found = groups(tmp_path, [row(0), row(1, photo=photo(0)), row(2)])
    assert found[ITEM].iloc[0] == found[ITEM].iloc[1] != found[ITEM].iloc[2]
    assert found[DESIGN].iloc[0] == found[DESIGN].iloc[1] != found[DESIGN].iloc[2]


def test_a_title_with_more_items_than_colours_is_too_vague_for_a_design(tmp_path: Path):
    found = groups(tmp_path, [alma(0, "red"), alma(1, "red"), alma(2, "teal")])
    assert found[DESIGN].nunique() == 3
    folded = groups(tmp_path / "twice", [alma(0, "red"), alma(1, "red", photo=photo(0)), alma(2, "teal")])
    assert folded[DESIGN].nunique() == 1  # the second red one is the first, listed again


def test_colour_words_of_the_title_count_where_the_attribute_is_unknown(tmp_path: Path):
    found = groups(tmp_path, [alma(0, "red"), row(1, title="Alma Blue Shoe", type="shoe", colour=None)])
    assert found[DESIGN].nunique() == 1


def test_without_titles_items_alone_are_folded(tmp_path: Path):
    found = groups(tmp_path, [alma(0, "red"), alma(1, "teal"), alma(2, "green", photo=photo(1))], titles=False)
    assert found[DESIGN].nunique() == 2


def test_an_item_is_never_in_two_designs_and_no_group_is_called_after_a_product(tmp_path: Path):
    lines = [alma(n, colour, photo=photo(n % 5)) for n, colour in enumerate(["red", "teal", "blue"] * 3)]
    found = groups(tmp_path, [*lines, row(20), row(21)])
    assert (found.groupby(ITEM)[DESIGN].nunique() == 1).all()
    assert not set(found[ITEM]) & set(found.index) and not set(found[DESIGN]) & set(found.index)


def test_a_catalogue_without_its_duplicates_is_validated_again(tmp_path: Path):
    groups(tmp_path, [row(0), row(1)])
    (tmp_path / "out" / DUPLICATES).unlink()
    with pytest.raises(ArtifactError, match="run `lookalike validate` again"):
        product_groups(load_catalogue(tmp_path / "out"))
