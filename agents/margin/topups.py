"""What the open calls of a shard still ask for at `settled`: outstanding and long-outstanding top-up amounts
(追保金额), as `system.events` of kind `topups`, to be summed over the shards.

A call counts from `called` or `immediate` until it ends, with the cash that would bring its ratio to the
target now; what must be repaid for other reasons (matured contracts) is counted beside it. It is long
outstanding once it is as many trading days old as the parameter `long_outstanding_sessions` says.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from agents.margin.desk import Desk
from agents.margin.episodes import CALLED
from agents.margin.obligations import owed
from agents.rules.topup import shortfall_milli
from schemas.topics import SYSTEM_EVENTS
from schemas.units import format_day, format_money

TOPUPS = "topups"
_LONG = "long_outstanding_sessions"

Sums = list[int]
"""Number of calls, cash to their targets, obligations (milli)."""


def tell_topups(desk: Desk, ts: int) -> None:
    """Publishes the totals of the day; at a second `settled` only if they changed."""
    every, old = _totals(desk)
    now = [desk.books.day, *every, *old]
    if now == desk.told_topups:
        return
    desk.told_topups = now
    shard, day = desk.config.shard, format_day(desk.books.day)
    entry = desk.rules.entry(_LONG, desk.books.day)
    record = {
        "id": f"{TOPUPS}:{shard}:{day}:{ts}",
        "ts": ts,
        "kind": TOPUPS,
        "shard": shard,
        "date": day,
        "text": f"open calls: {every[0]}, {format_money(every[1])} yuan short of their targets; "
        f"long outstanding: {old[0]}",
        "figures": {
            "outstanding": _figures(every),
            "long_outstanding": _figures(old),
            "long_after_sessions": entry.value,
            "rule": entry.rule,
        },
    }
    desk.say(SYSTEM_EVENTS, TOPUPS, record)


def _totals(desk: Desk) -> tuple[Sums, Sums]:
    """Of all open calls, and of the old ones."""
    episodes, accounts = desk.episodes, desk.books.accounts
    long = desk.rules.number(_LONG, desk.books.day)
    every, old = [0, 0, 0], [0, 0, 0]
    for account in episodes.living():
        row = accounts.episode[account]
        if episodes.state[row] < CALLED:
            continue
        asked, due = 0, 0
        if episodes.called_index[row] >= 0 or episodes.pursued[row]:
            target = desk.preset(account).target
            asked = shortfall_milli(accounts.assets(account), accounts.debt(account), target)
        if episodes.obliged[row]:
            due = owed(desk, account).money
        for sums in (every, old) if _age(desk, row) >= long else (every,):
            sums[0] += 1
            sums[1] += asked
            sums[2] += due
    return every, old


def _age(desk: Desk, row: int) -> int:
    """Trading days since the episode's first day."""
    days = desk.calendar.days
    return len(days) - bisect_right(days, desk.episodes.date[row])


def _figures(sums: Sums) -> dict[str, Any]:
    calls, shortfall, obligations = sums
    return {
        "calls": calls,
        "shortfall": format_money(shortfall),
        "obligations": format_money(obligations),
    }
