"""Batches: structures of arrays. Row i of every column is event i, in the order of arrival.

Columns are numpy arrays of equal length; strings live once in a pool, columns hold indices into it. `-1` is
"absent" in index columns and in optional numeric columns. Units as in `schemas.units`: prices and money
int64 in 0.001 yuan, quantities int64, ts int64 milliseconds, days int32 day numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from schemas.tables import I1, I4, I8, U1, U8, ContractEntries, PositionEntries, Table, follow, spans

Rows: TypeAlias = slice | npt.NDArray[Any] | Sequence[int]

ABSENT = -1
"""An index column or optional numeric column where the event has no such field."""


class Batch(Table):
    """What all batches share. `POOL` names the string pool."""

    POOL: ClassVar[str]
    __slots__ = ()

    @property
    def strings(self) -> list[str]:
        """The string pool under its common name."""
        return getattr(self, self.POOL)  # type: ignore[no-any-return]

    @classmethod
    def build(cls, strings: list[str], columns: dict[str, npt.NDArray[Any]], **extra: Any) -> Self:
        """A batch from its pool and columns; dtypes are converted where they differ."""
        typed = {name: np.ascontiguousarray(columns[name], dtype) for name, dtype in cls.COLUMNS.items()}
        return cls(**{cls.POOL: strings}, **typed, **extra)

    @classmethod
    def empty(cls) -> Self:
        """A batch without rows."""
        return cls.build([], {name: np.empty(0, dtype) for name, dtype in cls.COLUMNS.items()})

    def take(self, rows: Rows) -> Self:
        """The given rows (indices, boolean mask or slice), sharing the pool."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        if isinstance(index, np.ndarray) and index.size == 0 and index.dtype != np.bool_:
            index = index.astype(np.int64)
        columns = {name: self.column(name)[index] for name in self.COLUMNS}
        return self.build(self.strings, columns, **self._extra())

    def _extra(self) -> dict[str, Any]:
        return {}

    @classmethod
    def concat(cls, batches: Sequence[Self]) -> Self:
        """The rows of several batches one after another, their pools merged."""
        if len(batches) == 1:
            return batches[0]
        strings, maps = merge_pools([batch.strings for batch in batches])
        columns = {}
        for name, dtype in cls.COLUMNS.items():
            parts = [batch.column(name) for batch in batches]
            if name in cls.INDICES:
                parts = [mapping[part] for mapping, part in zip(maps, parts, strict=True)]
            columns[name] = np.concatenate(parts) if parts else np.empty(0, dtype)
        return cls._joined(batches, strings, maps, columns)

    @classmethod
    def _joined(
        cls,
        batches: Sequence[Self],  # noqa: ARG003 - what a batch carries beside columns is joined by its class
        strings: list[str],
        maps: list[I4],  # noqa: ARG003
        columns: dict[str, npt.NDArray[Any]],
    ) -> Self:
        return cls.build(strings, columns)

    def compact(self) -> Self:
        """The same rows with a pool that holds only what they use, in order of first index."""
        strings = self.strings
        mentioned = np.zeros(len(strings) + 1, np.bool_)
        for indices in self._indices():
            mentioned[indices] = True
        used = np.flatnonzero(mentioned[:-1])
        if len(used) == len(strings):
            return self
        mapping = np.full(len(strings) + 1, ABSENT, np.int32)
        mapping[used] = np.arange(len(used), dtype=np.int32)
        return self._renamed([strings[i] for i in used.tolist()], mapping)

    def _indices(self) -> list[I4]:
        return [self.column(name) for name in self.INDICES]

    def _renamed(self, strings: list[str], mapping: I4) -> Self:
        return self.build(strings, self._pointing(mapping), **self._extra())

    def __eq__(self, other: object) -> bool:
        """Same events in the same order; pools may be arranged differently."""
        if type(other) is not type(self):
            return NotImplemented
        return self.listed() == other.listed()

    __hash__ = None  # type: ignore[assignment]

    def listed(self) -> list[list[Any]]:
        """The columns as lists of Python values, strings spelled out: for comparing and for looking at."""
        return self.spelled_out(self.strings)


def merge_pools(pools: Sequence[list[str]]) -> tuple[list[str], list[I4]]:
    """One pool for several, and for each the new index of every old one (its last entry maps -1 to -1)."""
    index: dict[str, int] = {}
    maps = []
    for pool in pools:
        mapping = [index.setdefault(text, len(index)) for text in pool]
        maps.append(np.array([*mapping, ABSENT], np.int32))
    return list(index), maps


