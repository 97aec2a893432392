"""Levels and the life of a margin call (追保): what one evaluation of one account leads to (contract
section 3, rulebook 7.2).

A level is latched; an episode opens when it worsens, when at `settled` the exact ratio is below the minimum,
or when something must be paid whatever the ratio (agents.margin.demands). What must be sold is only noted
here (`due`): plans are made after every account of the evaluation has been looked at.
"""

from __future__ import annotations

from agents.kernels.layout import (
    BELOW_MIN,
    BLIND,
    FLAGS,
    HOT_WIDTH,
    IMMEDIATE,
    LEVEL,
    LONG,
    NO_DEBT,
    NORMAL,
    OWED,
    OWN,
    SHORT,
    SHOWN,
    UNPRICED,
)
from agents.kernels.levels import beyond_bounds, next_level
from agents.margin.demands import bring_up, may_be_obliged
from agents.margin.desk import Desk, Moment
from agents.margin.episodes import (
    AT_ONCE,
    CALLED,
    EXPIRED,
    FREEZE,
    NOT_PURSUED,
    NOTICE,
    PURSUED,
    PURSUED_AT_ONCE,
    RATIO,
)
from agents.margin.evidence import available, last_close_changes
from agents.margin.obligations import owed
from agents.margin.records import tell_call, tell_ratio
from agents.margin.snapshots import DAILY, tell_evidence
from agents.rules.presets import INTRADAY, REALTIME, Preset
from agents.rules.topup import below, reaches

_next_level = next_level.py_func
_beyond_bounds = beyond_bounds.py_func


