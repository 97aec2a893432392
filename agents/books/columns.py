"""Growing columns: numpy arrays for kernels, memory views of the same memory for the per-event fold.

A memory view gives and takes Python integers, twice as fast as numpy scalars and without silent overflow: a
value that does not fit raises. Growth doubles, so an event never pays for more than itself on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

Snapshot = dict[str, bytes | NDArray[Any]]
Spec = dict[str, tuple[str, int, int]]
"""Column name -> (numpy dtype, initial value, width; 1 = one-dimensional)."""

_FIRST_CAPACITY = 64


class Columns:
    """Rows 0..rows-1 of several columns. Each name of `SPEC` is an attribute: a flat memory view of the
    column.
    """

    SPEC: ClassVar[Spec] = {}

    def __init__(self) -> None:
        self.rows = 0
        self.capacity = 0
        self._arrays: dict[str, NDArray[Any]] = {}
        self._grow(_FIRST_CAPACITY)

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
        return first

    def reset(self, row: int) -> None:
        """Gives a row its initial values again."""
        for name, (_, initial, _) in self.SPEC.items():
            self._arrays[name][row] = initial

    def replace(self, columns: Mapping[str, NDArray[Any]], rows: int) -> None:
        """Takes over new contents of all columns."""
        self._arrays = {}
        self.rows, self.capacity = 0, 0
        self._grow(max(rows, _FIRST_CAPACITY))
        self.rows = rows
        for name in self.SPEC:
            self._arrays[name][:rows] = columns[name]

    def snapshot(self, prefix: str) -> Snapshot:
        """Copies of all columns, named `prefix.column`."""
        return {f"{prefix}.{name}": self.used(name).copy() for name in self.SPEC}

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Takes the columns of a snapshot."""
        columns = {name: np.asarray(snapshot[f"{prefix}.{name}"]) for name in self.SPEC}
        self.replace(columns, len(next(iter(columns.values()))))

    def _grow(self, capacity: int) -> None:
        for name, (dtype, initial, width) in self.SPEC.items():
            shape = capacity if width == 1 else (capacity, width)
            grown = np.full(shape, initial, dtype=dtype)
            if name in self._arrays:
                grown[: self.rows] = self._arrays[name][: self.rows]
            self._arrays[name] = grown
            setattr(self, name, memoryview(cast("Any", grown.reshape(-1))))
        self.capacity = capacity


def text_snapshot(texts: list[str]) -> bytes:
    """Strings without line breaks as one byte string."""
    return "\n".join(texts).encode()


def text_restore(data: bytes | NDArray[Any], rows: int) -> list[str]:
    """The strings again; `rows` tells an empty list from one empty string."""
    return bytes(data).decode().split("\n") if rows else []
