"""Reference data as a shard needs it: securities, corporate actions, presets, halts (contract section 2).

What is dated later than the current day waits until that day begins. Balances, notices and custody
statements are not a shard's business: the financing core turns the first two into signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from agents.books.actions import go_ex, pay_out
from agents.books.columns import Snapshot
from agents.kernels.layout import FINANCING_HALTED, FLAGS, LENDING_HALTED, SECURITY_WIDTH
from agents.margin.desk import Desk
from schemas import decode
from schemas.alerts import SecuritySignal
from schemas.reference import CorporateAction, RulesReference, SecurityReference

_KEPT_DAYS = 30
"""A corporate action published again within so many days is recognised."""


class Reference:
    """Applies reference events; holds those of later days and the corporate actions known."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.pending: list[tuple[int, str, bytes]] = []
        self.actions: dict[tuple[str, str], tuple[int, bool, bytes]] = {}
        self._changed = False

    def take(self, topic: str, event: object, value: bytes) -> None:
        """One event of a reference topic or a signal. Raises BadRecord for a preset that contradicts
        itself.
        """
        if isinstance(event, (SecurityReference, SecuritySignal)):
            date = event.date if isinstance(event, SecurityReference) else event.effective
            if self.desk.books.day < 0 or date > self.desk.books.day:
                self.pending.append((date, topic, value))
            else:
                self._apply(event)
        elif isinstance(event, CorporateAction):
            self._note_action(event, value)
        elif isinstance(event, RulesReference):
            self._touch_presets(self.desk.terms.update(event))

    def flush(self) -> None:
        """After a run of events: securities get the mark and value that hold now."""
        if self._changed:
            self.desk.books.remark()
            self._changed = False

    def begin_day(self, day: int) -> None:
        """What waited for `day` applies; before marks are made."""
        waiting, self.pending = self.pending, []
        for date, topic, value in waiting:
            if date > day:
                self.pending.append((date, topic, value))
            else:
                self._apply(decode(topic, value))
        self._changed = False
        self._touch_presets(self.desk.terms.begin_day(day))

    def corporate_actions(self, before: int, day: int) -> None:
        """Pays out what is due, then lets the actions with ex-date after `before` up to `day` take effect."""
        pay_out(self.desk.books, self.desk.terms, day)
        for key in sorted(self.actions):
            ex_date, done, value = self.actions[key]
            if not done and before < ex_date <= day:
                self._go_ex(key, decode("reference.actions", value), value)
            elif ex_date < day - _KEPT_DAYS:
                del self.actions[key]

    def _note_action(self, action: CorporateAction, value: bytes) -> None:
        key = (action.security, action.action)
        if key in self.actions and self.actions[key][1]:
            return
        self.actions[key] = (action.ex_date, False, value)
        if self.desk.calendar.days and action.ex_date == self.desk.books.day:
            self._go_ex(key, action, value)

    def _go_ex(self, key: tuple[str, str], action: CorporateAction, value: bytes) -> None:
        self.actions[key] = (action.ex_date, True, value)
        go_ex(self.desk.books, action)

    def _apply(self, event: SecurityReference | SecuritySignal) -> None:
        books = self.desk.books
        row = books.security(event.security)
        if isinstance(event, SecurityReference):
            books.securities.refer(row, event, books.day)
            self._changed = True
        elif event.signal != "remind":
            column = FINANCING_HALTED if event.business == "financing" else LENDING_HALTED
            books.securities.table[row * SECURITY_WIDTH + column] = int(event.signal == "halt")

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
        actions = [
            [*key, ex_date, done, value.decode()]
            for key, (ex_date, done, value) in sorted(self.actions.items())
        ]
        return {"reference": orjson.dumps([waiting, actions])}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        waiting, actions = orjson.loads(bytes(snapshot["reference"]))
        self.pending = [(date, topic, value.encode()) for date, topic, value in waiting]
        self.actions = {
            (security, action): (ex_date, done, value.encode())
            for security, action, ex_date, done, value in actions
        }
        self._changed = False
