"""What a shopper takes for one thing: duplicate listings are one item, an item's other colours one design."""

import pandas as pd

from lookalike.catalog.designs import colour_words, design_keys, leakage_groups
from lookalike.catalog.group_fields import DESIGN, ITEM
from lookalike.catalog.products import DUPLICATES, Catalogue
from lookalike.errors import ArtifactError
from lookalike.storage import digest_bytes


def load_duplicates(catalogue: Catalogue) -> pd.DataFrame:
    """product_id and group_id of the near-duplicates validation found. Raises ArtifactError where it kept none."""
    path = catalogue.folder / DUPLICATES
    if not path.is_file():
        raise ArtifactError(f"{catalogue.folder} holds no {DUPLICATES}; run `lookalike validate` again")
    return pd.read_parquet(path)


def item_names(catalogue: Catalogue) -> pd.Series:
    """(P,) item of each product: the near-duplicate group that validation found, else the product by itself."""
    ids = catalogue.products["product_id"]
    return ids.map(load_duplicates(catalogue).set_index("product_id")["group_id"]).fillna(ids)


def product_groups(catalogue: Catalogue, titles: bool = True) -> pd.DataFrame:
    """`item_group` and `design_group` of every product, by product id.

    Groups are named by digests: a product that is erased must not live on as the name of its group.
    """
    ids, items = list(catalogue.products["product_id"]), item_names(catalogue)
    designs = leakage_groups(ids, list(_designs(catalogue, items, titles)), load_duplicates(catalogue))
    digests = {name: _digest(name) for name in {*items, *designs}}
    return pd.DataFrame(
        {ITEM: [digests[name] for name in items], DESIGN: [digests[name] for name in designs]},
        index=pd.Index(ids, name="product_id"),
    )


def _designs(catalogue: Catalogue, items: pd.Series, titles: bool) -> pd.Series:
    """(P,) design keys, where titles tell items apart by colour; elsewhere the item's own name.

    A title shared by more items than it has colours names no design: of 40,578 fashion products 182 are called
    "Catwalk women heels", in 13 colours. To keep such a title's products out of a split's other half is right;
    to fold them into one answer would hide 181 products.
    """
    keys = design_keys(catalogue, titles)
    told = pd.DataFrame({"key": keys, "item": items, "colour": colour_words(catalogue)}).groupby("key")
    vague = told["item"].transform("nunique") > told["colour"].transform("nunique")
    return keys.where(~vague, "item " + items)


def _digest(name: str) -> str:
    return digest_bytes(name.encode())[:16]
