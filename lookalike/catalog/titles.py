"""Attributes read from titles with a lexicon; unknown where a title says nothing, or two things at once."""

from collections.abc import Sequence

import pandas as pd

from lookalike.catalog.brands import known_brands, opening_brand
from lookalike.catalog.lexicon import BRAND, Lexicon, TitleAttribute, worded
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import attribute_column
from lookalike.catalog.wording import Words, claimed, words_of

Titles = Sequence[str | None]


def read_titles(titles: Titles, lexicon: Lexicon) -> dict[str, list[str | None]]:
    """Per attribute of the lexicon, the value that each title states, None where it states none.

    Of overlapping phrases the longest counts. Values that contradict one another are unknown: a title that names two
    patterns does not say which of them the product is sold by. The order of titles does not matter.
    """
    texts = [words_of(title) if title else () for title in titles]
    ignored = dict.fromkeys(worded(lexicon.ignored))
    found = {name: _values(texts, attribute, ignored) for name, attribute in lexicon.attributes.items()}
    if lexicon.brand:
        said = {phrase for attribute in lexicon.attributes.values() for phrase in attribute.phrases()}
        brands = known_brands(titles, lexicon.brand, said)
        found[BRAND] = [opening_brand(words, brands) for words in texts]
    return found


def add_stated(rows: pd.DataFrame, mapping: CatalogueMapping) -> tuple[pd.DataFrame, CatalogueMapping]:
    """Delivered rows with what their titles state, and the mapping with the part of its lexicon that was borne out.

    An attribute that no title states is left out, so that none is unknown for every product. The catalogue's own
    values stay; unknown ones are filled where the lexicon says so.
    """
    if mapping.lexicon is None:
        return rows, mapping
    columns = {}
    for name, said in read_titles(rows["title"].tolist(), mapping.lexicon).items():
        column, stated = attribute_column(name), pd.Series(said, index=rows.index, dtype=object)
        if name not in mapping.attributes:
            columns[name] = stated
        elif mapping.lexicon.fill_missing:
            columns[name] = rows[column].where(rows[column].notna(), stated)
    known = {name: values for name, values in columns.items() if values.notna().any()}
    lexicon = mapping.lexicon.only(list(known)) if known else None
    stated_rows = rows.assign(**{attribute_column(name): values for name, values in known.items()})
    return stated_rows, mapping.model_copy(update={"lexicon": lexicon})


def _values(texts: Sequence[Words], attribute: TitleAttribute, ignored: dict[Words, None]) -> list[str | None]:
    phrases: dict[Words, str | None] = {**ignored, **attribute.phrases()}
    unless = frozenset(worded(attribute.unless))
    starts = {words[0] for words in attribute.phrases()}  # most titles hold none of them and are done at once
    return [None if starts.isdisjoint(words) else _value(words, phrases, unless) for words in texts]


def _value(words: Words, phrases: dict[Words, str | None], unless: frozenset[Words]) -> str | None:
    values = {phrases[phrase] for phrase in claimed(words, phrases)} - {None}
    if len(values) != 1 or any(claimed(words, unless)):
        return None
    return values.pop()
