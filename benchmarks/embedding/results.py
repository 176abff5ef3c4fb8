"""Finished measurements of all arms, read side by side."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.embedding.intervals import Sampled, query_resamples, sampled_macro_f1, sampled_mean
from lookalike.errors import EvaluationError
from lookalike.evaluation.bootstrap import Resamples

FINE = "fine_precision_at_4"


@dataclass(frozen=True)
class Results:
    """Per arm one table per seed, all with the same Q queries in the same order."""

    tables: dict[str, list[pd.DataFrame]]

    @classmethod
    def read(cls, files: dict[str, list[Path]]) -> "Results":
        """Read the files of every arm's seeds. Raises EvaluationError where they answer different queries."""
        tables = {arm: [pd.read_parquet(path) for path in paths] for arm, paths in files.items() if paths}
        queries = {tuple(table["product"]) for seeds in tables.values() for table in seeds}
        if len(queries) != 1:
            raise EvaluationError(
                f"arms must answer the same queries to be compared; found {len(queries)} sets of them"
            )
        return cls(tables)

    @property
    def arms(self) -> list[str]:
        return list(self.tables)

    @property
    def metrics(self) -> list[str]:
        """Columns with a value per query."""
        columns = self.tables[self.arms[0]][0].columns
        return [name for name in columns if name.endswith(("_at_1", "_at_4", "_at_10"))]

    @cached_property
    def resamples(self) -> Resamples:
        return query_resamples(self.tables[self.arms[0]][0]["group"].to_numpy())

    def seeds(self, arm: str) -> int:
        return len(self.tables[arm])

    def mean(self, arm: str, metric: str = FINE) -> Sampled:
        """Mean over queries and seeds."""
        return sampled_mean(self._column(arm, metric), self.resamples, self.arms.index(arm))

    def macro_f1(self, arm: str, attribute: str) -> Sampled:
        """Macro-F1 of the arm's attribute head."""
        wanted = self.tables[arm][0][f"is_{attribute}"].to_numpy()
        said = self._column(arm, f"said_{attribute}").astype(np.int64)
        return sampled_macro_f1(said, wanted, self.resamples, self.arms.index(arm))

    def classes(self, attribute: str) -> NDArray[np.int64]:
        """The values of an attribute that the queries have."""
        wanted = self.tables[self.arms[0]][0][f"is_{attribute}"].to_numpy()
        return np.unique(wanted[wanted >= 0])

    def best(self, arms: list[str]) -> str:
        """The arm with the highest fine precision@4; only ever asked of the validation split."""
        return max(arms, key=lambda arm: self.mean(arm).value)

    def _column(self, arm: str, name: str) -> NDArray[np.float64]:
        """(Q, S)."""
        return np.stack([table[name].to_numpy(np.float64) for table in self.tables[arm]], axis=1)
