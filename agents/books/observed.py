"""A batch of marks into a table of securities: one kernel call, for a shard's books and the firm's closes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.kernels.valuation import observe
from schemas.batches import MARK_QUOTE_FIELDS, MarkBatch


def take_marks(
    marks: MarkBatch, rows: NDArray[np.int32], day: int, holders: tuple[NDArray[Any], ...]
) -> None:
    """Newer observations are taken, an older one never replaces a newer. `rows` int32: the table's row of
    each security of the batch's pool; `day` as of `observe`; `holders`: its last arguments, the table and
    who holds.
    """
    quote = np.empty((len(marks), len(MARK_QUOTE_FIELDS)), dtype=np.int64)
    for column, name in enumerate(MARK_QUOTE_FIELDS):
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
        day,
        *holders,
    )
