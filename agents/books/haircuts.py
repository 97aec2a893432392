"""The haircuts that count today: what the broker published within the caps of the day (rulebook 4), filled
into the securities' table when a day begins and when reference data change.

P/E is reviewed weekly: the figure known on the first session of a week (that of the last close of the week
before) decides for the whole week. One said for the first time in between counts from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.books.securities import Securities
from agents.kernels import layout as at
from agents.rules.haircuts import class_cap, long_suspension, pe_limits
from agents.rules.schedule import Schedule
from schemas.reference import BOARDS, SECURITY_KINDS

_MEMBERS = (False, True, None)
"""Index membership by its column's value: 0, 1, -1."""
_STOCK = SECURITY_KINDS.index("stock")
_MONDAY = 4
"""Day number of the first Monday."""


def review_day(days: Sequence[int], day: int) -> bool:
    """Whether `day` is the first trading day of its week; `days` are the trading days so far."""
    if not days or days[-1] != day:
        return False
    return len(days) == 1 or (days[-2] - _MONDAY) // 7 < (day - _MONDAY) // 7


def fill_haircuts(securities: Securities, day: int, rules: Schedule, *, review: bool) -> None:
    """Sets HAIRCUT of every security for `day`; `review`: `day` is one on which P/E are reviewed."""
    table = securities.used("table")
    caps = _caps(day, rules)
    kind, board, member = table[:, at.KIND], table[:, at.BOARD], table[:, at.INDEX_MEMBER]
    given = table[:, at.GIVEN_HAIRCUT]
    haircut = np.minimum(given, caps[kind, board, member])
    missing = given < 0
    haircut[missing] = 0
    if rules.text("haircut_not_given", day) == "cap":
        haircut[missing] = caps[kind, board, np.maximum(member, 0)][missing]
    for column, name in ((at.ST, "haircut_st"), (at.DELISTING, "haircut_delisting")):
        entry = rules.find(name, day)
        if entry is not None and isinstance(entry.value, int):
            applies = table[:, column] > 0
            haircut[applies] = np.minimum(haircut[applies], entry.value)
    haircut[table[:, at.SUSPENDED_SESSIONS] > long_suspension(day, rules)] = 0
    haircut[_pe_zero(table, day, rules, review=review)] = 0
    table[:, at.HAIRCUT] = haircut


def _caps(day: int, rules: Schedule) -> NDArray[np.int64]:
    """The cap of each class [kind, board, index membership], 0 where there is none."""
    caps = np.zeros((len(SECURITY_KINDS), len(BOARDS), len(_MEMBERS)), dtype=np.int64)
    for k, kind in enumerate(SECURITY_KINDS):
        for b, board in enumerate(BOARDS):
            for m, member in enumerate(_MEMBERS):
                entry = class_cap(kind, member, board, day, rules)
                if entry is not None and isinstance(entry.value, int):
                    caps[k, b, m] = entry.value
    return caps


def _pe_zero(table: NDArray[np.int64], day: int, rules: Schedule, *, review: bool) -> NDArray[np.bool_]:
    """Stocks whose P/E takes their haircut away; notes the P/E that decides this week."""
    pe, reviewed = table[:, at.PE], table[:, at.PE_REVIEWED]
    limits = pe_limits(day, rules)
    weekly = limits is not None and rules.text("haircut_pe_review", day) == "weekly"
    takes = (reviewed == at.UNKNOWN_PE) | (review or not weekly)
    reviewed[takes] = pe[takes]
    if limits is None:
        return np.zeros(len(table), dtype=np.bool_)
    low, high = limits
    known = (table[:, at.KIND] == _STOCK) & (reviewed != at.UNKNOWN_PE)
    zero: NDArray[np.bool_] = known & ((reviewed < low) | (reviewed > high))
    return zero
