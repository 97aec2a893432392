"""Tables: columns of equal length, and the lists inside opening events as tables of their own.

An opening is the one event with lists inside. Hundreds of thousands of accounts are loaded within seconds
because what they hold and owe travels from the edge to the books in columns, never again as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt

I1: TypeAlias = npt.NDArray[np.int8]
I4: TypeAlias = npt.NDArray[np.int32]
I8: TypeAlias = npt.NDArray[np.int64]
U1: TypeAlias = npt.NDArray[np.uint8]
U8: TypeAlias = npt.NDArray[np.uint64]
_DTYPES = {"I1": "i1", "I4": "i4", "I8": "i8", "U1": "u1", "U8": "u8"}


class Table:
    """Columns of equal length. `INDICES` names those that point into a string pool."""

    COLUMNS: ClassVar[dict[str, str]]
    INDICES: ClassVar[tuple[str, ...]]
    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Read the columns and their dtypes from the annotations, which are the only declaration."""
        cls.COLUMNS = {n: _DTYPES[hint] for n, hint in cls.__annotations__.items() if hint in _DTYPES}

    def __len__(self) -> int:
        return len(self.column(next(iter(self.COLUMNS))))

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column by name."""
        return getattr(self, name)  # type: ignore[no-any-return]

    def spelled_out(self, pool: list[str], first: int = 0, end: int | None = None) -> list[list[Any]]:
        """The columns (of rows `first` to `end`, exclusive) as lists of Python values, with the strings of
        `pool` in place of indices.
        """
        found = []
        for name in self.COLUMNS:
            values = self.column(name)[first:end].tolist()
            if name in self.INDICES:
                values = [pool[i] if i >= 0 else None for i in values]
            found.append(values)
        return found

    def _pointing(self, mapping: I4) -> dict[str, npt.NDArray[Any]]:
        """The columns with every index into the pool replaced by `mapping[index]`."""
        columns = {name: self.column(name) for name in self.COLUMNS}
        return columns | {name: mapping[columns[name]] for name in self.INDICES}


class Entries(Table):
    """One of the lists inside opening events, those of all openings of a batch one after another; which of
    them belong to a row, and the string pool, are the batch's.
    """

    __slots__ = ()

    @classmethod
    def of(cls, columns: dict[str, npt.NDArray[Any]]) -> Self:
        """Entries of these columns; dtypes are converted where they differ."""
        return cls(
            **{name: np.ascontiguousarray(columns[name], dtype) for name, dtype in cls.COLUMNS.items()}
        )

    @classmethod
    def none(cls) -> Self:
        """No entries."""
        return cls.of({name: np.empty(0, dtype) for name, dtype in cls.COLUMNS.items()})

    def take(self, rows: npt.NDArray[Any]) -> Self:
        """The given entries."""
        return self.of({name: self.column(name)[rows] for name in self.COLUMNS})

    def pointing(self, mapping: I4) -> Self:
        """The same entries for another pool, in which what had index i has `mapping[i]`."""
        return self.of(self._pointing(mapping)) if len(self) else self

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Entries of several tables one after another."""
        return cls.of({name: np.concatenate([p.column(name) for p in parts]) for name in cls.COLUMNS})


@dataclass(eq=False, slots=True)
class PositionEntries(Entries):
    """Positions of openings. `sellable` is -1 where all is sellable."""

    INDICES: ClassVar[tuple[str, ...]] = ("security",)

    security: I4
    qty: I8
    sellable: I8


@dataclass(eq=False, slots=True)
class ContractEntries(Entries):
    """Contracts of openings. `type` is an index into `schemas.account.CONTRACT_TYPES`; `principal`, `rate`,
    `margin_ratio`, `due` and `accrued` are -1 where not given.
    """

    INDICES: ClassVar[tuple[str, ...]] = ("contract", "security")

    contract: I4
    type: U1
    security: I4
    opened: I4
    qty: I8
    price: I8
    principal: I8
    rate: I8
    margin_ratio: I8
    due: I4
    accrued: I8


def spans(starts: I8, ends: I8) -> I8:
    """The numbers `starts[0]` to `ends[0]` (exclusive), then `starts[1]` to `ends[1]`, and so on."""
    counts = ends - starts
    before: I8 = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))


def follow(starts: I8, ends: I8, size: int) -> bool:
    """Whether the spans of the rows lie one after another and fill `size` places."""
    if not len(starts):
        return size == 0
    return bool(
        starts[0] == 0
        and ends[-1] == size
        and (starts <= ends).all()
        and np.array_equal(ends[:-1], starts[1:])
    )
