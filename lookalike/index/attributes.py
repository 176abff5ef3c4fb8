"""The fields of N photos as codes, and filters over them as bitmaps."""

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, reduce
from typing import Any, cast

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lookalike.index.predicates import Predicate, Where

KEPT_FILTERS = 256
"""Compiled conditions kept per collection; N/8 bytes each, 32 MB at a million photos."""


class Chosen:
    """The rows that pass a filter, as a bitmap that faiss reads; bit i of byte j is row 8·j + i."""

    def __init__(self, bits: NDArray[np.uint8], total: int) -> None:
        self.bits = bits  # (ceil(N / 8),)
        self.total = total
        self.count = int(np.bitwise_count(bits).sum())

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """(count,) ascending."""
        return np.flatnonzero(np.unpackbits(self.bits, count=self.total, bitorder="little"))

    @cached_property
    def selector(self) -> Any:
        """The same for faiss."""
        selector: Any = faiss.IDSelectorBitmap  # its stub knows the C++ signature only
        return selector(self.bits)

    @property
    def share(self) -> float:
        return self.count / max(self.total, 1)


def chosen_rows(rows: NDArray[np.bool_]) -> Chosen:
    """The rows where the (N,) mask is true."""
    return Chosen(np.packbits(rows, bitorder="little"), len(rows))


class Attributes:
    """Dictionary-coded fields."""

    def __init__(self, columns: Mapping[str, "pa.Array"]) -> None:
        encoded = {name: column.dictionary_encode() for name, column in columns.items()}
        self._values = {name: _table(column.dictionary) for name, column in encoded.items()}
        self._codes = {  # per field (N,) int32, -1 where unknown
            name: column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
            for name, column in encoded.items()
        }
        self._bits = lru_cache(maxsize=KEPT_FILTERS)(self._compile)

    def bits(self, where: Where) -> NDArray[np.uint8]:
        """(ceil(N / 8),) bitmap of the rows that pass; `where` is not empty."""
        return reduce(np.bitwise_and, (self._bits(predicate) for predicate in where))

    def records(self, rows: NDArray[np.int64]) -> list["Record"]:
        """The fields of each row."""
        return [Record(self, row) for row in rows.tolist()]

    def value(self, field: str, row: int) -> str | None:
        """One field of one row. Raises KeyError for a field there is not."""
        return cast("str | None", self._values[field][self._codes[field][row]])

    def names(self) -> list[str]:
        """All fields."""
        return list(self._codes)

    def columns(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.object_]]:
        """Per field the rows' values."""
        return {name: self._values[name][codes[rows]] for name, codes in self._codes.items()}

    def _compile(self, predicate: Predicate) -> NDArray[np.uint8]:
        """Each distinct value is judged once; code -1 reads the last verdict, that on an unknown value."""
        values = self._values[predicate.field]
        verdicts = np.fromiter((predicate.accepts(value) for value in values), bool, count=len(values))
        return np.packbits(verdicts[self._codes[predicate.field]], bitorder="little")


class Record(Mapping[str, str | None]):
    """A row's fields, read when they are asked for: most hits are folded away before anyone looks."""

    __slots__ = ("_attributes", "_row")

    def __init__(self, attributes: Attributes, row: int) -> None:
        self._attributes = attributes
        self._row = row

    def __getitem__(self, field: str) -> str | None:
        return self._attributes.value(field, self._row)

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes.names())

    def __len__(self) -> int:
        return len(self._attributes.names())

    def __repr__(self) -> str:
        return repr(dict(self))


def _table(values: "pa.Array") -> NDArray[np.object_]:
    """The distinct values; the last one, which code -1 reads, stands for unknown."""
    table = np.empty(len(values) + 1, dtype=object)
    table[:-1] = values.to_pylist()
    return table
