"""Growing columns: numpy arrays for kernels, memory views of the same memory for the per-event fold.

A memory view gives and takes Python integers, twice as fast as numpy scalars and without silent overflow: a
value that does not fit raises. Growth doubles, so an event never pays for more than itself on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

Snapshot = dict[str, bytes | NDArray[Any]]


class Column(NamedTuple):
    """How a column begins: numpy dtype, initial value, width (1 = one-dimensional)."""

    dtype: str
    initial: int
    width: int


class _Texts:
    """Marks a list of strings, one a row."""


_FIRST_CAPACITY = 64


def numbers(dtype: str, initial: int = 0, width: int = 1) -> Any:
    """Declares a column of a class: `qty: memoryview = numbers("i8")`."""
    return Column(dtype, initial, width)


def texts() -> Any:
    """Declares strings of a class, empty at first: `names: list[str] = texts()`."""
    return _Texts()


class Columns:
    """Rows 0..rows-1 of several columns. What a class declares by `numbers` is an attribute of its instances,
    a flat memory view; what it declares by `texts` a list.
    """

    SPEC: ClassVar[dict[str, Column]] = {}
    TEXTS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = dict(vars(cls))
        cls.SPEC = cls.SPEC | {name: value for name, value in declared.items() if isinstance(value, Column)}
        cls.TEXTS += tuple(name for name, value in declared.items() if isinstance(value, _Texts))
        for name in {*cls.SPEC, *cls.TEXTS} & declared.keys():
            delattr(cls, name)  # an attribute of the class too would slow down that of every instance

    def __init__(self) -> None:
        self.rows = 0
        self.capacity = 0
        self._arrays: dict[str, NDArray[Any]] = {}
        self._grow(_FIRST_CAPACITY)
        for name in self.TEXTS:
            setattr(self, name, [])

    def array(self, name: str) -> NDArray[Any]:
        """The whole column with its spare rows, for kernels that know the row count."""
        return self._arrays[name]

    def used(self, name: str) -> NDArray[Any]:
        """The column's rows in use."""
        return self._arrays[name][: self.rows]

    def append(self, rows: int = 1) -> int:
        """Adds rows with initial values; returns the first."""
        first = self.rows
        if first + rows > self.capacity:
            self._grow(max(2 * self.capacity, first + rows))
        self.rows = first + rows
        for name in self.TEXTS:
            getattr(self, name).extend([""] * rows)
        return first

    def copy(self, old: int, new: int, rows: int) -> None:
        """Copies so many rows from row `old` on to row `new` on; the two runs must not overlap. For tables of
        one-dimensional columns: memory views copy short runs faster than numpy.
        """
        for name in self.SPEC:
            column = getattr(self, name)
            column[new : new + rows] = column[old : old + rows]

    def reset(self, row: int) -> None:
        """Gives a row its initial values again."""
        for name, declared in self.SPEC.items():
            self._arrays[name][row] = declared.initial
        for name in self.TEXTS:
            getattr(self, name)[row] = ""

    def replace(self, columns: Mapping[str, NDArray[Any]], rows: int) -> None:
        """Takes over new contents of all columns; texts are the caller's."""
        self._arrays = {}
        self.rows, self.capacity = 0, 0
        self._grow(max(rows, _FIRST_CAPACITY))
        self.rows = rows
        for name in self.SPEC:
            self._arrays[name][:rows] = columns[name]

    def snapshot(self, prefix: str) -> Snapshot:
        """Copies of everything, named `prefix.column`."""
        columns = {f"{prefix}.{name}": self.used(name).copy() for name in self.SPEC}
        return columns | {f"{prefix}.{name}": text_snapshot(getattr(self, name)) for name in self.TEXTS}

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Takes everything of a snapshot."""
        columns = {name: np.asarray(snapshot[f"{prefix}.{name}"]) for name in self.SPEC}
        self.replace(columns, len(next(iter(columns.values()))))
        for name in self.TEXTS:
            setattr(self, name, text_restore(snapshot[f"{prefix}.{name}"], self.rows))

    def _grow(self, capacity: int) -> None:
        for name, (dtype, initial, width) in self.SPEC.items():
            shape = capacity if width == 1 else (capacity, width)
            grown = np.empty(shape, dtype=dtype)
            grown[self.rows :] = initial
            if self.rows:
                grown[: self.rows] = self._arrays[name][: self.rows]
            self._arrays[name] = grown
            setattr(self, name, memoryview(cast("Any", grown.reshape(-1))))
        self.capacity = capacity


class ReusedRows(Columns):
    """Rows that are given back and used again."""

    def __init__(self) -> None:
        super().__init__()
        self.free: list[int] = []

    def take(self) -> int:
        """A row with initial values, one given back before a new one."""
        return self.free.pop() if self.free else self.append()

    def give_back(self, row: int) -> None:
        """Nothing is in the row any more."""
        self.reset(row)
        self.free.append(row)

    def snapshot(self, prefix: str) -> Snapshot:
        """Copies of everything, named `prefix.column`, and the free rows."""
        return {**super().snapshot(prefix), f"{prefix}.free": np.asarray(self.free, dtype=np.int32)}

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Takes everything of a snapshot."""
        super().restore(prefix, snapshot)
        self.free = np.asarray(snapshot[f"{prefix}.free"]).tolist()


def text_snapshot(texts: list[str]) -> bytes:
    """Strings without line breaks as one byte string."""
    return "\n".join(texts).encode()


def text_restore(data: bytes | NDArray[Any], rows: int) -> list[str]:
    """The strings again; `rows` tells an empty list from one empty string."""
    return bytes(data).decode().split("\n") if rows else []