@dataclass(eq=False, slots=True)
class TradeBatch(Batch):
    """Trades. `side` is an index into `schemas.market.SIDES`, 255 when not given; `seq` -1 when not given."""

    POOL: ClassVar[str] = "securities"
    INDICES: ClassVar[tuple[str, ...]] = ("security",)

    securities: list[str]
    security: I4
    ts: I8
    price: I8
    qty: I8
    side: U1
    seq: I8


@dataclass(eq=False, slots=True)
class QuoteBatch(Batch):
    """Quotes with the best level of each side.

    `halted`: -1 not given, 0, 1. `bid_price`, `bid_qty`, `ask_price`, `ask_qty`: 0 when the side was given
    but is empty, -1 when it was not given. Deeper levels are checked when JSON is decoded and not kept.
    """

    POOL: ClassVar[str] = "securities"
    INDICES: ClassVar[tuple[str, ...]] = ("security",)

    securities: list[str]
    security: I4
    ts: I8
    last: I8
    prev_close: I8
    open: I8
    high: I8
    low: I8
    volume: I8
    amount: I8
    limit_up: I8
    limit_down: I8
    halted: I1
    bid_price: I8
    bid_qty: I8
    ask_price: I8
    ask_qty: I8


@dataclass(eq=False, slots=True)
class AccountBatch(Batch):
    """Account events of every kind.

    `kind`, `business`, `reason` are indices into `schemas.account.KINDS`, `BUSINESSES`, `REASONS` (255 =
    none; the reason of `order_closed` and `freeze` is free text and has no code). `qty` is signed for
    `transfer` and `freeze`; `amount` is `cash.amount`, `repay.amount`, `other_collateral.value`,
    `freeze.cash` or `opening.cash`; both are 0 where the kind has none (a `freeze` of cash has `security`
    -1). `price`, `fee`, `rate`, `margin_ratio` and `due` are -1 where not given. `digest` is a 64-bit hash
    of everything but `account` and `id`: events of the same meaning have the same digest, however they were
    written. `raw[raw_start[i]:raw_end[i]]` is the JSON of row i, for dead letters. What only openings have:
    `client` is an index into `schemas.account.CLIENT_CLASSES` (255 = none), `preset` a string,
    `other_collateral` -1 where not given; `credit_*` and `group_credit_*` the credit lines (milli; `_until` a
    day number), -1 where not given; positions_start[i] to positions_end[i] (exclusive) of `positions`
    and contracts_start[i] to contracts_end[i] of `contracts` are the lists of row i.
    """

    POOL: ClassVar[str] = "pool"
    INDICES: ClassVar[tuple[str, ...]] = (
        "account",
        "id",
        "security",
        "contract",
        "order",
        "action",
        "preset",
    )

    pool: list[str]
    kind: U1
    business: U1
    reason: U1
    ts: I8
    account: I4
    id: I4
    security: I4
    qty: I8
    price: I8
    amount: I8
    fee: I8
    contract: I4
    order: I4
    action: I4
    rate: I8
    margin_ratio: I8
    due: I4
    digest: U8
    raw_start: I8
    raw_end: I8
    client: U1
    preset: I4
    other_collateral: I8
    credit_total: I8
    credit_financing: I8
    credit_lending: I8
    credit_until: I8
    group_credit_total: I8
    group_credit_financing: I8
    group_credit_lending: I8
    group_credit_until: I8
    positions_start: I8
    positions_end: I8
    contracts_start: I8
    contracts_end: I8
    raw: bytes = b""
    positions: PositionEntries = field(default_factory=PositionEntries.none)
    contracts: ContractEntries = field(default_factory=ContractEntries.none)

    def raw_of(self, row: int) -> bytes:
        """The JSON of one row, as it was published."""
        return self.raw[int(self.raw_start[row]) : int(self.raw_end[row])]

    def _extra(self) -> dict[str, Any]:
        return {"raw": self.raw, "positions": self.positions, "contracts": self.contracts}

    @classmethod
    def _joined(
        cls,
        batches: Sequence[Self],
        strings: list[str],
        maps: list[I4],
        columns: dict[str, npt.NDArray[Any]],
    ) -> Self:
        for name in ("raw", "positions", "contracts"):
            sizes = np.array([len(getattr(batch, name)) for batch in batches], np.int64)
            shift = np.repeat(np.cumsum(sizes) - sizes, [len(batch) for batch in batches])
            columns[f"{name}_start"] = columns[f"{name}_start"] + shift
            columns[f"{name}_end"] = columns[f"{name}_end"] + shift
        both = list(zip(batches, maps, strict=True))
        return cls.build(
            strings,
            columns,
            raw=b"".join(batch.raw for batch in batches),
            positions=PositionEntries.concat([batch.positions.pointing(m) for batch, m in both]),
            contracts=ContractEntries.concat([batch.contracts.pointing(m) for batch, m in both]),
        )

    def packed(self) -> Self:
        """The same rows with `raw`, `positions` and `contracts` holding exactly what is theirs, in row
        order.
        """
        loose = {
            name
            for name in ("raw", "positions", "contracts")
            if not follow(self.column(f"{name}_start"), self.column(f"{name}_end"), len(getattr(self, name)))
        }
        if not loose:
            return self
        columns, extra = {name: self.column(name) for name in self.COLUMNS}, self._extra()
        for name in loose:
            starts, ends = columns[f"{name}_start"], columns[f"{name}_end"]
            if name == "raw":
                pairs = zip(starts.tolist(), ends.tolist(), strict=True)
                extra[name] = b"".join([self.raw[a:b] for a, b in pairs])
            else:
                extra[name] = extra[name].take(spans(starts, ends))
            columns[f"{name}_end"] = np.cumsum(ends - starts)
            columns[f"{name}_start"] = columns[f"{name}_end"] - (ends - starts)
        return self.build(self.pool, columns, **extra)

    def compact(self) -> Self:
        """The same rows with a pool, and with JSON and lists, that hold only what they use."""
        return Batch.compact(self.packed())

    def _indices(self) -> list[I4]:
        own = [self.column(name) for name in self.INDICES]
        return own + [part.column(n) for part in (self.positions, self.contracts) for n in part.INDICES]

    def _renamed(self, strings: list[str], mapping: I4) -> Self:
        positions, contracts = self.positions.pointing(mapping), self.contracts.pointing(mapping)
        columns = self._pointing(mapping)
        return self.build(strings, columns, raw=self.raw, positions=positions, contracts=contracts)

    def listed(self) -> list[list[Any]]:
        """The columns as lists, the JSON and the lists of each row in place of their offsets."""
        rows = [
            values
            for name, values in zip(self.COLUMNS, Batch.listed(self), strict=True)
            if not name.endswith(("_start", "_end"))
        ]
        for part, name in ((self.positions, "positions"), (self.contracts, "contracts")):
            entries = list(zip(*part.spelled_out(self.pool), strict=True))
            bounds = self.column(f"{name}_start").tolist(), self.column(f"{name}_end").tolist()
            rows.append([entries[a:b] for a, b in zip(*bounds, strict=True)])
        return [*rows, [self.raw_of(row) for row in range(len(self))]]


