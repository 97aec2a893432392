"""Corporate actions (公司行为) in a shard's trading day (rulebook 11): pay dates first, then rights at the
day's prices, then the ex-dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agents.books.actions import RIGHTS, go_ex, revalue_rights
from agents.books.columns import Snapshot
from agents.books.ex_dates import ExDates
from agents.books.pay_dates import pay_out
from agents.margin.desk import Desk
from agents.rules.corporate_actions import transit_policy
from schemas.reference import CorporateAction

_PREFIX = "reference"


class CorporateActions:
    """Applies actions to the books. `refill` fills what the rules make of the securities' table."""

    def __init__(self, desk: Desk, refill: Callable[[], None]) -> None:
        self.desk = desk
        self.refill = refill
        self.ex_dates = ExDates()

    def take(self, action: CorporateAction) -> None:
        """A published action; of today, it goes ex at once."""
        if not self.ex_dates.take(action):
            return
        self._announce(action)
        if self.desk.calendar.days and action.ex_date == self.desk.books.day:
            self._go_ex([action])

    def begin_day(self, before: int, day: int) -> None:
        """Pays out what is due, values rights, then lets the actions with ex-date after `before` up to `day`
        take effect.
        """
        books = self.desk.books
        pay_out(books, self.desk.terms, day)
        revalue_rights(books, transit_policy(self.desk.rules, day))
        self._go_ex(self.ex_dates.begin_day(before, day))

    def _go_ex(self, actions: list[CorporateAction]) -> None:
        if not actions:
            return
        books, policy = self.desk.books, transit_policy(self.desk.rules, self.desk.books.day)
        self.ex_dates.go_ex(books.securities, actions, books.day)
        self.refill()
        books.remark()
        for action in actions:
            go_ex(books, action, policy)
            self._withdraw(action)

    def _announce(self, action: CorporateAction) -> None:
        """From now on until the ex-date, money that names these rights pays for them."""
        books = self.desk.books
        if action.kind == RIGHTS and action.ex_date > books.day:
            row = books.security(action.security)
            books.transit.announced.setdefault(action.action, set()).add(row)

    def _withdraw(self, action: CorporateAction) -> None:
        books = self.desk.books
        rows = books.transit.announced.get(action.action)
        if rows is not None:
            rows.discard(books.security(action.security))
            if not rows:
                del books.transit.announced[action.action]

    def snapshot(self) -> Snapshot:
        """The actions known."""
        return self.ex_dates.snapshot(_PREFIX)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again, after the books."""
        self.ex_dates.restore(_PREFIX, snapshot)
        self.desk.books.transit.announced = {}
        for action in self.ex_dates.to_come():
            self._announce(action)
