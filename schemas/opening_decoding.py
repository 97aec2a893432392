"""The books of many openings at once: positions and contracts of all accounts as two long tables.

An opening is the one event with lists inside. Reading its entries column by column, over all openings of a
batch, is what lets hundreds of thousands of accounts be loaded within seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.account import NO_CODE, Opening, OpeningContract, OpeningPosition
from schemas.batches import ABSENT
from schemas.columns import Mask, NDArray, StringPool, read_column
from schemas.digests import U8, digests
from schemas.errors import BadRecord
from schemas.fields import Choice, Text
from schemas.records import FieldSpec, Nested, spec_of


@dataclass(frozen=True, slots=True)
class Entries:
    """One list of all openings, flattened: `owner[i]` is the opening entry i belongs to, ascending."""

    owner: NDArray
    numbers: dict[str, tuple[NDArray, int]]
    strings: dict[str, NDArray]

    def columns(self) -> dict[str, NDArray]:
        """All columns by name, strings as pool indices."""
        return {name: column for name, (column, _) in self.numbers.items()} | self.strings

    def digest_sums(self, hashes: U8, openings: int) -> U8:
        """uint64 for each opening: the sum of its entries' digests, whatever their order."""
        fields = dict(self.numbers)
        fields |= {name: (hashes[column], 0) for name, column in self.strings.items()}
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(digests(fields), dtype=np.uint64)])
        bounds = np.searchsorted(self.owner, np.arange(openings + 1))
        with np.errstate(over="ignore"):
            total: U8 = sums[bounds[1:]] - sums[bounds[:-1]]
        return total


@dataclass(frozen=True, slots=True)
class Openings:
    """What many openings say. `numbers` carry their value for "absent", `strings` are pool indices."""

    good: Mask
    numbers: dict[str, tuple[NDArray, int]]
    strings: dict[str, NDArray]
    entries: dict[str, Entries]


def read_openings(rows: Sequence[dict[str, Any]], pool: StringPool) -> Openings:
    """The openings of `rows`; those that are not good are for the single decoder to explain."""
    out = Openings(np.ones(len(rows), np.bool_), {}, {}, {})
    given = _given(rows)
    for field in spec_of(Opening).fields:
        wire = field.wire
        values = [row.get(wire) for row in rows] if wire in given else [None] * len(rows)
        if field.name == "positions":
            out.entries[field.wire] = _read_positions(values, pool, out.good)
        elif field.name == "contracts":
            out.entries[field.wire] = _read_contracts(values, pool, out.good)
        elif isinstance(field.codec, Nested):
            _read_nested(field, values, out)
        else:
            column = _add(field, values, pool, out.numbers, out.strings)
            if column is not None:
                out.good[~column] = False
    return out


def _add(
    field: FieldSpec,
    values: list[Any],
    pool: StringPool,
    numbers: dict[str, tuple[NDArray, int]],
    strings: dict[str, NDArray],
) -> Mask | None:
    """Read one field into `numbers` or `strings`; the mask of its good values, `None` when all are."""
    column = read_column(field, values, pool)
    if isinstance(field.codec, Text):
        strings[field.wire] = column.values
    else:
        numbers[field.wire] = (column.values, NO_CODE if isinstance(field.codec, Choice) else ABSENT)
    return column.good


def _read_positions(lists: list[Any], pool: StringPool, good: Mask) -> Entries:
    entries = _flatten(OpeningPosition, lists, pool, good)
    qty, sellable = entries.numbers["qty"][0], entries.numbers["sellable"][0]
    good[entries.owner[sellable > qty]] = False
    entries.numbers["sellable"] = (np.where(sellable == qty, ABSENT, sellable), ABSENT)
    _refuse_twice(entries, "security", good)
    return entries


def _read_contracts(lists: list[Any], pool: StringPool, good: Mask) -> Entries:
    entries = _flatten(OpeningContract, lists, pool, good)
    _refuse_twice(entries, "contract", good)
    return entries


def _flatten(cls: type, lists: list[Any], pool: StringPool, good: Mask) -> Entries:
    sound: list[list[dict[str, Any]]] = []
    for i, entries in enumerate(lists):
        fine = type(entries) is list and set(map(type, entries)) <= {dict}
        good[i] &= fine
        sound.append(entries if fine else [])
    owner = np.repeat(np.arange(len(lists)), [len(entries) for entries in sound])
    flat = [entry for entries in sound for entry in entries]
    out = Entries(owner, {}, {})
    given = _given(flat)
    for field in spec_of(cls).fields:
        wire = field.wire
        values = [entry.get(wire) for entry in flat] if wire in given else [None] * len(flat)
        fine_values = _add(field, values, pool, out.numbers, out.strings)
        if fine_values is not None:
            good[owner[~fine_values]] = False
    return out


def _given(entries: Sequence[dict[str, Any]]) -> set[str]:
    """Fields that any entry has: most of the optional ones are in none."""
    return set().union(*entries)


def _refuse_twice(entries: Entries, name: str, good: Mask) -> None:
    """Two entries of one opening must not name the same security or contract."""
    names = entries.strings[name].astype(np.int64)
    keys = entries.owner * np.int64(2**32) + names
    order = np.argsort(keys, kind="stable")
    twice = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    good[entries.owner[order[twice]]] = False


def _read_nested(field: FieldSpec, values: list[Any], out: Openings) -> None:
    """A rare object such as `credit`: decoded one by one where it is given."""
    if values.count(None) == len(values):
        return
    assert isinstance(field.codec, Nested)
    names = [part.name for part in spec_of(field.codec.cls).fields]
    columns = {name: np.full(len(values), ABSENT, np.int64) for name in names}
    for i, value in enumerate(values):
        if value is None:
            continue
        try:
            decoded = field.codec.decode(value)
        except BadRecord:
            out.good[i] = False
            continue
        for name in names:
            figure = getattr(decoded, name)
            columns[name][i] = ABSENT if figure is None else figure
    out.numbers.update({f"{field.wire}.{name}": (column, ABSENT) for name, column in columns.items()})
