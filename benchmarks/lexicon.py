"""How often the fashion lexicon is right: titles judged by eye, attribute by attribute.

`draw` writes a sheet of titles to judge, `measure` counts what was judged. A lexicon that no longer reads the judged
titles as they were judged is refused: whoever changes it draws a new sheet with another seed and judges again.
"""

import argparse
import csv
import math
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.results import Figure, record
from lookalike.catalog.lexicon import find_lexicon
from lookalike.catalog.products import attribute_column
from lookalike.catalog.readers import read_catalogue
from lookalike.errors import EvaluationError, LookalikeError

SHEET = Path(__file__).parent / "lexicon_judged.csv"
SHEET_SEED = 2026
"""Seed that the committed sheet was drawn with."""

LEXICON = "fashion"
VERDICTS = ("yes", "no")


def draw(stated: pd.DataFrame, titles: int, seed: int) -> pd.DataFrame:
    """title, attribute, value, right (empty) of titles drawn evenly for every attribute, nothing drawn twice.

    All that a drawn title states is on the sheet, so common attributes come up more often than rare ones.
    """
    rng, drawn = np.random.default_rng(seed), list[str]()
    names = [name for name in stated.columns if name != "title"]
    for position, name in enumerate(names):
        left = stated[stated[name].notna() & ~stated["title"].isin(drawn)]["title"].to_numpy()
        count = (titles - len(drawn)) // (len(names) - position)
        drawn += rng.choice(left, size=min(count, len(left)), replace=False).tolist()
    sheet = stated[stated["title"].isin(drawn)].melt("title", var_name="attribute", value_name="value")
    return sheet.dropna(subset="value").sort_values(["title", "attribute"], ignore_index=True).assign(right="")


def check_current(sheet: pd.DataFrame, stated: pd.DataFrame) -> None:
    """Raise EvaluationError where the lexicon reads a judged title in another way than the one judged."""
    pairs = ["title", "attribute", "value"]
    now = stated[stated["title"].isin(sheet["title"])].melt("title", var_name="attribute", value_name="value").dropna()
    moved = pd.concat([sheet[pairs], now[pairs]]).drop_duplicates(keep=False)
    if len(moved):
        first = moved.iloc[0]
        raise EvaluationError(
            f"{len(moved)} judged values and what the lexicon reads now differ, the first in '{first['title']}' "
            f"({first['attribute']} '{first['value']}'); draw a new sheet with another seed and judge it"
        )


def precisions(sheet: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Attribute to how many values were right, and how many were judged. Raises EvaluationError for an open verdict."""
    open_rows = sheet[~sheet["right"].isin(VERDICTS)]
    if len(open_rows):
        raise EvaluationError(f"{len(open_rows)} rows are not judged; the column 'right' takes {' or '.join(VERDICTS)}")
    groups = sheet.groupby("attribute")["right"]
    return {str(name): (int((verdicts == "yes").sum()), len(verdicts)) for name, verdicts in groups}


def wilson(right: int, judged: int, z: float = 1.96) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927): honest near 0 and 1, where the usual one is too narrow."""
    share, scale = right / judged, 1 + z**2 / judged
    middle = (share + z**2 / (2 * judged)) / scale
    half = z * math.sqrt(share * (1 - share) / judged + z**2 / (4 * judged**2)) / scale
    return max(middle - half, 0.0), min(middle + half, 1.0)


def figures(sheet: pd.DataFrame, products: pd.DataFrame) -> dict[str, Figure]:
    """Precision of the judged values and the share of products with a value, per attribute."""
    share_of = partial(Figure, unit="share", command="python -m benchmarks.lexicon measure --catalogue FOLDER")
    titles = sheet["title"].nunique()
    found = {}
    for name, (right, judged) in precisions(sheet).items():
        how = (
            f"{right} of {judged} values right, judged one by one by reading the title (the photo only where a title "
            f"is ambiguous); {titles} distinct titles drawn evenly for the attributes with seed {SHEET_SEED}, after "
            f"the lexicon was settled on other titles; {SHEET.name}; Wilson interval"
        )
        interval = wilson(right, judged)
        found[f"lexicon_precision_{name}"] = share_of(right / judged, how=how, interval=interval, n=judged)
        how = "products of the catalogue whose title states one value"
        share = float(products[name].notna().mean())
        found[f"lexicon_coverage_{name}"] = share_of(share, how=how, n=len(products))
    return found


def read_stated(catalogue: str) -> pd.DataFrame:
    """title and one column per attribute of the lexicon, one row per product."""
    rows = read_catalogue(catalogue, lexicon=LEXICON).rows
    names = find_lexicon(LEXICON).names()
    return pd.DataFrame({"title": rows["title"], **{name: rows[attribute_column(name)] for name in names}})


def main() -> int:
    """0 where it was drawn or measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    try:
        products = read_stated(arguments.catalogue)
        stated = products.dropna(subset="title").drop_duplicates("title")
        if arguments.step == "draw":
            sheet = draw(stated, arguments.titles, arguments.seed)
            sheet.to_csv(arguments.sheet, index=False, quoting=csv.QUOTE_MINIMAL)
        else:
            sheet = pd.read_csv(arguments.sheet, dtype=str, keep_default_na=False)
            check_current(sheet, stated)
            record("embedding", figures(sheet, products))
    except LookalikeError as error:
        sys.stderr.write(f"bench-lexicon: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.lexicon", description=__doc__)
    parser.add_argument("step", choices=("draw", "measure"))
    default = os.environ.get("LOOKALIKE_FPI", "")
    parser.add_argument("--catalogue", default=default, help="folder of the catalogue [LOOKALIKE_FPI]")
    parser.add_argument("--sheet", type=Path, default=SHEET, help="where the judged titles are")
    parser.add_argument("--titles", type=int, default=200, help="how many titles to draw")
    parser.add_argument("--seed", type=int, default=SHEET_SEED, help="another seed draws other titles")
    return parser


if __name__ == "__main__":
    sys.exit(main())
