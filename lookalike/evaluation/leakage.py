"""Whether a model was trained on what it is measured on: products, their designs, near-duplicates, photos, and the
queries of labelled recent traffic.

The evaluated split may have been cut anew since the model, or the one it continues, was trained; so the splits of today
prove nothing, and every checkpoint keeps the list of what it has seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lookalike.catalog.products import Catalogue
from lookalike.evaluation.guardrails import Verdict
from lookalike.evaluation.truth import Truth
from lookalike.training.trained import TRAINED, read_trained


@dataclass(frozen=True)
class Leak:
    """Something that was both trained on and measured."""

    kind: str
    """`products`, `designs`, `near-duplicates`, `photos` or `queries of recent traffic`."""
    count: int
    example: str


def leaks_of(
    checkpoint: Path, catalogue: Catalogue, truth: Truth, split: str, asked: Iterable[str] = ()
) -> list[Leak] | None:
    """What leaked into a checkpoint; None where it does not say what it was trained on. `asked` are the products that
    the queries of recent traffic showed."""
    if not (checkpoint / TRAINED).is_file():
        return None
    return find_leaks(read_trained(checkpoint), catalogue, truth, split, asked)


def find_leaks(
    trained: pd.DataFrame, catalogue: Catalogue, truth: Truth, split: str, asked: Iterable[str] = ()
) -> list[Leak]:
    """Compare `trained` (see `training.trained`) with the products of a split and the queries of recent traffic."""
    ids = catalogue.products["product_id"]
    measured = ids[truth.splits == split]
    known = ids.isin(trained["product_id"]).to_numpy()
    photos = catalogue.gallery_photos
    shown = photos.loc[photos["product_id"].isin(measured), "sha256"]
    found = {
        "products": measured[measured.isin(trained["product_id"])],
        "designs": ids[(truth.splits == split) & pd.Series(truth.groups).isin(truth.groups[known]).to_numpy()],
        "near-duplicates": ids[(truth.splits == split) & pd.Series(truth.items).isin(truth.items[known]).to_numpy()],
        "photos": shown[shown.isin(trained["sha256"])],
        "queries of recent traffic": pd.Series(sorted(set(asked) & set(trained["product_id"])), dtype=object),
    }
    return [Leak(kind, len(which), str(which.iloc[0])) for kind, which in found.items() if len(which)]


def judge_leaks(leaks: Sequence[Leak] | None) -> Verdict:
    """Refuses a model with any, and one that does not say what it was trained on."""
    if leaks is None:
        return Verdict(False, f"the checkpoint has no {TRAINED}: that it never saw the evaluation set cannot be shown")
    if not leaks:
        return Verdict(
            True, "nothing that is measured was trained on: products, designs, near-duplicates, photos, queries"
        )
    told = "; ".join(f"{leak.count} {leak.kind}, the first is '{leak.example}'" for leak in leaks)
    return Verdict(False, f"the challenger was trained on what it is measured on: {told}")
