"""The side of an episode that no ratio heals: what matured, what a court froze, what a credit line's end
made due (rulebook 7.1).

It runs beside the ratio's side with a clock of its own. Matured and unpaid when the day is settled: `called`,
and `expired` at once, for the deadline was that day; liquidation from the next session. A due date on which
nothing was traded is found out when the next day begins, and is treated as if the day before had ended with
it. A court's order: `immediate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.margin.desk import Desk, Moment
from agents.margin.episodes import (
    AT_ONCE,
    CALLED,
    EXPIRED,
    FREEZE,
    LIQUIDATING,
    NOT_PURSUED,
    PURSUED_AT_ONCE,
    RATIO,
)
from agents.margin.obligations import Obligations, due_now, last_due_day, owed
from agents.margin.records import tell_call
from schemas.alerts import CALL_REASONS

if TYPE_CHECKING:
    from agents.margin.calls import Calls


def may_be_obliged(calls: Calls, account: int) -> bool:
    """Whether the evaluation has to look at what an account must pay or return."""
    return account in calls.obliged or calls.desk.courts.hold(calls.desk.books.accounts.names[account])


def bring_up(calls: Calls, account: int, moment: Moment, *, told: bool = False) -> None:
    """Brings this side of an account's episode up to its books. `told`: this evaluation has said something of
    the episode already.
    """
    desk = calls.desk
    row = desk.books.accounts.episode[account]
    obliged = desk.episodes.obliged[row] if row >= 0 else 0
    if not obliged and not may_be_obliged(calls, account):
        return
    what = owed(desk, account)
    if not what:
        if obliged:
            _met(calls, row, moment, told=told)
    elif desk.books.accounts.written_off[account]:
        return
    elif CALL_REASONS.index(what.reason) == FREEZE:
        if obliged != FREEZE:
            _at_once(calls, account, moment)
    elif moment.settled or moment.opens:
        _call(calls, account, what, moment)
    elif obliged == FREEZE:
        _release(desk, row, what)
    elif moment.money_in and desk.episodes.state[row] == CALLED and not told:
        tell_call(desk, row, "partly_met", moment.ts)


def _at_once(calls: Calls, account: int, moment: Moment) -> None:
    """A court's order: the whole debt is due."""
    desk, episodes = calls.desk, calls.desk.episodes
    row = calls.episode(account)
    episodes.obliged[row] = episodes.reason[row] = FREEZE
    episodes.obliged_index[row] = desk.calendar.index
    episodes.at_once[row] = 1
    tell_call(desk, row, "immediate", moment.ts)
    episodes.state[row] = AT_ONCE
    desk.watch(account, on=True)


def _release(desk: Desk, row: int, what: Obligations) -> None:
    """The court's order is lifted, but something has matured as well."""
    episodes = desk.episodes
    episodes.obliged[row] = CALL_REASONS.index(what.reason)
    episodes.obliged_index[row] = desk.calendar.index
    episodes.at_once[row] = int(episodes.pursued[row] == PURSUED_AT_ONCE)


def _call(calls: Calls, account: int, what: Obligations, moment: Moment) -> None:
    """Matured, or the credit line has ended: told once for every date on which something falls due."""
    desk, episodes = calls.desk, calls.desk.episodes
    row, index = calls.episode(account), desk.calendar.index
    fresh = not episodes.obliged[row]
    if episodes.obliged[row] == FREEZE:
        _release(desk, row, what)
    if fresh:
        episodes.obliged[row] = CALL_REASONS.index(what.reason)
        episodes.obliged_index[row] = index if moment.settled else index - 1
    if what.latest > episodes.obliged_date[row]:
        episodes.obliged_date[row] = last_due_day(desk)
        if not (moment.settled and episodes.called_index[row] == index):
            episodes.reason[row] = episodes.obliged[row]
            tell_call(desk, row, "called", moment.ts)
    if not fresh and episodes.state[row] != CALLED:
        return
    episodes.state[row] = max(episodes.state[row], CALLED)
    if index >= episodes.obliged_index[row] + episodes.extra_days[row]:
        episodes.reason[row] = episodes.obliged[row]
        tell_call(desk, row, "expired", moment.ts)
        episodes.state[row] = max(episodes.state[row], EXPIRED)
        desk.watch(account, on=True)


def _met(calls: Calls, row: int, moment: Moment, *, told: bool) -> None:
    """Nothing has to be paid or returned any more: the end, unless the ratio is still below its target."""
    desk, episodes = calls.desk, calls.desk.episodes
    account = episodes.account[row]
    episodes.reason[row] = episodes.obliged[row]
    if episodes.called_index[row] < 0 and episodes.pursued[row] == NOT_PURSUED:
        calls.end(row, "cured" if episodes.state[row] == CALLED else "closed", moment)
        return
    if not told:
        tell_call(desk, row, "partly_met", moment.ts)
    episodes.reason[row] = RATIO
    episodes.obliged[row] = 0
    episodes.obliged_index[row] = episodes.obliged_date[row] = -1
    episodes.at_once[row] = int(episodes.pursued[row] == PURSUED_AT_ONCE)
    if episodes.pursued[row] == NOT_PURSUED:
        episodes.state[row] = CALLED
    elif episodes.state[row] == LIQUIDATING and not due_now(desk, account).to_target:
        episodes.state[row] = EXPIRED
    if episodes.state[row] <= EXPIRED:
        desk.orders.close_all(account)