@dataclass(eq=False, slots=True)
class MarkBatch(Batch):
    """Marks: one row a security, price and newest quote kept apart (a trade must not drop a limit or a halt).

    `price` with `price_ts`, `price_kind` (0 quote, 1 trade) and `price_offset` is the newest observation, -1
    when there is none; the other fields are those of the newest quote, of time `quote_ts` and `quote_offset`,
    -1 when there is none. `halted` and the book as in `QuoteBatch`.
    """

    POOL: ClassVar[str] = "securities"
    INDICES: ClassVar[tuple[str, ...]] = ("security",)

    securities: list[str]
    security: I4
    price: I8
    price_ts: I8
    price_kind: I1
    price_offset: I8
    quote_ts: I8
    quote_offset: I8
    prev_close: I8
    limit_up: I8
    limit_down: I8
    halted: I1
    bid_price: I8
    bid_qty: I8
    ask_price: I8
    ask_qty: I8
    volume: I8


MARK_QUOTE_FIELDS = (
    "prev_close",
    "limit_up",
    "limit_down",
    "halted",
    "bid_price",
    "bid_qty",
    "ask_price",
    "ask_qty",
    "volume",
)
"""Fields of marks that are the newest quote's, in the order in which the kernel takes them."""

BATCH_CLASSES: tuple[type[Batch], ...] = (TradeBatch, QuoteBatch, AccountBatch, MarkBatch)
