"""Securities: marks, quotes, reference data of the day, per-day flows. One row each, by name.

A published reference record holds until the next one for its security; previous close and limits hold for
their date only. Records of a later date wait until that day begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import Columns, numbers, texts
from agents.kernels import layout as at
from schemas.reference import BOARDS, SECURITY_KINDS, VALUATIONS, SecurityReference
from schemas.units import DAY_MS, SHANGHAI_OFFSET_MS, shanghai_day

BUYS, REPAYMENTS, SHORT_SALES, RETURNS = range(4)
"""Columns of `flows`: milli for the first two, shares for the others; of the current day."""

_WIDTH = at.SECURITY_WIDTH
_PREFIX_BOARDS = (
    ("688", "star"),
    ("689", "star"),
    ("300", "chinext"),
    ("301", "chinext"),
    ("302", "chinext"),
)


def board_of(security: str) -> str:
    """The board that a code stands for, where no reference record says it."""
    if security.endswith(".BJ"):
        return "bse"
    return next((board for prefix, board in _PREFIX_BOARDS if security.startswith(prefix)), "main")


class Securities(Columns):
    """Security rows; `table` as in agents.kernels.layout (flat: row * SECURITY_WIDTH + column), `flows`
    int64[n, 4] (flat as well).
    """

    table: memoryview = numbers("i8", -1, _WIDTH)
    flows: memoryview = numbers("i8", 0, 4)
    names: list[str] = texts()

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, int] = {}

    def add(self, name: str) -> int:
        """A security never heard of: no price yet, an ordinary share of its code's board."""
        row = self.append()
        self.names[row] = name
        self.index[name] = row
        for column in (at.POLICY, at.SUSPENDED, at.KIND, at.ST, at.HAIRCUT, at.DELISTING):
            self.table[row * _WIDTH + column] = 0
        self.table[row * _WIDTH + at.SUSPENDED_SESSIONS] = 0
        for column in (at.PE, at.PE_REVIEWED):
            self.table[row * _WIDTH + column] = at.UNKNOWN_PE
        self.table[row * _WIDTH + at.BOARD] = BOARDS.index(board_of(name))
        return row

    def get(self, row: int, column: int) -> int:
        """One figure of a security."""
        return self.table[row * _WIDTH + column]

    def kind(self, row: int) -> str:
        """Kind of security by its contract name."""
        return SECURITY_KINDS[self.get(row, at.KIND)]

    def board(self, row: int) -> str:
        """Board by its contract name."""
        return BOARDS[self.get(row, at.BOARD)]

    def refer(self, row: int, reference: SecurityReference, day: int, *, taken_off: bool = False) -> None:
        """Takes a reference record of `day` or before; a later one, or one older than the last taken, is
        ignored. `taken_off`: the day's rules take the security off the lists of underlying securities.
        """
        cells = self.array("table")[row]
        if not cells[at.REFERENCE_DATE] <= reference.date <= day:
            return
        cells[at.REFERENCE_DATE] = reference.date
        cells[at.KIND] = SECURITY_KINDS.index(reference.kind)
        cells[at.BOARD] = BOARDS.index(reference.board)
        cells[at.GIVEN_POLICY] = -1 if reference.valuation is None else VALUATIONS.index(reference.valuation)
        cells[at.GIVEN_FAIR] = _or_none(reference.fair_price)
        cells[at.SUSPENDED_SINCE] = -1 if reference.suspended_since is None else reference.suspended_since
        for column, truth in (
            (at.ST, reference.st),
            (at.SUSPENDED, reference.suspended),
            (at.DELISTING, reference.delisting),
        ):
            cells[column] = int(bool(truth))
        for column, figure in (
            (at.HAIRCUT, reference.haircut),
            (at.GIVEN_HAIRCUT, reference.haircut),
            (at.FINANCING_MARGIN, reference.financing_margin),
            (at.LENDING_MARGIN, reference.lending_margin),
            (at.ADV_20, reference.adv_20),
            (at.PE, reference.pe_static),
            (at.LENDABLE, reference.lendable_qty),
            (at.FLOAT_SHARES, reference.float_shares),
            (at.LAST_TRADING_DAY, reference.last_trading_day),
        ):
            if figure is not None:
                cells[column] = figure
        for column, price in (
            (at.REFERENCE_LIMIT_UP, reference.limit_up),
            (at.REFERENCE_LIMIT_DOWN, reference.limit_down),
        ):
            cells[column] = _or_none(price)
        if reference.prev_close and reference.date >= cells[at.PREV_DATE]:
            cells[at.PREV_CLOSE] = reference.prev_close
            cells[at.PREV_DATE] = reference.date
        _take_lists(cells, reference, taken_off=taken_off)

    def begin_day(self, day: int) -> None:
        """`day` begins with yesterday's marks, without flows, and with the prices that waited for it. What
        there is to lend is less what was sold short yesterday and more what came back.
        """
        table, flows = self.used("table"), self.used("flows")
        table[:, at.CARRIED] = table[:, at.MARK]
        left = np.maximum(table[:, at.LENDABLE] - flows[:, SHORT_SALES] + flows[:, RETURNS], 0)
        table[:, at.LENDABLE] = np.where(table[:, at.LENDABLE] < 0, -1, left)
        flows[:] = 0
        waited = (table[:, at.NEXT_PRICE] >= 0) & (_dates(table[:, at.NEXT_TS]) <= day)
        newer = waited & (table[:, at.NEXT_TS] >= table[:, at.PRICE_TS])
        table[newer, at.PRICE : at.PRICE_OFFSET + 1] = table[newer, at.NEXT_PRICE : at.NEXT_OFFSET + 1]
        table[waited, at.NEXT_PRICE : at.NEXT_OFFSET + 1] = -1

    def marks(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(mark, value) int64[n] that hold on `day` (rulebook 1.4): today's latest observation, else the
        previous close that the newest quote or reference data name for today, else what was carried over,
        else an observation of an earlier day; -1 where there is nothing.
        """
        table = self.used("table")
        seen, quoted = _dates(table[:, at.PRICE_TS]), _dates(table[:, at.QUOTE_TS])
        has, mark = table[:, at.PRICE] >= 0, table[:, at.CARRIED].copy()
        for known, column in (
            ((mark < 0) & has & (seen < day), at.PRICE),
            ((table[:, at.PREV_DATE] == day) & (table[:, at.PREV_CLOSE] > 0), at.PREV_CLOSE),
            ((quoted == day) & (table[:, at.QUOTE_PREV_CLOSE] > 0), at.QUOTE_PREV_CLOSE),
            (has & (seen == day), at.PRICE),
        ):
            mark[known] = table[known, column]
        policy, fair = table[:, at.POLICY], table[:, at.FAIR_PRICE]
        value = np.where((policy != at.POLICY_LAST) & (fair >= 0), fair, mark)
        value[policy == at.POLICY_EXCLUDE] = 0
        return mark, value

    def last(self, row: int, day: int) -> int:
        """Latest price observed on `day`, -1 if none."""
        return self.get(row, at.PRICE) if shanghai_day(self.get(row, at.PRICE_TS)) == day else -1

    def quoted(self, row: int, column: int, day: int) -> int:
        """A field of the newest quote if that is of `day`, else -1."""
        return self.get(row, column) if shanghai_day(self.get(row, at.QUOTE_TS)) == day else -1

    def of_day(self, row: int, quoted: int, referred: int, dated: int, day: int) -> int:
        """A price of `day` by the newest quote (column `quoted`), else by reference data (`referred`, of
        the date in `dated`).
        """
        price = self.quoted(row, quoted, day)
        if price <= 0 and self.get(row, dated) == day:
            price = self.get(row, referred)
        return price if price > 0 else -1

    def limit_up(self, row: int, day: int) -> int:
        """Upper price limit of `day`, -1 if not published."""
        return self.of_day(row, at.LIMIT_UP, at.REFERENCE_LIMIT_UP, at.REFERENCE_DATE, day)

    def limit_down(self, row: int, day: int) -> int:
        """Lower price limit of `day`, -1 if not published."""
        return self.of_day(row, at.LIMIT_DOWN, at.REFERENCE_LIMIT_DOWN, at.REFERENCE_DATE, day)

    def prev_close(self, row: int, day: int) -> int:
        """Previous close named for `day`, -1 if nobody did."""
        return self.of_day(row, at.QUOTE_PREV_CLOSE, at.PREV_CLOSE, at.PREV_DATE, day)

    def reference_close(self, row: int, day: int) -> int:
        """The previous close that limits, uptick and cage are reckoned from: named for `day`, else the one
        carried over, which an ex-date has adjusted (rulebook 11); -1 where there is none.
        """
        named = self.prev_close(row, day)
        return named if named > 0 else self.get(row, at.CARRIED)

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Columns, names and the index of names."""
        super().restore(prefix, snapshot)
        self.index = {name: row for row, name in enumerate(self.names)}


def _dates(ts: NDArray[np.int64]) -> NDArray[np.int64]:
    return (ts + SHANGHAI_OFFSET_MS) // DAY_MS


def _take_lists(cells: NDArray[np.int64], reference: SecurityReference, *, taken_off: bool) -> None:
    """What dated lists say: index membership (-1 when not said), and the underlying securities (标的证券).

    Dated lists win: what is taken off stays where the same record says that the list still names it.
    """
    cells[at.INDEX_MEMBER] = -1 if reference.index_member is None else int(reference.index_member)
    for column, listed in (
        (at.FINANCING_LISTED, reference.financing),
        (at.LENDING_LISTED, reference.lending),
    ):
        if listed is not None:
            cells[column] = int(listed)
        elif taken_off:
            cells[column] = 0


def _or_none(price: int | None) -> int:
    return price if price is not None and price > 0 else -1
