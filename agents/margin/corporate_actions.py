"""Corporate actions (公司行为) known to a shard, and what a trading day does to them (rulebook 11): pay dates
first, then rights at the day's prices, then the ex-dates.

Where nobody publishes the exchange's previous close of an ex-date, the carried close is adjusted, and so is
an agreed price from before: it would count the right twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from agents.books.actions import RIGHTS, go_ex, revalue_rights, terms_of
from agents.books.columns import Snapshot
from agents.books.pay_dates import pay_out
from agents.kernels.layout import CARRIED, GIVEN_FAIR, REFERENCE_DATE, SECURITY_WIDTH
from agents.margin.desk import Desk
from agents.rules.corporate_actions import ActionTerms, adjusted_close, transit_policy
from schemas import decode
from schemas.reference import CorporateAction

_KEPT_DAYS = 30
"""A corporate action published again within so many days is recognised."""

_TOPIC = "reference.actions"


class CorporateActions:
    """Actions by (security, action): ex-date, whether it went ex, the record. `_adjusted` holds the
    securities gone ex today: close and agreed price before (-1 = none), and what all their actions of
    today bring. `refill` fills what the rules make of the securities' table.
    """

    def __init__(self, desk: Desk, refill: Callable[[], None]) -> None:
        self.desk = desk
        self.refill = refill
        self.known: dict[tuple[str, str], tuple[int, bool, bytes]] = {}
        self._adjusted: dict[str, tuple[int, int, list[ActionTerms]]] = {}

    def take(self, action: CorporateAction, value: bytes) -> None:
        """A published action; of today, it goes ex at once. What went ex does not change any more."""
        key = (action.security, action.action)
        if key in self.known and self.known[key][1]:
            return
        self.known[key] = (action.ex_date, False, value)
        self._announce(action)
        if self.desk.calendar.days and action.ex_date == self.desk.books.day:
            self._go_ex([action])

    def begin_day(self, before: int, day: int) -> None:
        """Pays out what is due, values rights, then lets the actions with ex-date after `before` up to `day`
        take effect.
        """
        books, policy = self.desk.books, transit_policy(self.desk.rules, day)
        self._adjusted = {}
        pay_out(books, self.desk.terms, day)
        revalue_rights(books, policy)
        due = []
        for key in sorted(self.known):
            ex_date, done, value = self.known[key]
            if not done and before < ex_date <= day:
                due.append(self._decode(value))
            elif ex_date < day - _KEPT_DAYS:
                self._withdraw(key)
                del self.known[key]
        self._go_ex(due)

    def _go_ex(self, actions: list[CorporateAction]) -> None:
        books, policy = self.desk.books, transit_policy(self.desk.rules, self.desk.books.day)
        for action in actions:
            self._adjust(action)
        if actions:
            self.refill()
            books.remark()
        for action in actions:
            key = (action.security, action.action)
            self.known[key] = (action.ex_date, True, self.known[key][2])
            go_ex(books, action, policy)
            self._withdraw(key)

    def _adjust(self, action: CorporateAction) -> None:
        """Takes the right out of the prices of a security that are from before today."""
        securities = self.desk.books.securities
        row = securities.index.get(action.security, -1)
        if row < 0:
            return
        old_fair = securities.get(row, REFERENCE_DATE) < self.desk.books.day
        before = (
            securities.get(row, CARRIED),
            securities.get(row, GIVEN_FAIR) if old_fair else -1,
            list[ActionTerms](),
        )
        close, fair, terms = self._adjusted.get(action.security, before)
        terms = [*terms, terms_of(action)]
        self._adjusted[action.security] = (close, fair, terms)
        for column, price in ((CARRIED, close), (GIVEN_FAIR, fair if old_fair else -1)):
            if price >= 0:
                adjusted = adjusted_close(price, securities.kind(row), terms)
                securities.table[row * SECURITY_WIDTH + column] = adjusted

    def _announce(self, action: CorporateAction) -> None:
        """From now on until the ex-date, money that names these rights pays for them."""
        books = self.desk.books
        if action.kind == RIGHTS and action.ex_date > books.day:
            row = books.security(action.security)
            books.transit.announced.setdefault(action.action, set()).add(row)

    def _withdraw(self, key: tuple[str, str]) -> None:
        books = self.desk.books
        rows = books.transit.announced.get(key[1])
        if rows is not None:
            rows.discard(books.security(key[0]))
            if not rows:
                del books.transit.announced[key[1]]

    def _decode(self, value: bytes) -> CorporateAction:
        action = decode(_TOPIC, value)
        assert isinstance(action, CorporateAction)
        return action

    def snapshot(self) -> Snapshot:
        """The actions known, and today's adjustments."""
        known = [
            [*key, ex_date, done, value.decode()]
            for key, (ex_date, done, value) in sorted(self.known.items())
        ]
        adjusted = [
            [security, close, fair, [[t.cash, t.free, t.offered, t.price] for t in terms]]
            for security, (close, fair, terms) in sorted(self._adjusted.items())
        ]
        return {"corporate_actions": orjson.dumps([known, adjusted])}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again, after the books."""
        known, adjusted = orjson.loads(bytes(snapshot["corporate_actions"]))
        self.known = {
            (security, action): (ex_date, done, value.encode())
            for security, action, ex_date, done, value in known
        }
        self._adjusted = {
            security: (close, fair, [ActionTerms(*terms) for terms in brought])
            for security, close, fair, brought in adjusted
        }
        self.desk.books.transit.announced = {}
        for _, done, value in self.known.values():
            if not done:
                self._announce(self._decode(value))
