"""A day of trading for tests of forced liquidation: short ways to quote, open and look at orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from agents import Book
from agents.core import Segment
from schemas.units import day_start, parse_day

Record = dict[str, Any]
DAY, NEXT = "2025-04-07", "2025-04-08"
BANK, CHIPS, SHENZHEN = "600000.SH", "688981.SH", "000001.SZ"


def at(day: str, clock: str) -> int:
    """ms of a Shanghai time of day such as 09:31 or 09:31:30."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return day_start(parse_day(day)) + ((hours * 60 + minutes) * 60 + sum(seconds)) * 1000


class Floor:
    """One shard. Preset D: immediate below 1.15, in real time; target 1.50."""

    def __init__(
        self, liquidation: str = "auto", day: str = DAY, clock: str | None = "09:30", **more: Any
    ) -> None:
        self.book = Book(liquidation, **more)
        self.day, self.count = day, 0
        self.session("pre_open", "09:00")
        if clock is not None:
            self.session("continuous", clock)

    def session(self, phase: str, clock: str, market: str = "ALL") -> list[Record]:
        return self.book.session(phase, self.day, at(self.day, clock), market)

    def clock(self, clock: str) -> list[Record]:
        """Market time goes on."""
        return self.session("clock", clock)

    def next_day(self, day: str = NEXT) -> None:
        """Settles, and begins another day before its first continuous trading."""
        self.session("settled", "16:00")
        self.day = day
        self.session("pre_open", "09:00")

    def facts(self, security: str = BANK, **more: Any) -> None:
        record = {"security": security, "date": self.day, "kind": "stock", "board": "main"}
        self.book.reference("reference.securities", record | more)

    def firm_held(self, security: str, qty: int) -> None:
        """What all credit accounts of the firm held at the last settled day."""
        record = {"id": "t", "ts": 1, "date": "2025-04-04", "part": 0, "securities": {security: [qty, None]}}
        nothing, offset = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int64)
        segment = Segment(("firm.totals", 0), offset, offset, nothing, offset, values=[orjson.dumps(record)])
        self.book.core.apply_events(segment)

    def quote(self, security: str, clock: str, last: str, volume: int | None = None, **more: Any) -> None:
        record = {"security": security, "ts": at(self.day, clock), "last": last}
        if volume is not None:
            record["volume"] = volume
        self.book.quote(record | more)

    def opens(
        self,
        owes: str,
        *,
        held: dict[str, int],
        clock: str = "09:30:01",
        account: str = "A1",
        cash: str = "0",
        **more: Any,
    ) -> list[Record]:
        """An account with one financing contract."""
        contract = {
            "contract": "F",
            "type": "financing",
            "security": BANK,
            "opened": self.day,
            "qty": 100,
            "price": "1",
            "principal": owes,
            "rate": "0",
        }
        record = {"account": account, "ts": at(self.day, clock), "id": "opening", "kind": "opening"}
        positions = [{"security": security, "qty": qty} for security, qty in held.items()]
        book = {"cash": cash, "positions": positions, "contracts": [contract], "preset": "D"}
        return self.book.event(record | book | more)

    def event(self, kind: str, clock: str, account: str = "A1", **fields: Any) -> list[Record]:
        self.count += 1
        record = {"account": account, "ts": at(self.day, clock), "id": f"e{self.count}", "kind": kind}
        return self.book.event(record | fields)

    def fill(self, order: Record, clock: str, **more: Any) -> list[Record]:
        """The whole of an order at its expected price."""
        names = ("business", "security", "qty", "account")
        price = {"price": order["expected_price"], "order": order["id"]}
        return self.event("fill", clock, **{name: order[name] for name in names} | price | more)

    def command(self, word: str, clock: str, **fields: Any) -> list[Record]:
        self.count += 1
        record = {"id": f"c{self.count}", "ts": at(self.day, clock), "by": "op", "command": word}
        return self.book.command(record | {"account": "A1"} | fields)

    def orders(self, said: list[Record] | None = None) -> list[Record]:
        """Sales and covers."""
        records = self.book.alerts("liquidation.orders") if said is None else said
        return [record for record in records if record.get("forced") and record.get("security")]

    def sold(self, said: list[Record] | None = None) -> list[tuple[str, int]]:
        return [(order["security"], order["qty"]) for order in self.orders(said)]

    def held(self) -> dict[str, int]:
        """Shares of the account now."""
        return {item["security"]: item["qty"] for item in self.book.account("A1")["evidence"]["positions"]}

    def plans(self, said: list[Record] | None = None) -> list[Record]:
        records = self.book.alerts("liquidation.orders") if said is None else said
        return [record for record in records if record.get("event") == "plan"]

    def events(self) -> list[str]:
        return [record["event"] for record in self.book.alerts("margin.calls")]

    def told(self, kind: str) -> list[Record]:
        return [record for record in self.book.alerts("system.events") if record["kind"] == kind]
