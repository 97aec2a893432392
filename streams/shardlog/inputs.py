"""Runs of records of one source as they were read, decoded and ready for the sequencer.

Positions and rows are kept apart: a record that was rejected or forwarded, a hole in the offsets and a
record without events have no row but count as read; a record that is a frame has many rows with one offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.core import Segment, Source
from agents.market.conflate import conflate_quotes, conflate_trades
from schemas.batches import AccountBatch, MarkBatch, QuoteBatch, TradeBatch

Rows = AccountBatch | TradeBatch | QuoteBatch


@dataclass(frozen=True, slots=True)
class Read:
    """Records of one source as a consumer returned them; row i of every column is record i.

    ``start`` and ``end`` are the consumer's positions before and after. ``offsets`` and ``timestamps``
    int64[r], ``windows`` bool[r]: the record carries the header `window`. ``origin_partition`` int32[r] and
    ``origin_offset`` int64[r] name where a forwarded record was first published; None if none is.
    """

    source: Source
    start: int
    end: int
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    windows: NDArray[np.bool_]
    origin_partition: NDArray[np.int32] | None = None
    origin_offset: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Input:
    """The events of a `Read`; row i of every column is event i.

    ``ts`` int64[n] is event time in ms, by which merged sources are merged (0 where it does not matter).
    Account events, trades and quotes come as ``rows``, every other topic as ``values``, raw JSON.
    """

    source: Source
    start: int
    end: int
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    windows: NDArray[np.bool_]
    ts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    """int64[n]: bytes of JSON of each event, for the limit on a record's size."""
    origin_partition: NDArray[np.int32]
    origin_offset: NDArray[np.int64]
    rows: Rows | None = None
    values: Sequence[bytes] = ()
    _marks: dict[tuple[int, int], MarkBatch] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.offsets)

    @staticmethod
    def of_rows(read: Read, record: NDArray[np.integer], rows: Rows) -> Input:
        """Decoded rows.

        ``record`` int[n] is the index of the record that each row came from, never falling.
        """
        if isinstance(rows, AccountBatch):
            sizes = np.asarray(rows.raw_end - rows.raw_start, dtype=np.int64)
        else:
            sizes = np.zeros(len(rows), dtype=np.int64)
        return _input(read, record, rows.ts, sizes, rows, ())

    @staticmethod
    def of_values(
        read: Read, record: NDArray[np.integer], values: Sequence[bytes], ts: NDArray[np.int64]
    ) -> Input:
        """Validated JSON; ``record`` int[n] as in `of_rows`, ``ts`` int64[n] the events' own time."""
        sizes = np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))
        return _input(read, record, ts, sizes, None, values)

    def segment(self, first: int, end: int) -> Segment:
        """Events ``first`` to ``end`` (exclusive) as a run for the core."""
        part = slice(first, end)
        return Segment(
            self.source,
            self.offsets[part],
            self.timestamps[part],
            self.origin_partition[part],
            self.origin_offset[part],
            self.rows.take(part) if isinstance(self.rows, AccountBatch) else None,
            list(self.values[part]),
        )

    def marks(self, first: int, end: int) -> MarkBatch:
        """Market rows ``first`` to ``end``, conflated; shards that take the same rows share the work."""
        key = (first, end)
        known = self._marks.get(key)
        if known is None:
            part = slice(first, end)
            match self.rows:
                case TradeBatch():
                    known = conflate_trades(self.rows.take(part), self.offsets[part])
                case QuoteBatch():
                    known = conflate_quotes(self.rows.take(part), self.offsets[part])
                case _:
                    raise TypeError(f"{self.source[0]} is no market data")
            self._marks[key] = known
        return known


def _input(
    read: Read,
    record: NDArray[np.integer],
    ts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    rows: Rows | None,
    values: Sequence[bytes],
) -> Input:
    offsets = read.offsets[record]
    if read.origin_partition is None or read.origin_offset is None:
        origin_partition = np.full(len(offsets), read.source[1], dtype=np.int32)
        origin_offset = offsets
    else:
        origin_partition, origin_offset = read.origin_partition[record], read.origin_offset[record]
    return Input(
        read.source,
        read.start,
        read.end,
        offsets,
        read.timestamps[record],
        read.windows[record],
        ts,
        sizes,
        origin_partition,
        origin_offset,
        rows,
        values,
    )
