"""The custodian's statements against the books of the settled day (rulebook 13.6): tolerance 0.00."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import ZERO, money
from tests.oracle.ledger import Account

Record = dict[str, Any]
Book = tuple[Decimal, dict[str, int]]


class Custody:
    """`breaks`: accounts that disagree with their newest statement, and that statement."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.waiting: dict[tuple[str, str], Record] = {}
        self.breaks: dict[str, Record] = {}
        self.told: list[tuple[str, str]] = []

    def settle(self, day: date, accounts: dict[str, Account]) -> None:
        """The books of the day; statements that waited for it are compared with them."""
        self.books = {name: (account.cash, dict(account.held)) for name, account in accounts.items()}
        late = []
        for told, name in sorted(self.waiting):
            if told < day.isoformat():
                late.append(("custody_unchecked", name))
                del self.waiting[told, name]
        self.told += late
        for told, name in sorted(self.waiting):
            if told == day.isoformat():
                self._compare(self.waiting.pop((told, name)))

    def take(self, statement: Record, today: date, settled: date | None) -> None:
        """For the settled day at once, for today or later when that is settled; else it is too late."""
        told = date.fromisoformat(statement["date"])
        if told == settled:
            self._compare(statement)
        elif (settled is None or told > settled) and told >= today:
            self.waiting[statement["date"], statement["account"]] = statement
        else:
            self.told.append(("custody_unchecked", statement["account"]))

    def _compare(self, statement: Record) -> None:
        name = statement["account"]
        before = self.breaks.get(name)
        if self.agrees(statement):
            if before is not None:
                del self.breaks[name]
                self.told.append(("custody_agrees", name))
        elif before != statement:
            self.breaks[name] = statement
            self.told.append(("custody_break", name))

    def agrees(self, statement: Record) -> bool:
        cash, held = self.books.get(statement["account"], (ZERO, {}))
        stated = {p["security"]: p["qty"] for p in statement["positions"] if p["qty"]}
        return money(statement["cash"]) == cash and stated == held
