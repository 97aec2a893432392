"""The mark of a security: rulebook 1.4 as a ladder over everything ever observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
SHANGHAI = timezone(timedelta(hours=8))
AUCTION_ENDS = time(9, 25)


def shanghai(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // 1000, tz=UTC).astimezone(SHANGHAI)


@dataclass
class Prices:
    """`observed` keeps every price seen with (ts, trade before quote, offset); the greatest is the latest."""

    day: date | None = None
    observed: dict[str, list[tuple[int, int, int, Decimal]]] = field(default_factory=dict)
    quotes: dict[str, list[tuple[int, int, Record]]] = field(default_factory=dict)
    references: dict[tuple[str, date], Record] = field(default_factory=dict)
    previous: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    carried: dict[str, Decimal] = field(default_factory=dict)
    latest: dict[str, Record] = field(default_factory=dict)
    """The newest reference record of each security."""
    suspended: dict[str, int] = field(default_factory=dict)
    """Sessions suspended, today included."""

    def trade(self, security: str, ts: int, price: Decimal, offset: int) -> None:
        self.observed.setdefault(security, []).append((ts, 1, offset, price))

    def quote(self, record: Record, offset: int) -> None:
        """`last` before 09:25 is the auction's virtual match and not a trade; 0 means none yet."""
        security, ts, last = record["security"], record["ts"], Decimal(str(record.get("last") or 0))
        if last > 0 and shanghai(ts).time() >= AUCTION_ENDS:
            self.observed.setdefault(security, []).append((ts, 0, offset, last))
        self.quotes.setdefault(security, []).append((ts, offset, record))

    def refer(self, record: Record) -> None:
        """A reference record that holds from its date on."""
        at = (record["security"], date.fromisoformat(record["date"]))
        self.references[at] = record
        if record.get("prev_close") is not None:
            self.previous[at] = Decimal(str(record["prev_close"]))
        self.latest[record["security"]] = record

    def newest_quote(self, security: str) -> Record:
        """The newest quote, if it is of today: conflation keeps no other."""
        ts, _, record = max(
            self.quotes.get(security, []), key=lambda quote: quote[:2], default=(0, 0, Record())
        )
        return record if ts and shanghai(ts).date() == self.day else {}

    def published(self, security: str, field_name: str) -> Decimal | None:
        """`prev_close`, `limit_up` or `limit_down` of today: the newest quote's, else the reference's."""
        quoted = self.newest_quote(security).get(field_name)
        if quoted is not None and Decimal(str(quoted)) > 0:
            return Decimal(str(quoted))
        if self.day is None:
            return None
        if field_name == "prev_close":
            return self.previous.get((security, self.day))
        said = self.references.get((security, self.day), {}).get(field_name)
        return None if said is None else Decimal(str(said))

    def last(self, security: str) -> Decimal | None:
        """The latest price observed today."""
        seen = self.observed.get(security)
        latest = max(seen) if seen else None
        return latest[3] if latest and shanghai(latest[0]).date() == self.day else None

    def mark(self, security: str) -> Decimal | None:
        """Last trade of the day, else the previous close, else the close carried over, else nothing.

        Of a quote's fields only the newest quote's are known: conflation keeps no other.
        """
        begun = [seen for seen in self.observed.get(security, []) if self._has_begun(seen[0])]
        if begun:
            latest = max(begun)
            if self.day is None or shanghai(latest[0]).date() == self.day:
                return latest[3]
        previous = self.newest_quote(security).get("prev_close")
        if previous is not None:
            return Decimal(str(previous))
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
        """The valuation in force (1.4), and the fair price given with it.

        A published one wins; what is to be delisted, or was suspended more than 30 sessions, counts nothing.
        """
        record = self.latest.get(security, {})
        fair = None if record.get("fair_price") is None else Decimal(str(record["fair_price"]))
        if record.get("valuation") is not None:
            return record["valuation"], fair
        gone = record.get("delisting") or self.suspended.get(security, 0) > 30
        return ("exclude" if gone else "last"), fair

    def begin(self, day: date) -> None:
        known = {*self.observed, *self.carried, *self.quotes, *(security for security, _ in self.previous)}
        closes = {security: self.mark(security) for security in known}
        self.carried = {security: price for security, price in closes.items() if price is not None}
        self.day = day
