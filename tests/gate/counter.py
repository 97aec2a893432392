"""A counter that hands in requests and hears decisions: short ways to write them down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents import Book
from agents.rules.schedule import Schedule, built_in
from schemas.units import day_start, parse_day

Record = dict[str, Any]
BANK, CHIPS, GROWTH, NORTH, INDEX_FUND = "600000.SH", "688981.SH", "300750.SZ", "430047.BJ", "510300.SH"
MILLION = "1000000"


def at(day: str, clock: str) -> int:
    """ms of a Shanghai time of day such as 09:31."""
    hours, minutes = clock.split(":")
    return day_start(parse_day(day)) + (int(hours) * 60 + int(minutes)) * 60_000


class Counter:
    """A book on one day, in continuous trading unless told otherwise; ids and times follow one another."""

    def __init__(self, day: str, rules: Schedule | None = None, liquidation: str = "propose") -> None:
        self.book = Book(liquidation, rules=rules or built_in())
        self.day, self.count, self.ts = day, 0, at(day, "08:30")

    def _next(self) -> int:
        self.count += 1
        self.ts += 1000
        return self.ts

    def security(self, security: str = BANK, **more: Any) -> None:
        """A share on every list, with 0.65 for haircut and a previous close of 10.00."""
        board = {"688": "star", "300": "chinext"}.get(security[:3], "main")
        record = {
            "security": security,
            "date": self.day,
            "kind": "stock",
            "board": "bse" if security.endswith(".BJ") else board,
            "prev_close": "10.00",
            "haircut": "0.65",
            "financing": True,
            "lending": True,
        }
        self.book.reference("reference.securities", record | more)

    def open(self, account: str = "A1", cash: str = MILLION, **more: Any) -> None:
        """An account with this book; positions and contracts are given as in the contract."""
        record = {"account": account, "ts": self._next(), "id": f"o{self.count}", "kind": "opening"}
        self.book.event(record | {"cash": cash, "positions": [], "contracts": []} | more)

    def event(self, kind: str, account: str = "A1", **fields: Any) -> list[Record]:
        record = {"account": account, "ts": self._next(), "id": f"e{self.count}", "kind": kind}
        return self.book.event(record | fields)

    def session(self, phase: str, day: str | None = None) -> list[Record]:
        if day is not None and day != self.day:
            self.day, self.ts = day, at(day, "08:30")
        self._next()
        return self.book.session(phase, self.day, self.ts)

    def trading(self, day: str | None = None) -> Counter:
        """The day begins and trades continuously."""
        self.session("pre_open", day)
        self.ts = at(self.day, "09:30")
        self.session("continuous")
        return self

    def price(self, price: str, security: str = BANK) -> None:
        self.book.price(security, price, self._next())

    def ask(self, business: str, account: str = "A1", **fields: Any) -> Record:
        """A request; its decision."""
        record: Record = {
            "account": account,
            "ts": self._next(),
            "id": f"r{self.count}",
            "business": business,
        }
        if business not in ("withdraw_cash", "repay"):
            record["security"] = BANK
        if business not in ("withdraw_cash", "repay", "withdraw_security"):
            record["order_type"] = "limit" if "price" in fields else "market"
        return self.book.order(record | fields)

    def says(self, business: str, **fields: Any) -> tuple[str, Any]:
        """Decision and limit of a request."""
        decision = self.ask(business, **fields)
        return decision["decision"], decision["limit"]

    def why(self, business: str, **fields: Any) -> str:
        """accept, or the name of the rule that refuses."""
        decision = self.ask(business, **fields)
        return "accept" if decision["decision"] == "accept" else decision["rule"].partition("@")[0]


def position(security: str, qty: int) -> Record:
    return {"security": security, "qty": qty}


def contract(name: str, security: str, opened: str, qty: int, price: str, **more: Any) -> Record:
    """A financing contract without interest."""
    record = {"contract": name, "type": "financing", "security": security, "opened": opened, "qty": qty}
    return record | {"price": price, "rate": "0"} | more


def with_value(parameter: str, value: str | int) -> Schedule:
    """The built-in schedule with another value of one parameter."""
    rules = built_in()
    part = rules.parameters[parameter]
    changed = replace(part, entries=(replace(part.entries[0], value=value),))
    return Schedule(rules.parameters | {parameter: changed}, rules.boundary, rules.presets, rules.sections)
