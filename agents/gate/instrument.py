"""A security as an order meets it: prices, limits and lot of the day, and what the account holds of it."""

from __future__ import annotations

from agents.books.book import Books
from agents.gate.day_rules import DayRules
from agents.kernels import layout as at
from agents.margin.calendar import CONTINUOUS, Calendar
from agents.rules.cage import buy_base, cage_ceiling, cage_floor, sell_base
from agents.rules.limits import limit_rule, price_limits, tick
from agents.rules.lots import BOND_KINDS, lot_rule
from agents.rules.values import Lot


class Instrument:
    """Prices in milli, <= 0 where not known; quantities in shares.

    `last` is today's last trade, `reference` the exchange's previous close, `mark` and `value` what a share
    counts at in debt and in assets. `held`, `frozen` and `locked` (bought today, T+1) are the account's.
    """

    __slots__ = (
        "_limits",
        "board",
        "calendar",
        "day",
        "delisting",
        "frozen",
        "held",
        "kind",
        "last",
        "locked",
        "lot",
        "lot_rule",
        "mark",
        "name",
        "position",
        "reference",
        "row",
        "rules",
        "short",
        "st",
        "table",
        "value",
    )

    def __init__(
        self, books: Books, calendar: Calendar, rules: DayRules, row: int, account: int, *, short_sale: bool
    ) -> None:
        securities, day = books.securities, books.day
        self.rules, self.day, self.row, self.calendar = rules, day, row, calendar
        self.name = securities.names[row]
        self._limits: tuple[int, int] | None = None
        self.kind, self.board = securities.kind(row), securities.board(row)
        self.table = securities
        self.st = securities.get(row, at.ST) == 1
        self.delisting = securities.get(row, at.DELISTING) == 1
        self.last = securities.last(row, day)
        self.reference = securities.reference_close(row, day)
        self.mark, self.value = securities.get(row, at.MARK), securities.get(row, at.VALUE)
        self.lot_rule, self.lot = self._lot(short_sale=short_sale)
        self.position = books.positions.find(account, row)
        self.held = self.frozen = self.locked = self.short = 0
        if self.position >= 0:
            rows = books.positions.rows
            self.held, self.frozen = rows.qty[self.position], rows.frozen[self.position]
            self.locked = rows.locked[self.position]
            self.short = rows.short[self.position]

    def get(self, column: int) -> int:
        """One figure of the security."""
        return self.table.get(self.row, column)

    @property
    def sellable(self) -> int:
        """Neither frozen nor bought today."""
        return max(0, self.held - self.frozen - self.locked)

    @property
    def step(self) -> int:
        """The price step, milli."""
        return tick(self.kind)

    def _lot(self, *, short_sale: bool) -> tuple[str, Lot]:
        """The parameter that gives the lot, and the lot."""
        bond = self.rules.lot("lot_short_bond") if short_sale and self.kind in BOND_KINDS else None
        if bond is not None:
            return "lot_short_bond", bond
        return lot_rule(self.board, self.kind), self.rules.lot_of(self.board, self.kind)

    def limits(self) -> tuple[int, int]:
        """Lowest and highest legal price of the day, published before computed; -1 where there is none."""
        if self._limits is None:
            self._limits = self._find_limits()
        return self._limits

    def _find_limits(self) -> tuple[int, int]:
        down, up = self.table.limit_down(self.row, self.day), self.table.limit_up(self.row, self.day)
        if (down <= 0 or up <= 0) and self.reference > 0:
            computed = price_limits(
                self.board,
                self.kind,
                self.day,
                self.reference,
                st=self.st,
                delisting=self.delisting,
                schedule=self.rules.schedule,
            )
            if computed is not None:
                down, up = down if down > 0 else computed.down, up if up > 0 else computed.up
        return down, up

    @property
    def limit_rule(self) -> str:
        """The parameter that gives the limits of the day."""
        return limit_rule(self.board, self.day, self.rules.schedule, st=self.st, delisting=self.delisting)

    def continuous(self) -> bool:
        """Whether the security is in continuous auction: cages hold there only."""
        market = self.name[-2:]
        trading = self.calendar.phases.get(market) == CONTINUOUS and market not in self.calendar.halted
        return trading and self.table.quoted(self.row, at.HALTED, self.day) != 1

    def cage(self, *, buys: bool) -> tuple[int | None, int]:
        """The lowest legal sale or highest legal purchase in continuous auction (None: no cage), and its
        base.
        """
        quoted = self.table.quoted
        bid = quoted(self.row, at.BID_PRICE, self.day)
        ask = quoted(self.row, at.ASK_PRICE, self.day)
        base = (buy_base if buys else sell_base)(bid, ask, self.last, self.reference)
        if base is None or not self.continuous():
            return None, -1
        bound = cage_ceiling if buys else cage_floor
        return bound(self.board, self.kind, self.day, base, self.rules.schedule), base

    def suspended(self) -> bool:
        """Suspended for the day: reference data say so, or quotes say halted and nothing has traded today. A
        halt after trades is one within the day, during which orders are accepted (rulebook 16.1).
        """
        if self.get(at.SUSPENDED) == 1:
            return True
        return self.table.quoted(self.row, at.HALTED, self.day) == 1 and self.last <= 0
