"""Closing prices and reference facts of securities, as the financing core sees them.

Marks follow the same rule, columns and kernel as in the shards' books (`agents.books.securities`), without
any holders.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.books.ex_dates import ExDates
from agents.books.observed import take_marks
from agents.books.securities import Securities
from agents.core import Snapshot
from agents.kernels.layout import HOT_WIDTH, MARK, VALUE
from schemas import decode, encode
from schemas.batches import MarkBatch
from schemas.reference import CorporateAction, SecurityReference
from schemas.topics import REFERENCE_SECURITIES

NO_DAY = -1
"""No day is known yet."""

_TABLE = "closes"
_FACTS = "closes.facts"


def _no_holders(securities: int) -> tuple[NDArray[Any], ...]:
    """Holders' arrays for `observe`, when nobody holds anything."""
    quantities, rows = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    start, count = np.zeros(securities, dtype=np.int64), np.zeros(securities, dtype=np.int32)
    hot, flag = np.zeros((0, HOT_WIDTH), dtype=np.int64), np.zeros(0, dtype=np.uint8)
    return start, count, rows, quantities, quantities, hot, flag, rows, np.zeros(1, dtype=np.int32)


class Closes:
    """Marks per security, and kind and float shares from reference data. References of a later date wait
    for that day.
    """

    def __init__(self) -> None:
        self.day = NO_DAY
        self._securities = Securities()
        self._float: dict[str, tuple[int, int]] = {}
        self._waiting: list[SecurityReference] = []
        self._ex_dates = ExDates()

    def _row(self, security: str) -> int:
        row = self._securities.index.get(security)
        return self._securities.add(security) if row is None else row

    def begin_day(self, day: int) -> None:
        """Move to `day`: what waited for it is taken, marks become those of the day."""
        due = [reference for reference in self._waiting if reference.date <= day]
        self._waiting = [reference for reference in self._waiting if reference.date > day]
        before = day - 1 if self.day == NO_DAY else self.day
        self.day = day
        self._securities.begin_day(day)
        for reference in due:
            self._take(reference)
        self._ex_dates.go_ex(self._securities, self._ex_dates.begin_day(before, day), day)
        self._remark()

    def refer(self, references: Iterable[SecurityReference]) -> None:
        """Take reference data; of a later date than today's, when that day begins."""
        for reference in references:
            if self.day == NO_DAY or reference.date > self.day:
                self._waiting.append(reference)
            else:
                self._take(reference)
        self._remark()

    def act(self, actions: Iterable[CorporateAction]) -> None:
        """Take corporate actions: on the ex-date a close from before is adjusted (rulebook 11)."""
        news = [action for action in actions if self._ex_dates.take(action) and action.ex_date == self.day]
        self._ex_dates.go_ex(self._securities, news, self.day)
        self._remark()

    def _take(self, reference: SecurityReference) -> None:
        self._securities.refer(self._row(reference.security), reference, self.day)
        since = self._float.get(reference.security, (0, NO_DAY))[1]
        if reference.float_shares is not None and reference.date >= since:
            self._float[reference.security] = (reference.float_shares, reference.date)

    def _remark(self) -> None:
        mark, value = self._securities.marks(self.day)
        table = self._securities.used("table")
        table[:, MARK], table[:, VALUE] = mark, value

    def observe(self, marks: MarkBatch) -> None:
        """Take newer observations; an older one never replaces a newer."""
        rows = np.array([self._row(name) for name in marks.securities], dtype=np.int32)
        table = self._securities.array("table")
        take_marks(marks, rows, self.day, (table, *_no_holders(self._securities.rows)))

    def marks(self) -> dict[str, int]:
        """Every security's mark of this moment, milli; without those that never had a price."""
        column = self._securities.used("table")[:, MARK].tolist()
        return {name: mark for name, mark in zip(self._securities.names, column, strict=True) if mark >= 0}

    def kind(self, security: str) -> str:
        """Kind of a security; `stock` where no reference record says it."""
        row = self._securities.index.get(security)
        return "stock" if row is None else self._securities.kind(row)

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
        state = {**self._securities.snapshot(_TABLE), **self._ex_dates.snapshot(_TABLE)}
        return {**state, _FACTS: orjson.dumps(facts)}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become what `snapshot` described."""
        facts = orjson.loads(bytes(snapshot[_FACTS]))
        self._securities = Securities()
        self._securities.restore(_TABLE, snapshot)
        self._ex_dates.restore(_TABLE, snapshot)
        self.day = facts["day"]
        self._float = {security: (shares, since) for security, (shares, since) in facts["float"].items()}
        self._waiting = [decode(REFERENCE_SECURITIES, text.encode()) for text in facts["waiting"]]
