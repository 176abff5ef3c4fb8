"""Designs: one garment sold in several colours, listings and photos is one thing to tell apart, not many."""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.near_duplicates import components
from lookalike.catalog.products import Catalogue, attribute_column

BASIC_COLOURS = [
    "black",
    "white",
    "red",
    "green",
    "yellow",
    "blue",
    "brown",
    "purple",
    "pink",
    "orange",
    "grey",
    "gray",
]
"""The eleven basic colour terms of English (Berlin & Kay 1969, both spellings of one), always taken off titles."""

_WORD = re.compile(r"\w+")


def colour_lexicon(catalogue: Catalogue) -> frozenset[str]:
    """Words that name a colour: the basic terms and every word of the colour attribute's values."""
    name = _colour_attribute(catalogue)
    values = catalogue.attribute_values(name) if name else []
    return frozenset(BASIC_COLOURS) | {word for value in values for word in _words(value)}


def design_title(title: str, colours: frozenset[str]) -> str:
    """The title in lower case without punctuation and colour words; empty where nothing else was said."""
    return " ".join(word for word in _words(title) if word not in colours)


def design_keys(catalogue: Catalogue, titles: bool = True) -> pd.Series:
    """What each product's design is called: title without colours, type and gender.

    Products without such a title, or all of them where `titles` is False, are each their own design.
    """
    products, colours = catalogue.products, colour_lexicon(catalogue)
    bare = _told(products["title"], lambda title: design_title(title, colours) if titles else "")
    kinds = products[[attribute_column(name) for name in _kind_attributes(catalogue)]].fillna("").to_numpy()
    keys = [
        " | ".join([title, *kind]) if title else f"product {product_id}"
        for title, kind, product_id in zip(bare, kinds, products["product_id"], strict=True)
    ]
    return pd.Series(keys, index=products.index, name="design")


def colour_words(catalogue: Catalogue) -> pd.Series:
    """The colour of each product: its colour attribute, else the colour words of its title, "" without either."""
    products, lexicon, name = catalogue.products, colour_lexicon(catalogue), _colour_attribute(catalogue)
    titles = products["title"] if name is None else products["title"].where(products[attribute_column(name)].isna())
    said = _told(titles, lambda title: " ".join(word for word in _words(title) if word in lexicon))
    told = pd.Series(said, index=products.index, dtype=object)
    return told if name is None else products[attribute_column(name)].fillna(told)


def leakage_groups(product_ids: Sequence[str], designs: Sequence[str], duplicates: pd.DataFrame) -> NDArray[np.object_]:
    """(N,) group id per product: designs and near-duplicate groups that touch one another are one group.

    A group is called after its earliest id, where a shorter id is earlier: numbers count up, so a growing
    catalogue does not rename its groups.
    """
    ids = pd.Index(product_ids)
    known = duplicates[duplicates["product_id"].isin(ids)]
    nodes = len(ids)  # the products, then one node per design, then one per near-duplicate group
    design_codes, design_names = pd.factorize(np.asarray(designs, dtype=object))
    group_codes, group_names = pd.factorize(known["group_id"])
    left = np.concatenate([np.arange(nodes), ids.get_indexer(pd.Index(known["product_id"]))])
    right = np.concatenate([nodes + design_codes, nodes + len(design_names) + group_codes])
    labels = components(nodes + len(design_names) + len(group_names), left, right)[:nodes]
    shared = np.flatnonzero(np.bincount(labels)[labels] > 1)  # most are alone and called after themselves
    earliest: dict[int, str] = {}
    for row in shared:
        label, product_id = labels[row], ids[row]
        earliest[label] = min(earliest.get(label, product_id), product_id, key=lambda name: (len(name), name))
    names = ids.to_numpy(dtype=object, copy=True)
    names[shared] = [earliest[labels[row]] for row in shared]
    return names


def _told(titles: "pd.Series[str]", tell: Callable[[str], str]) -> list[str]:
    """What each title tells, "" where there is none; one that many products share is read once."""
    told = {title: tell(title) for title in titles.dropna().unique()}
    return [told.get(title, "") for title in titles]


def _words(text: str) -> Iterable[str]:
    return _WORD.findall(text.casefold())


def _colour_attribute(catalogue: Catalogue) -> str | None:
    names = catalogue.mapping.attributes  # what titles state may come and go and must not move a product's split
    return next((name for name in names if "colour" in name.casefold() or "color" in name.casefold()), None)


def _kind_attributes(catalogue: Catalogue) -> list[str]:
    named = [*catalogue.mapping.alike.coarse[:1], *(["gender"] if "gender" in catalogue.mapping.attributes else [])]
    return list(dict.fromkeys(named))
