"""What counts as one answer: a photo, a product, or a fold of products the index knows as one item or design."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from lookalike.catalog.group_fields import DESIGN, HIDDEN, ITEM
from lookalike.errors import QueryError
from lookalike.index.predicates import OneOf, Where
from lookalike.index.protocol import Hit
from lookalike.search.candidates import Key, best_per_key

Group = Literal["photo", "product", "item", "design"]
_FIELDS: dict[Group, str] = {"item": ITEM, "design": DESIGN}


def group_key(group: Group) -> Key:
    """What the hits of one answer share."""
    if group == "photo":
        return lambda hit: hit.photo_id
    if group == "product":
        return lambda hit: hit.product_id
    field = _FIELDS[group]
    return lambda hit: hit.fields[field] or hit.product_id


def filterable(fields: Iterable[str]) -> list[str]:
    """A collection's fields as shoppers know them."""
    return [field for field in fields if field not in HIDDEN]


def check_group(group: Group, fields: Collection[str]) -> None:
    """Raise QueryError where the collection does not know which products the fold holds."""
    if group in _FIELDS and _FIELDS[group] not in fields:
        raise QueryError(
            f"group is {group!r}, but this collection stores no {_FIELDS[group]}; index the catalogue again"
        )


def fold_filter(page: Sequence[Hit], group: Group) -> Where:
    """Passes the photos of the folds on a page; () where nothing is folded."""
    if group not in _FIELDS or not page:
        return ()
    return (OneOf(_FIELDS[group], tuple(sorted({group_key(group)(hit) for hit in page}))),)


def variants_of(
    page: Sequence[Hit], group: Group, mates: Iterable[Hit], without: str | None, most: int
) -> list[tuple[str, ...] | None]:
    """Per answer at most `most` other products of its fold among `mates`, nearest first, ties by photo id.

    None for every answer where nothing is folded; `without` is a product to leave out.
    """
    if group not in _FIELDS:
        return [None] * len(page)
    key, products = group_key(group), defaultdict[str, list[str]](list)
    for hit in best_per_key(mates, lambda hit: hit.product_id):
        products[key(hit)].append(hit.product_id)
    return [tuple(p for p in products[key(hit)] if p not in (hit.product_id, without))[:most] for hit in page]
