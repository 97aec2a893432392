"""How a holding is valued today (估值, rulebook 1.4 `px.special`), filled into the table of securities when
a day begins and when reference data change: for how many sessions a security has been suspended, and which
policy that or its state brings.

A policy published for the security wins until its next reference record; then delisting, risk warning (ST),
a long suspension. Sessions are trading days this shard has seen: of a suspension that began before the first
of them the earlier days are not known and not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.books.securities import Securities
from agents.kernels import layout as at
from agents.rules.haircuts import long_suspension
from agents.rules.schedule import Schedule
from schemas.reference import VALUATIONS


def end_suspensions(securities: Securities) -> None:
    """A new day begins: what trades again will be counted anew when it is suspended again."""
    table = securities.used("table")
    trades = table[:, at.SUSPENDED] <= 0
    table[trades, at.SUSPENDED_FROM] = -1
    table[trades, at.INDEX_BASE] = -1


def fill_sessions(securities: Securities, days: Sequence[int]) -> None:
    """Sets SUSPENDED_SESSIONS; `days` are the trading days so far, the current one last."""
    table = securities.used("table")
    suspended, since = table[:, at.SUSPENDED] > 0, table[:, at.SUSPENDED_SINCE]
    begun = table[:, at.SUSPENDED_FROM]
    begun[suspended & (begun < 0)] = max(0, len(days) - 1)
    told = suspended & (since >= 0)
    begun[told] = np.minimum(begun[told], np.searchsorted(np.asarray(days, dtype=np.int64), since[told]))
    table[:, at.SUSPENDED_SESSIONS] = np.where(suspended, len(days) - begun, 0)


def fill_policies(securities: Securities, day: int, rules: Schedule) -> None:
    """Sets POLICY and FAIR_PRICE of every security for `day`."""
    table = securities.used("table")
    long = table[:, at.SUSPENDED_SESSIONS] > long_suspension(day, rules)
    policy = np.zeros(len(table), dtype=np.int64)
    for applies, name in (
        (long, "suspended_policy"),
        (table[:, at.ST] > 0, "valuation_st"),
        (table[:, at.DELISTING] > 0, "valuation_delisting"),
    ):
        chosen = VALUATIONS.index(rules.text(name, day))
        if chosen != at.POLICY_LAST:
            policy[applies] = chosen
    published = table[:, at.GIVEN_POLICY] >= 0
    policy[published] = table[published, at.GIVEN_POLICY]
    table[:, at.POLICY] = policy
    table[:, at.FAIR_PRICE] = table[:, at.GIVEN_FAIR]
    _adjust_by_index(securities, table, day, rules)


def _adjust_by_index(securities: Securities, table: NDArray[np.int64], day: int, rules: Schedule) -> None:
    """Where no fair price is published: last close x index now / index when the suspension began, half up,
    with the index of the rules, once a day at its previous close.
    """
    name = rules.entry("suspended_index", day).value
    index = securities.index.get(str(name), -1) if name is not None else -1
    level = int(table[index, at.CARRIED]) if index >= 0 else -1
    if level <= 0:
        return
    fresh = (table[:, at.SUSPENDED] > 0) & (table[:, at.INDEX_BASE] < 0)
    table[fresh, at.INDEX_BASE] = level
    wanting = (table[:, at.POLICY] == at.POLICY_INDEX_ADJUSTED) & (table[:, at.FAIR_PRICE] < 0)
    for row in np.flatnonzero(wanting & (table[:, at.INDEX_BASE] > 0) & (table[:, at.CARRIED] > 0)).tolist():
        base = int(table[row, at.INDEX_BASE])
        table[row, at.FAIR_PRICE] = (2 * int(table[row, at.CARRIED]) * level + base) // (2 * base)
