"""What is said of each security: the newest reference record, and what counts sessions or weeks from it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle import haircuts
from tests.oracle.amounts import ZERO, money

Record = dict[str, Any]
LASTING = (
    "haircut",
    "financing_margin",
    "lending_margin",
    "adv_20",
    "pe_static",
    "float_shares",
    "lendable_qty",
    "financing",
    "lending",
)
"""What a reference record that does not name it leaves as it was."""


class Listings:
    """`records` by security; `suspended` sessions, today included; `pe` by the weekly review."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.suspended: dict[str, int] = {}
        self.suspended_from: dict[str, int] = {}
        self.pe: dict[str, Decimal | None] = {}
        self.published: list[Record] = []

    def take(self, record: Record) -> bool:
        """Whether it is no older than what is known."""
        before = self.records.get(record["security"], {})
        if before and before["date"] > record["date"]:
            return False
        kept = {name: before[name] for name in LASTING if name in before}
        if record.get("st") or record.get("delisting"):
            kept |= {"financing": False, "lending": False}  # off the lists that day (rulebook 10)
        self.records[record["security"]] = kept | record
        return True

    def of(self, security: str) -> Record:
        return self.records.get(security, {})

    def suspension(self, security: str) -> tuple[bool, date | None]:
        """Whether it is suspended, and since when if that was told."""
        since = self.of(security).get("suspended_since")
        return bool(self.of(security).get("suspended")), None if since is None else date.fromisoformat(since)

    def begin_day(self) -> None:
        """What trades again is counted anew when it is suspended again."""
        for security, record in self.records.items():
            if not record.get("suspended"):
                self.suspended_from.pop(security, None)

    def lend_on(self, flows: list[dict[tuple[str, str], Decimal]]) -> None:
        """What was sold short is lent out until somebody says what there is; what came back is not."""
        for security, record in self.records.items():
            if record.get("lendable_qty") is not None:
                sold = sum((own.get(("short_sales", security), ZERO) for own in flows), ZERO)
                back = sum((own.get(("returns", security), ZERO) for own in flows), ZERO)
                record["lendable_qty"] = max(ZERO, record["lendable_qty"] - sold + back)

    def review(self, day: date, days: list[date]) -> None:
        """Sessions of suspensions; and P/E, which is reviewed once a week on its first session."""
        for security, record in self.records.items():
            sessions = 0
            suspended, since = self.suspension(security)
            if suspended:
                first = self.suspended_from.setdefault(security, max(0, len(days) - 1))
                if since is not None:
                    first = self.suspended_from[security] = min(first, sum(d < since for d in days))
                sessions = len(days) - first
            self.suspended[security] = sessions
            pe = record.get("pe_static")
            if first_session_of_week(day, days) or self.pe.get(security) is None:
                self.pe[security] = None if pe is None else money(pe)

    def haircut(self, security: str, day: date) -> Decimal:
        record = self.records.get(security)
        if record is None:
            return ZERO
        return haircuts.effective(record, day, self.pe[security], self.suspended[security])

    def collateral_share(self, security: str, day: date) -> Decimal | None:
        """What was published for an earlier day, the latest of them."""
        told = [
            (record["date"], place, record["collateral_share"])
            for place, record in enumerate(self.published)
            if record["security"] == security and date.fromisoformat(record["date"]) < day
        ]
        return money(max(told)[2]) if told else None


def first_session_of_week(day: date, days: list[date]) -> bool:
    """Before the rule there is no review: what is said counts at once."""
    monday = day - timedelta(days=day.weekday())
    earlier = [d for d in days if d < day]
    return day < haircuts.PE_SINCE or (day in days and (not earlier or earlier[-1] < monday))
