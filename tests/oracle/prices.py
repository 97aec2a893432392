"""The mark of a security: rulebook 1.4 as a ladder over everything ever observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

SHANGHAI = timezone(timedelta(hours=8))
AUCTION_ENDS = time(9, 25)


def shanghai(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // 1000, tz=UTC).astimezone(SHANGHAI)


@dataclass
class Prices:
    """`observed` keeps every price seen with (ts, trade before quote, offset); the greatest is the latest."""

    day: date | None = None
    observed: dict[str, list[tuple[int, int, int, Decimal]]] = field(default_factory=dict)
    quotes: dict[str, list[tuple[int, int, Decimal | None]]] = field(default_factory=dict)
    previous: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    carried: dict[str, Decimal] = field(default_factory=dict)
    valuation: dict[tuple[str, date], tuple[str, Decimal | None]] = field(default_factory=dict)

    def trade(self, security: str, ts: int, price: Decimal, offset: int) -> None:
        self.observed.setdefault(security, []).append((ts, 1, offset, price))

    def quote(self, security: str, ts: int, last: Decimal, prev_close: Decimal | None, offset: int) -> None:
        """`last` before 09:25 is the auction's virtual match and not a trade; 0 means none yet."""
        at = shanghai(ts)
        if last > 0 and at.time() >= AUCTION_ENDS:
            self.observed.setdefault(security, []).append((ts, 0, offset, last))
        self.quotes.setdefault(security, []).append((ts, offset, prev_close))

    def mark(self, security: str) -> Decimal | None:
        """Last trade of the day, else the previous close, else the close carried over, else nothing.

        Of a quote's fields only the newest quote's are known: conflation keeps no other.
        """
        begun = [seen for seen in self.observed.get(security, []) if self._has_begun(seen[0])]
        if begun:
            latest = max(begun)
            if self.day is None or shanghai(latest[0]).date() == self.day:
                return latest[3]
        newest = max(self.quotes.get(security, []), key=lambda quote: quote[:2], default=None)
        if newest is not None and newest[2] is not None and shanghai(newest[0]).date() == self.day:
            return newest[2]
        if self.day is not None and (security, self.day) in self.previous:
            return self.previous[security, self.day]
        return self.carried.get(security)

    def _has_begun(self, ts: int) -> bool:
        """Prices of a later date wait for that day."""
        return self.day is None or shanghai(ts).date() <= self.day

    def collateral_price(self, security: str) -> Decimal | None:
        """What a holding counts at: the mark unless another valuation is in force (1.4, `px.special`)."""
        policy, fair = self.policy(security)
        if policy == "exclude":
            return Decimal(0)
        if policy in ("manual", "index_adjusted") and fair is not None:
            return fair
        return self.mark(security)

    def policy(self, security: str) -> tuple[str, Decimal | None]:
        """The valuation in force, and the fair price given with it."""
        said = [on for name, on in self.valuation if name == security and self.day and on <= self.day]
        return self.valuation[security, max(said)] if said else ("last", None)

    def begin(self, day: date) -> None:
        known = {*self.observed, *self.carried, *self.quotes, *(security for security, _ in self.previous)}
        closes = {security: self.mark(security) for security in known}
        self.carried = {security: price for security, price in closes.items() if price is not None}
        self.day = day