class Calls:
    """Evaluates accounts one by one; `due` collects those for which a plan is to be made. `obliged`: accounts
    of which something may have fallen due by this evaluation.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.due: list[int] = []
        self.obliged: set[int] = set()

    def evaluate_all(self, accounts: list[int], moment: Moment) -> None:
        """Evaluates accounts in the order given: what their records show is worked out for all of them
        first, because an evaluation does not change the books.
        """
        books = self.desk.books
        figures = zip(available(books, accounts), last_close_changes(books, accounts), strict=True)
        for account, (margin, change) in zip(accounts, figures, strict=True):
            self.evaluate(account, moment, margin, change)

    def evaluate(
        self, account: int, moment: Moment, margin: int | None = None, change: int | None = None
    ) -> None:
        """Brings level, public state and episode of an account up to its books. `margin` and `change`: its
        available margin and `last_close_change`, if known.
        """
        desk = self.desk
        accounts = desk.books.accounts
        hot, at = accounts.hot, account * HOT_WIDTH
        assets, debt = hot[at + OWN] + hot[at + LONG], hot[at + OWED] + hot[at + SHORT]
        before = hot[at + LEVEL]
        if hot[at + BLIND] or _beyond_bounds(assets, debt):
            level, shown = before, UNPRICED
        elif debt <= 0:
            level, shown = NORMAL, NO_DEBT
        else:
            lines = desk.terms.rows[hot[at + FLAGS] >> 1]
            level = shown = _next_level(before, assets, debt, *lines)
        changed = shown != hot[at + SHOWN]
        hot[at + LEVEL], hot[at + SHOWN] = level, shown
        row = accounts.episode[account]
        told = desk.episodes.told(row)
        news = False
        if changed or (moment.settled and (debt > 0 or accounts.told_date[account] >= 0)):
            news = tell_ratio(desk, account, moment.ts, settled=moment.settled, margin=margin, change=change)
        if shown == UNPRICED:
            return
        quiet = level == before == NORMAL and row < 0 and not moment.settled
        if quiet and not may_be_obliged(self, account):
            return
        self._advance(account, before, level, assets, debt, moment)
        if news and moment.settled and told == desk.episodes.told(row) and self._is_open(row):
            tell_evidence(desk, row, DAILY, moment.ts)

    def _advance(self, account: int, before: int, level: int, assets: int, debt: int, moment: Moment) -> None:
        desk, episodes = self.desk, self.desk.episodes
        row = desk.books.accounts.episode[account]
        if debt <= 0:
            if row >= 0:
                self.end(row, "recovered" if episodes.state[row] == NOTICE else "closed", moment)
            return
        preset, told = desk.preset(account), episodes.told(row)
        at_target = self._reaches(assets, debt, preset.target)
        if row >= 0 and episodes.pursued[row]:
            if at_target:
                self._ratio_met(row, "closed", moment)
        elif self._called(row) and at_target and (moment.settled or preset.cure_at == INTRADAY):
            self._ratio_met(row, "cured", moment)
        elif moment.settled:
            self._settle(account, before, level, assets, debt, preset, moment)
        else:
            self._intraday(account, before, level, at_target, preset, moment)
        bring_up(self, account, moment, told=told != episodes.told(row))
        row = desk.books.accounts.episode[account]
        if row >= 0 and episodes.state[row] >= EXPIRED:
            self.due.append(account)

    def _is_open(self, row: int) -> bool:
        """Whether there is a call, not only a notice."""
        return row >= 0 and self.desk.episodes.state[row] >= CALLED

    def _called(self, row: int) -> bool:
        """Whether a formal call on the ratio is open and its deadline has not passed."""
        episodes = self.desk.episodes
        return row >= 0 and episodes.called_index[row] >= 0 and not episodes.pursued[row]

    def _reaches(self, assets: int, debt: int, target: int) -> bool:
        return reaches(assets, debt, target, inclusive=self.desk.rules.inclusive("cured_at"))

    def _below(self, assets: int, debt: int, line: int) -> bool:
        return below(assets, debt, line, inclusive=self.desk.rules.inclusive("call_below"))

    def _intraday(
        self, account: int, before: int, level: int, at_target: bool, preset: Preset, moment: Moment
    ) -> None:
        row = self.desk.books.accounts.episode[account]
        if self._falls_at_once(account, before, level, preset, moment):
            self._immediate(account, moment)
        elif self._called(row):
            if moment.money_in and not at_target:
                self._notice(account, "partly_met", moment)
        elif level > before:
            if level >= BELOW_MIN > before:
                self._notice(account, "below_min", moment)
            elif row < 0:
                self._notice(account, "warned" if level < BELOW_MIN else "below_min", moment)
        elif level == NORMAL and row >= 0 and not self.desk.episodes.obliged[row]:
            self.end(row, "recovered", moment)

    def _falls_at_once(self, account: int, before: int, level: int, preset: Preset, moment: Moment) -> bool:
        """Whether the account is to be liquidated in real time: its level falls below that line now, or was
        there already when an event or a command put it under such a preset or gave it new hope.
        """
        if level != IMMEDIATE or preset.immediate_mode != REALTIME:
            return False
        if level > before:
            return True
        accounts, line = self.desk.books.accounts, preset.immediate or 0
        again = moment.own and not accounts.written_off[account]
        return again and self._below(accounts.assets(account), accounts.debt(account), line)

    def _settle(
        self,
        account: int,
        before: int,
        level: int,
        assets: int,
        debt: int,
        preset: Preset,
        moment: Moment,
    ) -> None:
        """The formal evaluation: on the exact ratio, not on the latched level."""
        accounts, episodes = self.desk.books.accounts, self.desk.episodes
        row = accounts.episode[account]
        hopeless = accounts.written_off[account]
        if preset.immediate is not None and self._below(assets, debt, preset.immediate) and not hopeless:
            self._immediate(account, moment)
        elif self._called(row):
            self._expire_when_due(row, moment)
        elif self._below(assets, debt, preset.min) and not hopeless:
            row = self.episode(account)
            episodes.call(row, self.desk.calendar.index, preset)
            episodes.reason[row] = RATIO
            tell_call(self.desk, row, "called", moment.ts)
            episodes.state[row] = max(episodes.state[row], CALLED)
            self.desk.watch(account, on=preset.cure_at == INTRADAY)
            self._expire_when_due(row, moment)
        else:
            at_target = self._reaches(assets, debt, preset.target)
            self._intraday(account, before, level, at_target, preset, moment)

    def _expire_when_due(self, row: int, moment: Moment) -> None:
        """The deadline of the ratio's call has passed if it was today or before; it may be the very day of
        the call.
        """
        episodes = self.desk.episodes
        days = self.desk.cure_days(row)[0] + episodes.extra_days[row]
        if self.desk.calendar.index < episodes.called_index[row] + days:
            return
        episodes.reason[row] = RATIO
        tell_call(self.desk, row, "expired", moment.ts)
        episodes.pursued[row] = PURSUED
        episodes.state[row] = max(episodes.state[row], EXPIRED)
        self.desk.watch(episodes.account[row], on=True)

    def _immediate(self, account: int, moment: Moment) -> None:
        row, episodes = self.episode(account), self.desk.episodes
        episodes.at_once[row] = 1
        episodes.reason[row] = RATIO
        tell_call(self.desk, row, "immediate", moment.ts)
        episodes.pursued[row] = PURSUED_AT_ONCE
        episodes.state[row] = AT_ONCE
        self.desk.watch(account, on=True)

    def _notice(self, account: int, event: str, moment: Moment) -> None:
        """A record of the ratio's side, whatever else is demanded."""
        row, episodes = self.episode(account), self.desk.episodes
        before, episodes.reason[row] = episodes.reason[row], RATIO
        tell_call(self.desk, row, event, moment.ts)
        episodes.reason[row] = before

    def _ratio_met(self, row: int, event: str, moment: Moment) -> None:
        """The ratio is back at its target: the end, unless something else has to be paid or returned."""
        episodes = self.desk.episodes
        account = episodes.account[row]
        if not episodes.obliged[row] or not owed(self.desk, account):
            self.end(row, event, moment)
            return
        self._notice(account, "partly_met", moment)
        episodes.called_index[row] = -1
        episodes.pursued[row] = NOT_PURSUED
        episodes.reason[row] = episodes.obliged[row]
        episodes.at_once[row] = int(episodes.obliged[row] == FREEZE)
        if episodes.state[row] == AT_ONCE and not episodes.at_once[row]:
            episodes.state[row] = EXPIRED

    def episode(self, account: int) -> int:
        """The account's open episode, opened if there is none."""
        accounts, day = self.desk.books.accounts, self.desk.books.day
        row = accounts.episode[account]
        if row < 0:
            number = accounts.episode_number[account] + 1 if accounts.episode_date[account] == day else 1
            accounts.episode_date[account], accounts.episode_number[account] = day, number
            row = self.desk.episodes.open(account, day, number)
            accounts.episode[account] = row
        return int(row)

    def end(self, row: int, event: str, moment: Moment) -> None:
        """The last record of an episode; it names forced orders still open, which are to be withdrawn."""
        desk = self.desk
        account = desk.episodes.account[row]
        names = [desk.orders.names[order] for order in desk.orders.of(account)]
        tell_call(desk, row, event, moment.ts, **({"withdrawn": names} if names else {}))
        desk.orders.close_all(account)
        desk.watch(account, on=False)
        desk.books.accounts.episode[account] = -1
        desk.books.accounts.written_off[account] = int(event == "shortfall")
        desk.episodes.end(row)
