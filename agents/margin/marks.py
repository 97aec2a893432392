"""Marks into the books: names to rows, then one kernel call a batch."""

from __future__ import annotations

import numpy as np

from agents.kernels.valuation import observe
from agents.margin.desk import Desk
from schemas.batches import MarkBatch

_QUOTE = (
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


def absorb(desk: Desk, marks: MarkBatch) -> None:
    """Takes a batch of marks; market time becomes the newest observation's."""
    if not len(marks):
        return
    books = desk.books
    rows = np.array([books.security(name) for name in marks.securities], dtype=np.int32)
    quote = np.empty((len(marks), len(_QUOTE)), dtype=np.int64)
    for column, name in enumerate(_QUOTE):
        quote[:, column] = marks.column(name)
    observe(
        rows[marks.security],
        marks.price,
        marks.price_ts,
        marks.price_kind,
        marks.price_offset,
        marks.quote_ts,
        marks.quote_offset,
        quote,
        books.day,
        *books.holders(),
    )
    newest = max(int(marks.price_ts.max()), int(marks.quote_ts.max()))
    desk.calendar.market_ts = max(desk.calendar.market_ts, newest)
