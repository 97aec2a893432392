"""An account whose contracts are told to the real core day by day."""

from __future__ import annotations

from typing import Any

import pytest

from agents.rules.overlay import overlay
from agents.rules.schedule import Schedule, built_in
from schemas import BadRecord
from schemas.units import format_day, parse_day
from tests.margin.books import BANK, CHIPS, Diary
from tests.worked_examples.records import PRESET

Record = dict[str, Any]


def financing(principal: str, opened: str, name: str = "F", **more: Any) -> Record:
    """A financing contract of an opening, of 100 shares of BANK."""
    contract = {"contract": name, "type": "financing", "security": BANK, "opened": opened}
    return {**contract, "qty": 100, "price": "1", "principal": principal, **more}


def lending(qty: int, opened: str, name: str = "L", price: str = "30", **more: Any) -> Record:
    """A lending contract of an opening, of shares of CHIPS."""
    contract = {"contract": name, "type": "lending", "security": CHIPS, "opened": opened}
    return {**contract, "qty": qty, "price": price, **more}


def broker(parameter: str, value: str, since: str = "2006-08-21") -> Schedule:
    """The built-in rules with one value of a broker's own from `since` on; the value as YAML."""
    entry = f"{{from: '{since}', value: {value}, conf: P, source: contract}}"
    return overlay(built_in(), f"schema: 1\nparameters:\n  {parameter}:\n    entries:\n      - {entry}\n")


class Story(Diary):
    """A rich account A1 that never gets near a line, and its contracts."""

    def __init__(self, day: str, rules: Schedule | None = None) -> None:
        super().__init__(rules=rules or built_in())
        self.begin(day)

    def begin(self, day: str) -> Story:
        """The trading day begins."""
        self.at(day, "09:00").session("pre_open")
        return self

    def at(self, day: str, clock: str) -> Story:
        """As of a day's time of day."""
        super().at(day, clock)
        return self

    def later(self, days: int) -> Story:
        """The trading day so many calendar days later begins."""
        return self.begin(format_day(parse_day(self.day) + days))

    def open(self, *contracts: Record, **more: Any) -> Story:
        """The account's book: cash, shares of both securities, and these contracts."""
        positions = [{"security": security, "qty": 10_000} for security in (BANK, CHIPS)]
        book = {"cash": "9000000", "positions": positions, "contracts": list(contracts)}
        self.event("opening", **(book | more))
        return self

    def rules(self, since: str, **rates: Any) -> Story:
        """A version of preset X with these rates."""
        self.book.reference("reference.rules", PRESET | {"from": since} | rates)
        return self

    def security(self, name: str, **facts: Any) -> Story:
        """Reference data of the day."""
        about = {"security": name, "date": self.day, "kind": "stock", "board": "main"}
        self.book.reference("reference.securities", about | facts)
        return self

    def refused(self, kind: str, **fields: Any) -> str:
        """An event that is refused; the field it is refused for. Nothing changed."""
        before = list(self.book.core.state_rows())
        with pytest.raises(BadRecord) as error:
            self.event(kind, **fields)
        assert list(self.book.core.state_rows()) == before
        return error.value.field

    def owed(self, name: str = "F") -> str:
        """Interest owed on a contract."""
        return str(self._contract(name)["interest"])

    def left(self) -> dict[str, str]:
        """What is left of each contract: principal, or shares."""
        contracts = self.account()["evidence"]["contracts"]
        return {c["contract"]: str(c.get("principal", c["qty"])) for c in contracts}

    def matured(self) -> list[str]:
        """Names of the contracts that have fallen due."""
        books = self.book.core.desk.books
        return sorted(books.contracts.names[row] for row in books.matured(books.accounts.index["A1"]))

    def _contract(self, name: str) -> Record:
        contracts: list[Record] = self.account()["evidence"]["contracts"]
        return next(contract for contract in contracts if contract["contract"] == name)
