"""What evaluation holds the answers against: attributes, verticals, split groups and duplicate listings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.groups import item_names
from lookalike.catalog.products import Catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.errors import ArtifactError, EvaluationError
from lookalike.evaluation.metrics import Codes


@dataclass(frozen=True)
class Truth:
    """P products, in the order of the catalogue's products; A attributes in the mapping's order."""

    attributes: tuple[str, ...]
    values: dict[str, list[str]]
    """Per attribute its known values; a code is a place in this list."""
    codes: Codes
    """(P, A), -1 where unknown."""
    coarse: tuple[int, ...]
    """Columns of `codes` that must agree for a coarse match."""
    fine: tuple[int, ...]
    """Columns of `codes` that must agree for a fine match."""
    verticals: NDArray[np.object_]
    """(P,)"""
    splits: NDArray[np.object_]
    """(P,): train, validation or test."""
    groups: NDArray[np.int64]
    """(P,): group of the split; the cluster of the bootstrap."""
    items: NDArray[np.int64]
    """(P,): item; known duplicate listings of one article share it and never count as found for one another."""

    def rows(self, split: str) -> NDArray[np.int64]:
        """Product rows of a split. Raises EvaluationError below two, since nothing could be retrieved."""
        rows = np.flatnonzero(self.splits == split)
        if len(rows) < 2:
            raise EvaluationError(f"the {split} split has {len(rows)} products; evaluation needs at least 2")
        return rows


def read_truth(catalogue: Catalogue, splits: Path) -> Truth:
    """Gather the truth about a validated catalogue.

    Raises EvaluationError where a product has no split, a group or near-duplicate lies in two splits, or the
    mapping says nothing about what is alike.
    """
    table, items = _split_table(catalogue, splits), item_names(catalogue)
    _require_no_leak("group", table["group_id"].to_numpy(), table["split"])
    _require_no_leak("near-duplicate group", items.to_numpy(), table["split"])
    alike = catalogue.mapping.alike
    if not alike.coarse or not alike.fine:
        raise EvaluationError("mapping.alike names no coarse or no fine attributes; evaluation needs one of each")
    return Truth(
        attributes=tuple(catalogue.attributes),
        values={name: catalogue.attribute_values(name) for name in catalogue.attributes},
        codes=catalogue.attribute_codes(),
        coarse=tuple(map(catalogue.attributes.index, alike.coarse)),
        fine=tuple(map(catalogue.attributes.index, alike.fine)),
        verticals=catalogue.products["vertical"].to_numpy(dtype=object),
        splits=table["split"].to_numpy(dtype=object),
        groups=pd.factorize(table["group_id"])[0].astype(np.int64),
        items=pd.factorize(items)[0].astype(np.int64),
    )


def _split_table(catalogue: Catalogue, splits: Path) -> pd.DataFrame:
    """group_id and split per product row."""
    path = splits / SPLITS
    if not path.is_file():
        raise ArtifactError(f"{splits} holds no {SPLITS}; run `lookalike split` first")
    table = pd.read_parquet(path).set_index("product_id").reindex(catalogue.products["product_id"])
    if table["split"].isna().any():
        missing = table.index[table["split"].isna()]
        raise EvaluationError(f"{len(missing)} products have no split, the first is {missing[0]!r}; split again")
    return table


def _require_no_leak(kind: str, names: NDArray[np.object_], splits: pd.Series) -> None:
    """Raise EvaluationError where a name lies in two splits: figures would flatter the model."""
    homes = splits.groupby(names).nunique()
    leaked = homes.index[homes > 1]
    if len(leaked):
        raise EvaluationError(
            f"the {kind} '{leaked[0]}' and {len(leaked) - 1} more lie in more than one split: the model may have "
            "trained on what it is measured on; split again"
        )
