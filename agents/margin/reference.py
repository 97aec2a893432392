"""Reference data as a shard needs it: securities, corporate actions, presets, halts (contract section 2).

What is dated later than the current day waits until that day begins, and figures of a day until the next.
Notices are not a shard's business: the financing core turns them into signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from agents.books.columns import Snapshot
from agents.books.haircuts import fill_haircuts, review_day
from agents.books.valuations import end_suspensions, fill_policies, fill_sessions
from agents.kernels.layout import FINANCING_HALTED, FLAGS, LENDING_HALTED, SECURITY_WIDTH
from agents.margin.corporate_actions import CorporateActions
from agents.margin.desk import Desk
from agents.margin.holdings import governs_from, take_published, take_totals
from agents.rules.eligibility import taken_off
from agents.rules.haircuts import check_haircut
from schemas import decode
from schemas.alerts import SecuritySignal
from schemas.reference import CorporateAction, PublishedBalance, RulesReference, SecurityReference
from schemas.topics import FIRM_TOTALS, SECURITY_SIGNALS

Dated = SecurityReference | SecuritySignal | PublishedBalance


class Reference:
    """Applies reference events and holds those of later days."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.pending: list[tuple[int, str, bytes]] = []
        self.actions = CorporateActions(desk, self._fill)
        self._changed = False

    def take(self, topic: str, event: object, value: bytes) -> None:
        """One event of a reference topic or a signal. Raises BadRecord for a preset or a haircut that
        contradicts the rules.
        """
        if isinstance(event, (SecurityReference, SecuritySignal, PublishedBalance)):
            if isinstance(event, SecurityReference):
                check_haircut(event, self.desk.rules)
            if self._waits(_governs_from(event), topic, value):
                return
            self._apply(event)
        elif isinstance(event, CorporateAction):
            self.actions.take(event)
        elif isinstance(event, RulesReference):
            self._touch_presets(self.desk.terms.update(event))

    def take_totals(self, value: bytes) -> None:
        """A part of the firm's totals."""
        totals = orjson.loads(value)
        if not self._waits(governs_from(totals), FIRM_TOTALS, value):
            take_totals(self.desk.books, totals)

    def flush(self) -> None:
        """After a run of events: securities get the mark, value and haircut that hold now."""
        if self._changed:
            self._fill()
            self.desk.fold.review_maturities()
            self.desk.books.remark()
            self._changed = False

    def begin_day(self, day: int) -> None:
        """What waited for `day` applies, earliest date first; before marks are made."""
        end_suspensions(self.desk.books.securities)
        self.pending.sort(key=itemgetter(0))
        while self.pending and self.pending[0][0] <= day:  # a notice may take away what waits behind it
            _, topic, value = self.pending.pop(0)
            if topic == FIRM_TOTALS:
                take_totals(self.desk.books, orjson.loads(value))
            else:
                self._apply(decode(topic, value))
        self._changed = False
        self._fill()
        self._touch_presets(self.desk.terms.begin_day(day))

    def _fill(self) -> None:
        """The columns that the rules of the day decide."""
        desk, securities = self.desk, self.desk.books.securities
        fill_sessions(securities, desk.calendar.days)
        fill_policies(securities, desk.books.day, desk.rules)
        review = review_day(desk.calendar.days, desk.books.day)
        fill_haircuts(securities, desk.books.day, desk.rules, review=review)

    def _waits(self, date: int, topic: str, value: bytes) -> bool:
        """Keeps what is for a later day than today's."""
        later = self.desk.books.day < 0 or date > self.desk.books.day
        if later:
            self.pending.append((date, topic, value))
        return later

    def _apply(self, event: Dated) -> None:
        books = self.desk.books
        if isinstance(event, PublishedBalance):
            take_published(books, event)
            return
        row = books.security(event.security)
        if isinstance(event, SecurityReference):
            off = taken_off(event, books.day, self.desk.rules)
            books.securities.refer(row, event, books.day, taken_off=off)
            self._changed = True
        elif event.signal != "remind":
            column = FINANCING_HALTED if event.business == "financing" else LENDING_HALTED
            books.securities.table[row * SECURITY_WIDTH + column] = int(event.signal == "halt")
            if event.basis == "notice":
                self._forget_computed(event)

    def _forget_computed(self, notice: SecuritySignal) -> None:
        """An exchange's own decision stands against what figures would bring from a later day on."""
        kept = []
        for date, topic, value in self.pending:
            waits = decode(topic, value) if topic == SECURITY_SIGNALS else None
            same = (
                isinstance(waits, SecuritySignal)
                and waits.basis != "notice"
                and (waits.security, waits.business) == (notice.security, notice.business)
            )
            if not same:
                kept.append((date, topic, value))
        self.pending = kept

    def _touch_presets(self, changed: list[int]) -> None:
        books = self.desk.books
        if not changed or not books.accounts.rows:
            return
        presets = books.accounts.used("hot")[:, FLAGS] >> 1
        for account in np.flatnonzero(np.isin(presets, changed)).tolist():
            books.touch(account)

    def snapshot(self) -> Snapshot:
        """What waits, and the actions known."""
        waiting = [[date, topic, value.decode()] for date, topic, value in self.pending]
        return {"reference": orjson.dumps(waiting), **self.actions.snapshot()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again, after the books."""
        waiting = orjson.loads(bytes(snapshot["reference"]))
        self.pending = [(date, topic, value.encode()) for date, topic, value in waiting]
        self.actions.restore(snapshot)
        self._changed = False


def _governs_from(event: Dated) -> int:
    """The first day an event counts on: the figures of a day count from the next."""
    if isinstance(event, SecuritySignal):
        return event.effective
    return event.date + 1 if isinstance(event, PublishedBalance) else event.date
