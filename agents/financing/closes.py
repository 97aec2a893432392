"""Closing prices and reference facts of securities, as the financing core sees them.

Marks follow the same rule, the same columns and the same kernel as the shards' books: here they are books
without accounts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from agents.books.book import NO_DAY, Books
from agents.core import Snapshot
from agents.kernels.layout import MARK
from agents.kernels.valuation import observe
from schemas import decode, encode
from schemas.batches import MarkBatch
from schemas.reference import SecurityReference

_QUOTE = ("prev_close", "limit_up", "limit_down", "halted", "bid_price", "bid_qty", "ask_price", "ask_qty")
_TABLE = "closes"
_FACTS = "closes.facts"
_REFERENCE = "reference.securities"


class Closes:
    """Marks per security, and kind and float shares from reference data. References of a later date wait
    for that day.
    """

    def __init__(self) -> None:
        self._books = Books()
        self._float: dict[str, tuple[int, int]] = {}
        self._waiting: list[SecurityReference] = []

    @property
    def day(self) -> int:
        """The current day number, -1 before any is known."""
        return self._books.day

    def begin_day(self, day: int) -> None:
        """Move to `day`: what waited for it is taken, marks become those of the day."""
        due = [reference for reference in self._waiting if reference.date <= day]
        self._waiting = [reference for reference in self._waiting if reference.date > day]
        self._books.begin_day(day)
        for reference in due:
            self._take(reference)
        self._books.remark()

    def refer(self, reference: SecurityReference) -> None:
        """Take reference data; of a later date than today's, when that day begins."""
        if self.day == NO_DAY or reference.date > self.day:
            self._waiting.append(reference)
            return
        self._take(reference)
        self._books.remark([self._books.security(reference.security)])

    def _take(self, reference: SecurityReference) -> None:
        row = self._books.security(reference.security)
        self._books.securities.refer(row, reference, self.day)
        since = self._float.get(reference.security, (0, NO_DAY))[1]
        if reference.float_shares is not None and reference.date >= since:
            self._float[reference.security] = (reference.float_shares, reference.date)

    def observe(self, marks: MarkBatch) -> None:
        """Take newer observations; an older one never replaces a newer."""
        names = [self._books.security(name) for name in marks.securities]
        ids = np.asarray(names, dtype=np.int32)[marks.security]
        quote = np.column_stack([marks.column(name).astype(np.int64) for name in _QUOTE])
        observe(
            ids,
            marks.price,
            marks.price_ts,
            marks.price_kind,
            marks.price_offset,
            marks.quote_ts,
            marks.quote_offset,
            np.ascontiguousarray(quote),
            self.day,
            *self._books.holders(),
        )

    def marks(self) -> dict[str, int]:
        """Every security's mark of this moment, milli; without those that never had a price."""
        securities = self._books.securities
        column = securities.used("table")[:, MARK].tolist()
        return {name: mark for name, mark in zip(securities.names, column, strict=True) if mark >= 0}

    def kind(self, security: str) -> str:
        """Kind of a security; `stock` where no reference record says it."""
        row = self._books.securities.index.get(security)
        return "stock" if row is None else self._books.securities.kind(row)

    def float_shares(self, security: str) -> int | None:
        """Tradable float shares by the newest reference record that gives them."""
        found = self._float.get(security)
        return found[0] if found else None

    def snapshot(self) -> Snapshot:
        """Columns of the marks, and the facts beside them."""
        facts = {
            "day": self.day,
            "float": self._float,
            "waiting": [encode(reference).decode() for reference in self._waiting],
        }
        return {**self._books.securities.snapshot(_TABLE), _FACTS: orjson.dumps(facts)}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become what `snapshot` described."""
        facts = orjson.loads(bytes(snapshot[_FACTS]))
        books = Books()
        books.securities.restore(_TABLE, snapshot)
        books.positions.by_security.append(books.securities.rows)
        books.day = facts["day"]
        self._books = books
        self._float = {security: (shares, since) for security, (shares, since) in facts["float"].items()}
        self._waiting = [decode(_REFERENCE, text.encode()) for text in facts["waiting"]]
