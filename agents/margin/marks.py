"""Marks into the books: names to rows, then one kernel call a batch."""

from __future__ import annotations

import numpy as np

from agents.books.observed import take_marks
from agents.margin.desk import Desk
from schemas.batches import MarkBatch


def absorb(desk: Desk, marks: MarkBatch) -> None:
    """Takes a batch of marks; market time becomes the newest observation's."""
    if not len(marks):
        return
    books = desk.books
    rows = np.array([books.security(name) for name in marks.securities], dtype=np.int32)
    take_marks(marks, rows, books.day, books.holders())
    newest = max(int(marks.price_ts.max()), int(marks.quote_ts.max()))
    desk.calendar.market_ts = max(desk.calendar.market_ts, newest)
