"""Ex-dates (除权除息日, rulebook 11): the corporate actions known, which of them go ex on a day, and what
that does to prices from before it.

Where nobody publishes the exchange's previous close of an ex-date, the carried close is adjusted, and so is
an agreed price from before: it would count the right twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from agents.books.actions import terms_of
from agents.books.columns import Snapshot
from agents.books.securities import Securities
from agents.kernels.layout import CARRIED, GIVEN_FAIR, REFERENCE_DATE, SECURITY_WIDTH
from agents.rules.corporate_actions import ActionTerms, adjusted_close
from schemas import decode, encode
from schemas.reference import CorporateAction
from schemas.topics import REFERENCE_ACTIONS

_KEPT_DAYS = 30
"""A corporate action published again within so many days is recognised."""

_STATE = "ex_dates"


class ExDates:
    """Actions by (security, action), and whether they went ex. `_adjusted` holds the securities gone ex
    today: close and agreed price before (-1 = none), and what all their actions of today bring.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[CorporateAction, bool]] = {}
        self._adjusted: dict[str, tuple[int, int, list[ActionTerms]]] = {}

    def take(self, action: CorporateAction) -> bool:
        """Notes a published action. False for one that went ex: it does not change any more."""
        key = (action.security, action.action)
        if key in self._known and self._known[key][1]:
            return False
        self._known[key] = (action, False)
        return True

    def begin_day(self, before: int, day: int) -> list[CorporateAction]:
        """The actions with ex-date after `before` up to `day`, by security and action."""
        self._adjusted, due = {}, []
        for key in sorted(self._known):
            action, done = self._known[key]
            if not done and before < action.ex_date <= day:
                due.append(action)
            elif action.ex_date < day - _KEPT_DAYS:
                del self._known[key]
        return due

    def go_ex(self, securities: Securities, actions: list[CorporateAction], day: int) -> None:
        """Takes the rights of `actions` out of the prices that are from before `day`; marks and values have
        to follow.
        """
        for action in actions:
            self._known[action.security, action.action] = (action, True)
            row = securities.index.get(action.security, -1)
            if row >= 0:
                self._adjust(securities, row, terms_of(action), day)

    def _adjust(self, securities: Securities, row: int, brought: ActionTerms, day: int) -> None:
        name = securities.names[row]
        old_fair = securities.get(row, REFERENCE_DATE) < day
        close, fair, terms = self._adjusted.get(
            name, (securities.get(row, CARRIED), securities.get(row, GIVEN_FAIR) if old_fair else -1, [])
        )
        terms = [*terms, brought]
        self._adjusted[name] = (close, fair, terms)
        for column, price in ((CARRIED, close), (GIVEN_FAIR, fair if old_fair else -1)):
            if price >= 0:
                adjusted = adjusted_close(price, securities.kind(row), terms)
                securities.table[row * SECURITY_WIDTH + column] = adjusted

    def to_come(self) -> Iterator[CorporateAction]:
        """Actions that did not go ex."""
        return (action for action, done in self._known.values() if not done)

    def snapshot(self, prefix: str) -> Snapshot:
        """The actions known, and today's adjustments."""
        known = [[encode(action).decode(), done] for _, (action, done) in sorted(self._known.items())]
        adjusted = [
            [security, close, fair, [[t.cash, t.free, t.offered, t.price] for t in terms]]
            for security, (close, fair, terms) in sorted(self._adjusted.items())
        ]
        return {f"{prefix}.{_STATE}": orjson.dumps([known, adjusted])}

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        known, adjusted = orjson.loads(bytes(snapshot[f"{prefix}.{_STATE}"]))
        self._known = {}
        for text, done in known:
            action = decode(REFERENCE_ACTIONS, text.encode())
            self._known[action.security, action.action] = (action, done)
        self._adjusted = {
            security: (close, fair, [ActionTerms(*terms) for terms in brought])
            for security, close, fair, brought in adjusted
        }
