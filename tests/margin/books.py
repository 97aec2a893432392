"""Short ways to write down an account and its events for tests of the margin core."""

from __future__ import annotations

from typing import Any

from agents import Book
from schemas.units import day_start, parse_day

Record = dict[str, Any]
DAYS = ("2025-04-07", "2025-04-08", "2025-04-09", "2025-04-10")
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = DAYS
BANK, CHIPS = "600000.SH", "688981.SH"


def at(day: str, clock: str) -> int:
    """ms of a Shanghai time of day such as 09:31."""
    hours, minutes = clock.split(":")
    return day_start(parse_day(day)) + (int(hours) * 60 + int(minutes)) * 60_000


def opening(
    cash: str = "0", held: dict[str, int] | None = None, owes: str | None = None, **more: Any
) -> Record:
    """An account's book on Monday at 09:20; `owes`: principal of a financing contract F."""
    contract = {
        "contract": "F",
        "type": "financing",
        "security": BANK,
        "opened": MONDAY,
        "qty": 100,
        "price": "1",
    }
    contracts = [] if owes is None else [contract | {"price": "1", "principal": owes, "rate": "0"}]
    positions = [{"security": security, "qty": qty} for security, qty in (held or {}).items()]
    record = {"account": "A1", "ts": at(MONDAY, "09:20"), "id": "opening", "kind": "opening", "cash": cash}
    return record | {"positions": positions, "contracts": contracts} | more


class Diary:
    """A book whose events need no more than what they are about; ids and times follow one another."""

    def __init__(self, liquidation: str = "propose", **settings: Any) -> None:
        self.book = Book(liquidation, **settings)
        self.day, self.ts, self.count = MONDAY, at(MONDAY, "09:00"), 0

    def at(self, day: str, clock: str) -> Diary:
        self.day, self.ts = day, at(day, clock)
        return self

    def event(self, kind: str, account: str = "A1", **fields: Any) -> list[Record]:
        self.count += 1
        self.ts += 1000
        record = {"account": account, "ts": self.ts, "id": f"e{self.count}", "kind": kind}
        return self.book.event(record | fields)

    def fill(self, business: str, security: str, qty: int, price: str, **more: Any) -> list[Record]:
        return self.event("fill", business=business, security=security, qty=qty, price=price, **more)

    def price(self, security: str, price: str) -> list[Record]:
        self.ts += 1000
        return self.book.price(security, price, self.ts)

    def session(self, phase: str, market: str = "ALL") -> list[Record]:
        self.ts += 1000
        return self.book.session(phase, self.day, self.ts, market)

    def command(self, word: str, **fields: Any) -> list[Record]:
        self.count += 1
        self.ts += 1000
        record = {"id": f"c{self.count}", "ts": self.ts, "by": "op", "command": word, "account": "A1"}
        return self.book.command(record | fields)

    def events(self, said: list[Record] | None = None) -> list[str]:
        """Events of margin.calls, in order."""
        records = self.book.alerts("margin.calls") if said is None else said
        return [record["event"] for record in records if "step" in record]

    def account(self, name: str = "A1") -> Record:
        return self.book.account(name)
