"""Columns of trades and quotes on their way from a vendor's file to a recorded day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.days.columns import LEVELS
from streams.days.decimals import MONEY_TYPE, money_array

Ints = NDArray[np.int64]
ABSENT = -1
"""A price, quantity or number that the source does not give."""


@dataclass(slots=True)
class Trades:
    """n trades in order of arrival: ``names`` is a pool, ``security`` int32[n] points into it; ``ts`` ms,
    ``price`` 0.001 yuan, ``qty`` shares; ``side`` strings "B", "S", "N" or None for all, ``seq`` int64 or
    None for all."""

    names: list[str]
    security: NDArray[np.int32]
    ts: Ints
    price: Ints
    qty: Ints
    side: NDArray[np.str_] | None = None
    seq: Ints | None = None

    def table(self) -> pa.Table:
        """The Arrow table of ``market.trades``, in order of time."""
        columns: dict[str, pa.Array] = {
            "security": _names(self.names, self.security),
            "ts": pa.array(self.ts),
            "price": money_array(self.price),
            "qty": pa.array(self.qty),
        }
        if self.side is not None:
            columns["side"] = pa.array(self.side.tolist(), pa.string())
        if self.seq is not None:
            columns["seq"] = pa.array(self.seq)
        return _ordered(pa.table({**columns, "key": columns["security"]}), self.ts)


@dataclass(slots=True)
class Quotes:
    """n snapshots in order of arrival. ``prices`` holds money columns by field name, int64 0.001 yuan with
    -1 for absent; ``volume`` shares (-1 absent). ``bid`` and ``ask`` are (prices int64[n, levels],
    quantities int64[n, levels]); a level whose price or quantity is 0 is no level. ``halted`` is bool[n] or
    None."""

    names: list[str]
    security: NDArray[np.int32]
    ts: Ints
    prices: dict[str, Ints]
    volume: Ints | None = None
    bid: tuple[Ints, Ints] | None = None
    ask: tuple[Ints, Ints] | None = None
    halted: NDArray[np.bool_] | None = None

    def table(self) -> pa.Table:
        """The Arrow table of ``market.quotes``, in order of time."""
        columns: dict[str, pa.Array] = {
            "security": _names(self.names, self.security),
            "ts": pa.array(self.ts),
        }
        for name, values in self.prices.items():
            columns[name] = money_array(values, values == ABSENT)
        if self.volume is not None:
            columns["volume"] = pa.array(self.volume, mask=self.volume == ABSENT)
        if self.halted is not None:
            columns["halted"] = pa.array(self.halted)
        for name, side in (("bid", self.bid), ("ask", self.ask)):
            if side is not None:
                columns[name] = _levels(*side)
        return _ordered(pa.table({**columns, "key": columns["security"]}), self.ts)


@dataclass(slots=True)
class ImportedDay:
    """What one source says about one date. ``reference`` holds fields of ``reference.securities`` by
    security."""

    date: int
    trades: list[Trades] = field(default_factory=list)
    quotes: list[Quotes] = field(default_factory=list)
    reference: dict[str, dict[str, object]] = field(default_factory=dict)

    def add_facts(self, security: str, facts: Mapping[str, object]) -> None:
        """Remember facts of ``security``; facts that are None say nothing."""
        known = self.reference.setdefault(security, {})
        known.update({name: value for name, value in facts.items() if value is not None})


def pooled(values: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    """Distinct strings in order of first appearance, and each value's index among them."""
    encoded = pa.array(values, pa.string()).dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)


def _names(pool: list[str], index: NDArray[np.int32]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(pool, pa.string()))


def _ordered(table: pa.Table, ts: Ints) -> pa.Table:
    if len(ts) < 2 or (ts[1:] >= ts[:-1]).all():
        return table
    return table.take(pa.array(ts.argsort(kind="stable")))


def _levels(prices: Ints, quantities: Ints) -> pa.Array:
    there = (prices > 0) & (quantities > 0)
    counts = there.sum(axis=1)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    flat = pa.StructArray.from_arrays(
        [money_array(prices[there]).cast(MONEY_TYPE), pa.array(quantities[there])], names=["price", "qty"]
    )
    return pa.ListArray.from_arrays(pa.array(offsets), flat).cast(LEVELS)
