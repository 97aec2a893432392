"""What was seen of a security, and what it is worth: rulebook 1.4 over rows in order of time.

Nothing of the project is used here: decimals, dates and a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

SHANGHAI = timezone(timedelta(hours=8))
AUCTION_ENDS = time(9, 25)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Observation:
    """A trade, or the last price that a quote names; `ts` in ms since the epoch, price in yuan."""

    security: str
    ts: int
    price: Decimal
    traded: bool


def moment(day: date, clock: time) -> int:
    """Milliseconds since the epoch of a Shanghai time."""
    return (datetime.combine(day, clock, SHANGHAI) - EPOCH) // timedelta(milliseconds=1)


def clock_of(ts: int) -> str:
    return (EPOCH + timedelta(milliseconds=ts)).astimezone(SHANGHAI).strftime("%H:%M:%S")


@dataclass
class Ladder:
    """Last trade of the day, else the previous close, else nothing.

    What a quote calls its last price before 09:25 is the auction's virtual match, and 0 means that there was
    none; neither is a trade.
    """

    rows: list[Observation]
    day: date
    previous: Mapping[str, Decimal] = field(default_factory=dict)
    _last: dict[str, Decimal] = field(default_factory=dict)
    _next: int = 0

    @classmethod
    def of(cls, rows: Iterable[Observation], day: date, previous: Mapping[str, Decimal]) -> Ladder:
        """Rows of equal time keep the order in which they arrived: the later one counts."""
        return cls(sorted(rows, key=lambda row: row.ts), day, previous)

    def advance(self, ts: int) -> None:
        """Look at everything up to and including `ts`."""
        auction_ends = moment(self.day, AUCTION_ENDS)
        while self._next < len(self.rows) and self.rows[self._next].ts <= ts:
            row = self.rows[self._next]
            self._next += 1
            if row.traded or (row.price > 0 and row.ts >= auction_ends):
                self._last[row.security] = row.price

    @property
    def seen(self) -> int:
        """Rows looked at."""
        return self._next

    def mark(self, security: str) -> Decimal | None:
        return self._last.get(security, self.previous.get(security))
