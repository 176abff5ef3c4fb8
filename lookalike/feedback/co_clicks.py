"""Answers to a shopper's photo: training reads photos from the catalogue, and the shopper's own is kept nowhere.

Products clicked in one answer are alike to whoever clicked them, so one of them stands in for the photo: pairs of
products that were clicked together, as in the co-click graphs of Sarkar and Kumar (SIGIR eCom 2021, arXiv 2107.08291)
and of Virtual ID Discovery (arXiv 2102.04667). An answer with a single click teaches nothing.
"""

import pandas as pd


def with_stand_ins(shown: pd.DataFrame) -> pd.DataFrame:
    """The rows of `Joined.shown` that have something to be compared with, and `stand_in`: whether `query` is a product
    that was clicked in the answer instead of one that was asked with. It is the first one bought, else the first one
    clicked, and no longer among what was shown."""
    asked = shown[shown["query"].notna()].assign(stand_in=False)
    photos = shown[shown["query"].isna()]
    clicked = photos[photos["clicked"]].sort_values(["purchased", "position"], ascending=[False, True], kind="stable")
    first = clicked.drop_duplicates("request_id").set_index("request_id")["product_id"]
    several = clicked["request_id"].value_counts()
    usable = photos[photos["request_id"].isin(several.index[several > 1])]
    named = usable.assign(query=usable["request_id"].map(first), stand_in=True)
    return pd.concat([asked, named[named["query"] != named["product_id"]]], ignore_index=True)
