"""Custody reconciliation (rulebook 13.6): the books of an account and security as they stood when a date was
settled against the custodian's statement for that date, tolerance zero.

A statement may come before its date is settled (it waits) or after. Cash includes short-sale proceeds and
frozen money; securities in transit and other collateral are not in custody. What disagrees sets the
account's `custody_break`, which blocks withdrawals and new debt, until a statement that agrees; the
statements that disagreed are compared again when `settled` comes again. Each finding is told once on
`system.events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agents.books.columns import Snapshot
from agents.margin.desk import Desk
from schemas import decode
from schemas.errors import BadRecord
from schemas.reference import CustodyStatement
from schemas.topics import REFERENCE_CUSTODY, SYSTEM_EVENTS
from schemas.units import format_day, format_money

BREAK, AGREES, UNCHECKED = "custody_break", "custody_agrees", "custody_unchecked"

Figures = dict[str, Any]


@dataclass(slots=True)
class _Break:
    """The statement of `date` an account disagrees with, and the differences last told."""

    date: int
    statement: bytes
    figures: Figures


class Custody:
    """Statements that wait for their date, and the accounts that disagree with theirs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.waiting: dict[tuple[int, str], bytes] = {}
        self.breaks: dict[str, _Break] = {}
        self.told: dict[str, tuple[int, int]] = {}

    def take(self, statement: CustodyStatement, value: bytes) -> None:
        """One statement; the last one of an account and date counts. Raises BadRecord for one that names a
        security twice.
        """
        names = [position.security for position in statement.positions]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadRecord("positions", f"names {twice} twice")
        settled = self.desk.calendar.settled
        if statement.date == settled:
            self._compare(statement, value)
        elif statement.date > settled and statement.date >= self.desk.books.day:
            self.waiting[statement.date, statement.account] = value
        else:
            self._tell_unchecked(statement.date, statement.account)

    def settle(self) -> None:
        """The current day is settled: its books are what statements for it are compared with."""
        accounts, rows = self.desk.books.accounts, self.desk.books.positions.rows
        accounts.used("settled_cash")[:] = accounts.used("cash")
        rows.used("settled_qty")[:] = rows.used("qty")
        day = self.desk.calendar.settled
        self.told = {name: told for name, told in self.told.items() if told[0] == day}
        due = {name: found.statement for name, found in self.breaks.items() if found.date == day}
        for date, name in sorted(self.waiting):
            if date > day:
                continue
            value = self.waiting.pop((date, name))
            if date == day:
                due[name] = value
            else:
                self._tell_unchecked(date, name)
        for name in sorted(due):
            self._compare(decode(REFERENCE_CUSTODY, due[name]), due[name])

    def _compare(self, statement: CustodyStatement, value: bytes) -> None:
        """Tells a break that was not told, and the end of one."""
        name, before = statement.account, self.breaks.get(statement.account)
        if before is not None and before.date > statement.date:
            return
        figures = self._differences(statement)
        if figures:
            self.breaks[name] = _Break(statement.date, value, figures)
            if before is None or (before.date, before.figures) != (statement.date, figures):
                self._tell(BREAK, statement, figures, _told(name, figures))
        elif before is not None:
            del self.breaks[name]
            day = format_day(before.date)
            self._tell(AGREES, statement, None, f"{name} agrees with its custodian; it did not on {day}")
        row = self.desk.books.accounts.index.get(name)
        if row is not None:
            self.desk.books.accounts.custody_break[row] = int(bool(figures))

    def _differences(self, statement: CustodyStatement) -> Figures:
        """Cash and the securities in which books and custody differ; empty when they agree. An account that
        was not in the books when the date was settled has nothing in them.
        """
        books = self.desk.books
        row = books.accounts.index.get(statement.account)
        cash, held = 0, dict[str, int]()
        if row is not None:
            cash, rows = books.accounts.settled_cash[row], books.positions.rows
            for position in books.positions.run(row):
                if rows.settled_qty[position]:
                    held[books.securities.names[rows.security[position]]] = rows.settled_qty[position]
        stated = {position.security: position.qty for position in statement.positions}
        figures: Figures = {}
        if cash != statement.cash:
            figures["cash"] = {"books": format_money(cash), "custody": format_money(statement.cash)}
        differing = [
            {"security": name, "books": held.get(name, 0), "custody": stated.get(name, 0)}
            for name in sorted(held.keys() | stated.keys())
            if held.get(name, 0) != stated.get(name, 0)
        ]
        return figures | ({"positions": differing} if differing else {})

    def _tell(self, kind: str, statement: CustodyStatement, figures: Figures | None, text: str) -> None:
        """The findings of an account and date are numbered: the same order of causes gives the same ids."""
        name, date = statement.account, statement.date
        known, count = self.told.get(name, (date, 0))
        count = count + 1 if known == date else 1
        self.told[name] = (date, count)
        self._say(kind, name, date, count, text, figures)

    def _tell_unchecked(self, date: int, name: str) -> None:
        settled = self.desk.calendar.settled
        last = f"the last settled day is {format_day(settled)}" if settled >= 0 else "no day was settled yet"
        text = f"the statement of {name} for {format_day(date)} cannot be compared: {last}"
        self._say(UNCHECKED, name, date, 1, text, None)

    def _say(self, kind: str, name: str, date: int, count: int, text: str, figures: Figures | None) -> None:
        desk, day = self.desk, format_day(date)
        record = {
            "id": f"{kind}:{name}:{day}" if count == 1 else f"{kind}:{name}:{day}:{count}",
            "ts": max(0, desk.calendar.market_ts),
            "kind": kind,
            "shard": desk.config.shard,
            "date": day,
            "account": name,
            "text": text,
        }
        desk.say(SYSTEM_EVENTS, kind, record if figures is None else record | {"figures": figures})

    def snapshot(self) -> Snapshot:
        """What waits, what disagrees, and how much was told of each account."""
        waiting = [[*key, value.decode()] for key, value in sorted(self.waiting.items())]
        breaks = [
            [name, found.date, found.statement.decode(), found.figures]
            for name, found in sorted(self.breaks.items())
        ]
        return {"custody": orjson.dumps([waiting, breaks, sorted(self.told.items())])}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        waiting, breaks, told = orjson.loads(bytes(snapshot["custody"]))
        self.waiting = {(date, name): value.encode() for date, name, value in waiting}
        self.breaks = {
            name: _Break(date, statement.encode(), figures) for name, date, statement, figures in breaks
        }
        self.told = {name: (date, count) for name, (date, count) in told}


def _told(name: str, figures: Figures) -> str:
    """One line; the figures name every security."""
    parts = []
    if "cash" in figures:
        parts.append(f"cash {figures['cash']['books']} against {figures['cash']['custody']}")
    positions = figures.get("positions", [])
    if positions:
        first = positions[0]
        parts.append(f"{first['security']} {first['books']} against {first['custody']}")
    if len(positions) > 1:
        parts.append(f"{len(positions) - 1} more securities")
    return f"{name}: the books differ from custody: {', '.join(parts)}"
