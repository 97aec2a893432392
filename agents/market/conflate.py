"""Conflation: runs of trades and quotes become one row of marks per security.

Kept apart, per security, are the price (the latest observation) and the other fields of the newest quote,
so that a trade newer than a quote drops neither a limit nor a halt (design, protocol rule 12). An
observation is a trade, or a quote with `last` > 0 at or after 09:25 in Shanghai: before that `last` is the
virtual match of the call auction (集合竞价) and not a trade (rulebook 1.4). Of two observations the greater
(ts, trade over quote, offset) is the later. Taking the later one is associative, commutative and
idempotent: marks may be split, joined and repeated at will.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.batches import ABSENT, MARK_QUOTE_FIELDS, MarkBatch, QuoteBatch, TradeBatch
from schemas.units import DAY_MS, MINUTE_MS, SHANGHAI_OFFSET_MS

AUCTION_MATCHED_MS = (9 * 60 + 25) * MINUTE_MS
"""09:25, when the opening auction is matched, in milliseconds after midnight in Shanghai."""

FROM_QUOTE, FROM_TRADE = 0, 1

_PRICE_FIELDS = ("price", "price_ts", "price_kind", "price_offset")
_QUOTE_FIELDS = ("quote_ts", "quote_offset", *MARK_QUOTE_FIELDS)


def conflate_trades(trades: TradeBatch, offsets: NDArray[np.int64]) -> MarkBatch:
    """Marks of trades of one partition; ``offsets`` int64[n] are the records' offsets, never falling."""
    rows, codes = _latest(trades.security, trades.ts)
    marks = _empty(trades.securities, codes)
    _set_price(marks, slice(None), trades.price[rows], trades.ts[rows], FROM_TRADE, offsets[rows])
    return marks


def conflate_quotes(quotes: QuoteBatch, offsets: NDArray[np.int64]) -> MarkBatch:
    """Marks of quotes of one partition; ``offsets`` int64[n] are the records' offsets, never falling."""
    rows, codes = _latest(quotes.security, quotes.ts)
    marks = _empty(quotes.securities, codes)
    marks.quote_ts[:] = quotes.ts[rows]
    marks.quote_offset[:] = offsets[rows]
    for name in MARK_QUOTE_FIELDS:
        marks.column(name)[:] = quotes.column(name)[rows]
    since_midnight = (quotes.ts + SHANGHAI_OFFSET_MS) % DAY_MS
    observed = np.flatnonzero((quotes.last > 0) & (since_midnight >= AUCTION_MATCHED_MS))
    if len(observed):
        chosen, with_price = _latest(quotes.security[observed], quotes.ts[observed])
        source = observed[chosen]
        at = np.searchsorted(codes, with_price)
        _set_price(marks, at, quotes.last[source], quotes.ts[source], FROM_QUOTE, offsets[source])
    return marks


def merge_marks(parts: Sequence[MarkBatch]) -> MarkBatch:
    """The later price and the newer quote of each security over all parts."""
    if len(parts) == 1:
        return parts[0]
    joined = MarkBatch.concat(parts)
    codes = np.unique(joined.security)
    marks = _empty(joined.securities, codes)
    _take_greatest(marks, codes, joined, _PRICE_FIELDS, ("price_offset", "price_kind", "price_ts"))
    _take_greatest(marks, codes, joined, _QUOTE_FIELDS, ("quote_offset", "quote_ts"))
    return marks


def _latest(security: NDArray[np.int32], ts: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Row of the latest (ts, then arrival) of each security, and the securities' codes in rising order."""
    order = np.lexsort((ts, security))
    last = order[_ends(security[order])]
    return last, security[last]


def _ends(sorted_codes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where a run of equal codes ends."""
    ends = np.ones(len(sorted_codes), dtype=np.bool_)
    ends[:-1] = sorted_codes[1:] != sorted_codes[:-1]
    return ends


def _take_greatest(
    marks: MarkBatch,
    codes: NDArray[np.int32],
    joined: MarkBatch,
    fields: Sequence[str],
    keys: Sequence[str],
) -> None:
    """Set ``fields`` of each security from its row with the greatest ``keys`` (the last one weighs most)."""
    rows = np.flatnonzero(joined.column(keys[-1]) != ABSENT)
    order = rows[np.lexsort((*(joined.column(key)[rows] for key in keys), joined.security[rows]))]
    chosen = order[_ends(joined.security[order])]
    at = np.searchsorted(codes, joined.security[chosen])
    for name in fields:
        marks.column(name)[at] = joined.column(name)[chosen]


def _empty(names: list[str], codes: NDArray[np.int32]) -> MarkBatch:
    """Marks without any observation of the securities ``codes``, to whose names the pool is cut down."""
    columns = {name: np.full(len(codes), ABSENT) for name in MarkBatch.COLUMNS}
    columns["security"] = np.arange(len(codes))
    return MarkBatch.build([names[code] for code in codes.tolist()], columns)


def _set_price(
    marks: MarkBatch,
    at: slice | NDArray[np.intp],
    price: NDArray[np.int64],
    ts: NDArray[np.int64],
    kind: int,
    offsets: NDArray[np.int64],
) -> None:
    marks.price[at] = price
    marks.price_ts[at] = ts
    marks.price_kind[at] = kind
    marks.price_offset[at] = offsets
