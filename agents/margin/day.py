"""The life of a trading day: what each session record makes a shard do (contract section 2,
`market.session`).
"""

from __future__ import annotations

import numpy as np

from agents.kernels.layout import BLIND, HOT_WIDTH, LEVEL, OWED, SHORT, SHOWN, UNPRICED
from agents.kernels.levels import judge
from agents.margin.calendar import CONTINUOUS
from agents.margin.calls import Calls
from agents.margin.custody import Custody
from agents.margin.demands import bring_up
from agents.margin.desk import Desk, Moment
from agents.margin.liquidation import Liquidation
from agents.margin.obligations import obliged_accounts
from agents.margin.reference import Reference
from agents.margin.simulated_fills import fill_simulated
from agents.margin.topups import tell_topups
from agents.margin.totals import security_totals
from schemas.market import Session
from schemas.topics import SHARD_TOTALS, SYSTEM_EVENTS
from schemas.units import format_day

SETTLED, CLOCK, HALT, RESUME = "settled", "clock", "halt", "resume"


class Day:
    """Session records into evaluations, day changes and totals."""

    def __init__(
        self, desk: Desk, calls: Calls, liquidation: Liquidation, reference: Reference, custody: Custody
    ) -> None:
        self.desk = desk
        self.calls = calls
        self.liquidation = liquidation
        self.reference = reference
        self.custody = custody

    def apply(self, session: Session) -> None:
        """Applies a session record; one of a day that is over changes nothing, and neither does the clock of
        a day on which nothing has begun: it may tick on a holiday.
        """
        calendar = self.desk.calendar
        if calendar.begins(session.date):
            if session.phase == CLOCK and calendar.days:
                return
            self._begin(session.date, session.ts)
        elif session.date < calendar.days[-1]:
            return
        calendar.market_ts = max(calendar.market_ts, session.ts)
        if session.phase in (HALT, RESUME):
            calendar.halt(session.market, halted=session.phase == HALT)
            if session.phase == RESUME:
                self.desk.slices.resume()
            return
        if session.phase != CLOCK:
            calendar.enter(session.market, session.phase)
        if session.phase == SETTLED:
            self._settle(session.ts)
        elif session.phase in (CLOCK, CONTINUOUS):
            self.evaluate_touched(Moment(session.ts, begins=session.phase == CONTINUOUS))

    def turn_to(self, date: int) -> None:
        """The books are those of `date`. That makes no trading day of it: where account events come before
        any session record, their date serves until one comes.
        """
        self.desk.books.turn_to(date)
        self.reference.begin_day(date)
        self.desk.fold.begin_day()
        self.desk.books.revalue()

    def evaluate_touched(self, moment: Moment) -> None:
        """Simulated fills, then every account whose books or prices changed, then the plans that follow."""
        desk = self.desk
        books = desk.books
        waiting = self.liquidation.enter_slice(moment)
        moment.progressed = frozenset(fill_simulated(desk))
        touched = books.take_touched()
        found = np.empty(len(touched), dtype=np.int32)
        n = judge(touched, len(touched), books.accounts.array("hot"), desk.terms.lines, found)
        accounts = set(found[:n].tolist()) | moment.progressed | set(waiting)
        if moment.begins:
            accounts.update(desk.episodes.living())
        if not accounts:
            return
        self.calls.evaluate_all(books.accounts.by_name(list(accounts)), moment)
        self.liquidation.plan_due(moment)

    def _begin(self, date: int, ts: int) -> None:
        """The first record of a trading day."""
        desk, calendar = self.desk, self.desk.calendar
        before = calendar.days[-1] if calendar.days else date - 1
        if calendar.days and calendar.settled < before:
            calendar.enter("ALL", SETTLED)
            self._settle(ts)
            self._tell_unsettled(before, ts)
        calendar.begin(date)
        for account in desk.orders.accounts():
            desk.orders.close_all(account)
        desk.reservations.end_day()
        if date != desk.books.day:
            desk.answers.begin_day()
        self.turn_to(date)
        self.reference.actions.begin_day(before, date)
        if calendar.index > 0:
            self._matured_overnight(ts)

    def _matured_overnight(self, ts: int) -> None:
        """What fell due on days without trading is demanded now."""
        calls, accounts = self.calls, self.desk.books.accounts
        calls.obliged = obliged_accounts(self.desk)
        for account in accounts.by_name(list(calls.obliged)):
            if accounts.hot[account * HOT_WIDTH + SHOWN] != UNPRICED:
                bring_up(calls, account, Moment(ts, opens=True))
        calls.obliged = set()

    def _settle(self, ts: int) -> None:
        """The daily evaluation of all accounts, and the shard's totals."""
        desk = self.desk
        books, accounts = desk.books, desk.books.accounts
        desk.calendar.settled = books.day
        desk.reservations.end_day()
        books.take_touched()
        hot = accounts.used("hot")
        due = (
            (hot[:, OWED] + hot[:, SHORT] > 0)
            | (hot[:, BLIND] != 0)
            | (hot[:, LEVEL] != 0)
            | (accounts.used("told_date") >= 0)
            | (accounts.used("episode") >= 0)
        )
        rows = accounts.by_name(np.flatnonzero(due).tolist())
        moment = Moment(ts, settled=True)
        self.calls.obliged = obliged_accounts(desk)
        self.calls.evaluate_all(rows, moment)
        self.calls.obliged = set()
        self.liquidation.plan_due(moment)
        tell_topups(desk, ts)
        desk.shortfalls.settle(desk, ts)
        shard, totals = desk.config.shard, security_totals(books)
        desk.slices.note_held(desk, totals)
        record = {"shard": shard, "date": format_day(books.day), "ts": ts, "securities": totals}
        desk.say(SHARD_TOTALS, str(shard), record)
        self.custody.settle()

    def _tell_unsettled(self, date: int, ts: int) -> None:
        shard, day = self.desk.config.shard, format_day(date)
        record = {
            "id": f"day_without_settled:{shard}:{day}",
            "ts": ts,
            "kind": "day_without_settled",
            "shard": shard,
            "date": day,
            "text": f"{day} was never settled; its evaluation was made when the next day began",
        }
        self.desk.say(SYSTEM_EVENTS, "day_without_settled", record)
