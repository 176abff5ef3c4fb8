"""Titles state attributes in whole words; what they do not state, or state twice over, stays unknown."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from lookalike.catalog.brands import known_brands, opening_brand
from lookalike.catalog.lexicon import BRAND, BrandRule, Lexicon, TitleAttribute, find_lexicon
from lookalike.catalog.mapping import FASHION_PRODUCT_IMAGES, CatalogueMapping
from lookalike.catalog.products import MAPPING as MAPPING_FILE
from lookalike.catalog.products import attribute_column, load_catalogue
from lookalike.catalog.readers import read_catalogue
from lookalike.catalog.splits import split
from lookalike.catalog.thresholds import ValidationSettings
from lookalike.catalog.titles import read_titles
from lookalike.catalog.validation import validate
from lookalike.catalog.wording import claimed, words_of
from lookalike.config import parse_config
from lookalike.errors import ConfigError
from lookalike.features.history import served_table
from tests.catalog.tiny_shop import MAPPING, row, rows, write_shop

PATTERNS = {"solid": ("solid",), "striped": ("stripe", "striped"), "polka dots": ("polka dot",), "dotted": ("dot",)}
FASHION = find_lexicon("fashion")


def _patterns(*titles: str | None, **changes: Any) -> list[str | None]:
    lexicon = Lexicon(attributes={"pattern": TitleAttribute(values=PATTERNS, **changes)}, ignored=("stripe cat",))
    return read_titles(titles, lexicon)["pattern"]


# --- words -------------------------------------------------------------------------------------------------------


def test_words_ignore_case_and_punctuation() -> None:
    assert words_of("Levi's V-Neck T-Shirt (3/4)") == ("levi", "s", "v", "neck", "t", "shirt", "3", "4")


def test_only_whole_words_count() -> None:
    assert _patterns("Nike SOLID shirt", "Nike Solidarity shirt", "Pinstriped shirt") == ["solid", None, None]


def test_a_longer_phrase_takes_its_words_from_a_shorter_one() -> None:
    assert _patterns("Red Polka Dot dress", "Red dot dress") == ["polka dots", "dotted"]
    assert list(claimed(("a", "b", "c", "d"), {("a", "b"), ("b", "c", "d"), ("a",)})) == [("b", "c", "d"), ("a",)]


def test_values_that_contradict_one_another_are_unknown() -> None:
    assert _patterns("Solid and striped shirts", "Striped shirt with a stripe") == [None, "striped"]


def test_an_ignored_phrase_says_nothing() -> None:
    assert _patterns("Puma Stripe Cat cap", "Puma Stripe Cat striped cap") == [None, "striped"]


def test_goods_of_which_a_title_says_nothing_stay_unknown() -> None:
    assert _patterns("Solid perfume", "Solid shirt", unless=("perfume",)) == [None, "solid"]


def test_no_title_states_nothing() -> None:
    assert _patterns(None, "", "Shirt") == [None, None, None]


# --- brands ------------------------------------------------------------------------------------------------------

RULE = BrandRule(before=("men", "women"), min_products=3)


def _brands(*titles: str, rule: BrandRule = RULE) -> list[str | None]:
    return read_titles(titles, Lexicon(brand=rule))[BRAND]


def test_what_enough_titles_open_with_before_a_person_is_a_brand() -> None:
    titles = ["Mark Taylor Men shirt", "MARK TAYLOR Women top", "Mark Taylor Men's tie", "Mark Taylor belt"]
    assert _brands(*titles, "Mark Twain Men hat", "Women scarf") == ["Mark Taylor"] * 4 + [None] * 2


def test_too_few_titles_make_no_brand() -> None:
    assert _brands("Nike Men shoe", "Nike Women shoe") == [None, None]


def test_a_line_is_its_brands() -> None:
    titles = ["Nike Men shoe"] * 3 + ["Nike Fragrances Men perfume"] * 3
    assert set(_brands(*titles)) == {"Nike"}


def test_a_brand_known_beforehand_is_not_a_line() -> None:
    rule = BrandRule(before=("men",), min_products=3, names={"Lee Cooper": ("lee cooper", "l.cooper")})
    titles = ["Lee Men jeans"] * 3 + ["Lee Cooper Men jeans", "L.Cooper jeans"]
    assert _brands(*titles, rule=rule) == ["Lee"] * 3 + ["Lee Cooper"] * 2


def test_colours_and_values_of_other_attributes_are_no_brands() -> None:
    titles = ["Red Men shirt"] * 3 + ["Solid Men shirt"] * 3
    assert known_brands(titles, RULE, said={("solid",)}) == {}


def test_a_brand_is_spelled_as_most_titles_spell_it() -> None:
    brands = known_brands(["u.s. polo Men", "U.S. Polo Men", "U.S. Polo Women", "US Polo Men"], RULE)
    assert brands == {("u", "s", "polo"): "U.S. Polo"}
    assert opening_brand(words_of("U S POLO belt"), brands) == "U.S. Polo"


# --- the shipped lexicon -----------------------------------------------------------------------------------------


def test_the_fashion_lexicon_reads_titles_as_people_do() -> None:
    titles = [
        "U.S. Polo Assn. Men Check Shirt",
        "Red Tape Men Leather Shoes",
        "UCB Women's Sleeveless V-Neck Striped Polka Dot Top",
        "Levis Men Flat Knit Crew Pack of 3 Socks",
        "Revlon Color Silk Hair Colour",
    ]
    stated = read_titles(titles, FASHION)
    assert stated["pattern"] == ["checked", None, None, None, None]
    assert stated["material"] == [None, "leather", None, None, None]
    assert stated["neckline"] == [None, None, "v", None, None]
    assert stated["sleeve"] == [None, None, "sleeveless", None, None]
    assert stated[BRAND] == ["U.S. Polo Assn.", "Red Tape", "United Colors of Benetton", "Levis", "Revlon"]


def test_the_order_of_titles_does_not_matter() -> None:
    titles = [f"{brand} Men {pattern} shirt" for brand in ("Nike", "NIKE", "Fila") for pattern in PATTERNS] * 2
    stated = pd.DataFrame(read_titles(titles, FASHION))
    order = list(range(len(titles)))
    random.Random(0).shuffle(order)
    again = pd.DataFrame(read_titles([titles[place] for place in order], FASHION), index=order).sort_index()
    pd.testing.assert_frame_equal(stated, again)


def test_the_preset_reads_no_titles_unless_asked() -> None:
    assert FASHION_PRODUCT_IMAGES.lexicon is None


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lexicon", "sentence"),
    [
        ({}, "names no attribute and no brand rule"),
        ({"attributes": {"a b": {"values": {"x": ["x"]}}}}, "'a b' is not a name of letters"),
        ({"attributes": {"cut": {"values": {}}}}, "at least 1 item"),
        ({"attributes": {"cut": {"values": {"a": ["slim"], "b": ["Slim"]}}}}, "'Slim' stands for both 'a' and 'b'"),
        ({"attributes": {"cut": {"values": {"a": ["--"]}}}}, "'--' holds no word"),
        ({"attributes": {"cut": {"value": {"a": ["a"]}}}}, "unknown setting 'attributes.cut.value'"),
        ({"brand": {"before": ["for men"]}}, "'for men' is 2 words; accepted: single words"),
        ({"brand": {"before": ["men"]}, "attributes": {"brand": {"values": {"x": ["x"]}}}}, "only one of them"),
    ],
)
def test_a_bad_lexicon_is_refused_with_a_sentence(lexicon: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse_config(Lexicon, lexicon, "lexicon")


def test_an_unknown_lexicon_is_refused_with_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown lexicon 'food'; accepted: fashion or a YAML file"):
        find_lexicon("food")
    (tmp_path / "own.yaml").write_text("attributes: {cut: {values: {slim: [slim, slim fit]}}}")
    assert find_lexicon(str(tmp_path / "own.yaml")).names() == ["cut"]


def test_a_lexicon_needs_titles() -> None:
    with pytest.raises(ValidationError, match="names no title column"):
        CatalogueMapping(**{**MAPPING, "title": None, "lexicon": "fashion"})


# --- through validation ------------------------------------------------------------------------------------------

STATED = {"attributes": {"model": {"values": {"even": ["model 0", "model 2"], "odd": ["model 1"]}}}}


def test_stated_attributes_are_attributes_of_the_validated_catalogue(tmp_path: Path) -> None:
    lexicon = {**STATED["attributes"], "pattern": {"values": {"solid": ["solid"]}}}
    shop = write_shop(tmp_path / "shop", rows(12), lexicon={"attributes": lexicon})
    validate(shop, tmp_path / "validated")
    catalogue = load_catalogue(tmp_path / "validated")
    assert catalogue.attributes == ["type", "colour", "model"]  # no title states a pattern
    assert catalogue.products[attribute_column("model")].fillna("?").tolist() == ["even", "odd", "even", *"?????????"]
    assert catalogue.attribute_codes()[:4, 2].tolist() == [0, 1, 0, -1]
    assert "model" in served_table(catalogue)


def test_the_validated_mapping_reads_the_same_delivery_the_same_way(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", rows(12), lexicon=STATED)
    validate(shop, tmp_path / "first")
    validate(shop, tmp_path / "second", mapping=tmp_path / "first" / MAPPING_FILE)
    first, second = (load_catalogue(tmp_path / name) for name in ("first", "second"))
    assert first.mapping == second.mapping
    pd.testing.assert_frame_equal(first.products, second.products)


def test_a_lexicon_may_be_named_in_the_settings(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", [row(0, title="Solid Model"), *rows(12)[1:]])
    validate(shop, tmp_path / "validated", ValidationSettings(lexicon="fashion"))
    catalogue = load_catalogue(tmp_path / "validated")
    assert catalogue.attributes == ["type", "colour", "pattern"]
    assert catalogue.products[attribute_column("pattern")].notna().sum() == 1


@pytest.mark.parametrize(("fill", "colours"), [(False, ["red", None]), (True, ["red", "green"])])
def test_known_values_are_never_replaced(tmp_path: Path, fill: bool, colours: list[str | None]) -> None:
    lines = [row(0, title="Green shoe", colour="red"), row(1, title="Green shoe", colour="NA")]
    lexicon = {"attributes": {"colour": {"values": {"green": ["green"]}}}, "fill_missing": fill}
    raw = read_catalogue(write_shop(tmp_path / "shop", lines, lexicon=lexicon))
    assert raw.rows[attribute_column("colour")].tolist() == colours
    assert list(raw.mapping.sources) == ["type", "colour"]


def test_the_split_does_not_depend_on_the_lexicon(tmp_path: Path) -> None:
    lexicon = {"attributes": {**STATED["attributes"], "gender": {"values": {"men": ["model 1"], "women": ["model 2"]}}}}
    tables = []
    for name, mapping in (("without", {}), ("with", {"lexicon": lexicon})):
        shop = write_shop(tmp_path / name, rows(40), **mapping)
        validate(shop, tmp_path / f"{name}_validated")
        split(tmp_path / f"{name}_validated", tmp_path / f"{name}_splits")
        tables.append(pd.read_parquet(tmp_path / f"{name}_splits" / "splits.parquet"))
    pd.testing.assert_frame_equal(*tables)
