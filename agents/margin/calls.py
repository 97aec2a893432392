"""Levels and the life of a margin call (追保): what one evaluation of one account leads to (contract
section 3, rulebook 7.2).

A level is latched; an episode opens when it worsens, or at `settled` when the exact ratio is below the
minimum. What must be sold is only noted here (`due`): plans are made after every account of the evaluation
has been looked at.
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
from agents.margin.desk import Desk, Moment
from agents.margin.episodes import AT_ONCE, CALLED, EXPIRED, LIQUIDATING, NOTICE
from agents.margin.records import tell_call, tell_ratio
from agents.rules.presets import INTRADAY, REALTIME, Preset
from agents.rules.topup import reaches

_next_level = next_level.py_func
_beyond_bounds = beyond_bounds.py_func


class Calls:
    """Evaluates accounts one by one; `due` collects those for which a plan is to be made."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.due: list[int] = []

    def evaluate(self, account: int, moment: Moment, margin: int | None = None) -> None:
        """Brings level, public state and episode of an account up to its books. `margin`: its available
        margin, if known.
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
        if changed or (moment.settled and (debt > 0 or accounts.told_date[account] >= 0)):
            tell_ratio(desk, account, moment.ts, settled=moment.settled, margin=margin)
        if shown == UNPRICED or (
            level == before == NORMAL and accounts.episode[account] < 0 and not moment.settled
        ):
            return
        self._advance(account, before, level, assets, debt, moment)

    def _advance(self, account: int, before: int, level: int, assets: int, debt: int, moment: Moment) -> None:
        desk = self.desk
        row = desk.books.accounts.episode[account]
        if debt <= 0:
            if row >= 0:
                self.end(row, "recovered" if desk.episodes.state[row] == NOTICE else "closed", moment)
            return
        preset = desk.preset(account)
        at_target = reaches(assets, debt, preset.target)
        state = desk.episodes.state[row] if row >= 0 else -1
        if state >= EXPIRED:
            if at_target:
                self.end(row, "closed", moment)
            else:
                self.due.append(account)
        elif state == CALLED and at_target and (moment.settled or preset.cure_at == INTRADAY):
            self.end(row, "cured", moment)
        elif moment.settled:
            self._settle(account, before, level, assets, debt, preset, moment)
        else:
            self._intraday(account, before, level, at_target, preset, moment)

    def _intraday(
        self, account: int, before: int, level: int, at_target: bool, preset: Preset, moment: Moment
    ) -> None:
        row = self.desk.books.accounts.episode[account]
        called = row >= 0 and self.desk.episodes.state[row] == CALLED
        if level > before and level == IMMEDIATE and preset.immediate_mode == REALTIME:
            self._immediate(account, moment)
        elif called:
            if moment.money_in and not at_target:
                tell_call(self.desk, row, "partly_met", moment.ts)
        elif level > before:
            if level >= BELOW_MIN > before:
                self._tell(account, "below_min", moment)
            elif row < 0:
                self._tell(account, "warned" if level < BELOW_MIN else "below_min", moment)
        elif level == NORMAL and row >= 0:
            self.end(row, "recovered", moment)

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
        called = row >= 0 and episodes.state[row] == CALLED
        hopeless = accounts.written_off[account]
        if preset.immediate is not None and not reaches(assets, debt, preset.immediate) and not hopeless:
            self._immediate(account, moment)
        elif called:
            if (
                self.desk.calendar.index
                >= episodes.called_index[row] + preset.cure_by + episodes.extra_days[row]
            ):
                tell_call(self.desk, row, "expired", moment.ts)
                episodes.state[row] = EXPIRED
                self.desk.watch(account, on=True)
        elif not reaches(assets, debt, preset.min) and not hopeless:
            row = self._row(account)
            episodes.called_index[row] = self.desk.calendar.index
            tell_call(self.desk, row, "called", moment.ts)
            episodes.state[row] = CALLED
            self.desk.watch(account, on=preset.cure_at == INTRADAY)
        else:
            at_target = reaches(assets, debt, preset.target)
            self._intraday(account, before, level, at_target, preset, moment)

    def _immediate(self, account: int, moment: Moment) -> None:
        row = self._row(account)
        self.desk.episodes.at_once[row] = 1
        tell_call(self.desk, row, "immediate", moment.ts)
        self.desk.episodes.state[row] = AT_ONCE
        self.desk.watch(account, on=True)
        self.due.append(account)

    def _tell(self, account: int, event: str, moment: Moment) -> None:
        tell_call(self.desk, self._row(account), event, moment.ts)

    def _row(self, account: int) -> int:
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
        """The last record of an episode."""
        desk = self.desk
        account = desk.episodes.account[row]
        tell_call(desk, row, event, moment.ts)
        desk.orders.close_all(account)
        desk.watch(account, on=False)
        desk.books.accounts.episode[account] = -1
        desk.books.accounts.written_off[account] = int(event == "shortfall")
        desk.episodes.end(row)


def may_plan(desk: Desk, account: int, moment: Moment) -> bool:
    """Whether a plan may be made now for an account whose episode asks for one."""
    row = desk.books.accounts.episode[account]
    episodes = desk.episodes
    if row < 0 or episodes.held[row] or episodes.capped[row] or not desk.calendar.trading():
        return False
    if episodes.state[row] == EXPIRED:
        preset = desk.preset(account)
        first = episodes.called_index[row] + preset.liquidate_from + episodes.extra_days[row]
        return desk.calendar.index >= first
    if episodes.state[row] == LIQUIDATING:
        return (moment.begins or account in moment.progressed) and not desk.orders.of(account)
    return episodes.state[row] == AT_ONCE
