"""The fields of N photos as codes, and filters over them as bitmaps."""

from bisect import bisect_left, bisect_right
from collections.abc import ItemsView, Iterator, Mapping
from functools import cached_property, lru_cache, reduce
from typing import Any, cast

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lookalike.index.predicates import Between, Missing, Not, OneOf, Predicate, Where

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

    def holds(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each of the given rows, whatever their shape, is among them."""
        return (self.bits[rows >> 3] >> (rows & 7) & 1).astype(bool)

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
    """Dictionary-coded fields; codes follow the order of the values."""

    def __init__(self, columns: Mapping[str, "pa.Array"]) -> None:
        coded = {name: _coded(column) for name, column in columns.items()}
        self._values = {name: values for name, (values, _) in coded.items()}
        self._codes = {name: codes for name, (_, codes) in coded.items()}
        self._bits = lru_cache(maxsize=KEPT_FILTERS)(self._compile)

    def bits(self, where: Where) -> NDArray[np.uint8]:
        """(ceil(N / 8),) bitmap of the rows that pass; `where` is not empty."""
        return reduce(np.bitwise_and, (self._bits(predicate) for predicate in where))

    def record(self, row: int) -> "Record":
        """All fields of one row."""
        return Record(self, row)

    def value(self, field: str, row: int) -> str | None:
        """One field of one row. Raises KeyError for a field there is not."""
        return cast("str | None", self._values[field][self._codes[field][row]])

    def fields(self, row: int) -> dict[str, str | None]:
        """All fields of one row, read now."""
        return {name: self._values[name][codes[row]] for name, codes in self._codes.items()}

    def names(self) -> list[str]:
        """All fields."""
        return list(self._codes)

    def columns(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.object_]]:
        """Per field the rows' values."""
        return {name: self._values[name][codes[rows]] for name, codes in self._codes.items()}

    def _compile(self, predicate: Predicate) -> NDArray[np.uint8]:
        return np.packbits(self._verdicts(predicate)[self._codes[predicate.field]], bitorder="little")

    def _verdicts(self, predicate: Predicate) -> NDArray[np.bool_]:
        """(V + 1,) by code what the predicate accepts; only values it names are looked at, of perhaps a million."""
        values = self._values[predicate.field]
        known = len(values) - 1
        verdicts = np.zeros(len(values), dtype=bool)
        match predicate:
            case OneOf(_, wanted):
                places = [bisect_left(values, value, hi=known) for value in wanted]
                verdicts[
                    [at for at, value in zip(places, wanted, strict=True) if at < known and values[at] == value]
                ] = True
            case Between(_, least, most):
                first = bisect_left(values, least, hi=known) if least is not None else 0
                last = bisect_right(values, most, hi=known) if most is not None else known
                verdicts[first:last] = True
            case Missing():
                verdicts[known] = True
            case Not(condition):
                return ~self._verdicts(condition)
        return verdicts


class Record(Mapping[str, str | None]):
    """A row's fields, each read when it is asked for."""

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

    def items(self) -> ItemsView[str, str | None]:
        """All at once, which an answer's every hit asks for; a Mapping would ask one by one."""
        return self._attributes.fields(self._row).items()

    def __repr__(self) -> str:
        return repr(dict(self))


def _coded(column: "pa.Array") -> tuple[NDArray[np.object_], NDArray[np.int32]]:
    """The distinct values in order, behind them None for unknown; and (N,) the code of each row, -1 where unknown."""
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()  # by code point, as Python compares texts
    values = np.empty(len(order) + 1, dtype=object)
    values[:-1] = encoded.dictionary.take(pa.array(order)).to_pylist()
    ranks = np.full(len(order) + 1, -1, dtype=np.int32)
    ranks[order] = np.arange(len(order))
    return values, ranks[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
