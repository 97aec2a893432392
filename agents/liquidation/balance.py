"""The account's balance while a plan is made: exact integers, one step a repayment, sale or cover. Rulebook
7.3.

Amounts are milli times 1e6, so that costs (1e-6 of a value) stay whole. The distance to the target is `gap
= T * Dt - V`, milli times 1e10; a step moves it by a constant per share, which is what makes quantities
exact:

    repay c    gap falls by c * (T - 1)
    sell q     gap falls by q * (T * pe * (1 - k) - pm)      proceeds repay at once
    cover q    gap falls by q * (T * pm - pe * (1 + k))
"""

from dataclasses import dataclass

from agents.liquidation.situation import Situation
from agents.rules.costs import STOCK, buy_cost, sell_cost
from agents.rules.schedule import Schedule
from schemas.units import RATE_SCALE, RATIO_SCALE

EXACT = RATE_SCALE
"""Exact amounts are milli times this."""
_GAP = EXACT * RATIO_SCALE


@dataclass(slots=True)
class Balance:
    """Exact amounts (milli x 1e6): assets, debt, what money can repay, what of it must be repaid whatever
    the ratio, own cash, short-sale proceeds.
    """

    target: int
    day: int
    commission: int
    rules: Schedule | None
    assets: int
    debt: int
    repayable: int
    must_repay: int
    own_cash: int
    short_proceeds: int

    @classmethod
    def of(cls, situation: Situation) -> "Balance":
        """The balance before the first order."""
        return cls(
            target=situation.target,
            day=situation.day,
            commission=situation.commission,
            rules=situation.rules,
            assets=situation.assets * EXACT,
            debt=situation.debt * EXACT,
            repayable=situation.repayable * EXACT,
            must_repay=min(situation.must_repay, situation.repayable) * EXACT,
            own_cash=situation.free_cash * EXACT,
            short_proceeds=situation.short_proceeds * EXACT,
        )

    @property
    def gap(self) -> int:
        """T * Dt - V in milli x 1e10; the target is reached when it is not positive."""
        return self.target * self.debt - self.assets * RATIO_SCALE

    @property
    def cash(self) -> int:
        """What may pay for covering: short-sale proceeds and own cash."""
        return self.short_proceeds + self.own_cash

    def repayment_needed(self) -> int:
        """The own cash (milli, rounded up to 0.01 yuan) which alone reaches the target."""
        per_fen = (self.target - RATIO_SCALE) * EXACT * 10
        return max(0, -(-self.gap // per_fen) * 10)

    def sale_unit(self, expected: int, kind: str) -> int:
        """Net proceeds of one share (milli x 1e6)."""
        return expected * (RATE_SCALE - sell_cost(self.day, self.commission, kind, self.rules))

    def cover_unit(self, expected: int, kind: str) -> int:
        """What buying one share costs (milli x 1e6)."""
        return expected * (RATE_SCALE + buy_cost(self.day, self.commission, kind, self.rules))

    def sale_gain(self, mark: int, expected: int, kind: str) -> int:
        """How far one share sold to repay closes the gap; not positive: selling lowers the ratio or cannot
        cure.
        """
        return self.target * self.sale_unit(expected, kind) - mark * _GAP

    def cover_gain(self, mark: int, expected: int, kind: str) -> int:
        """How far one share covered closes the gap."""
        return self.target * mark * EXACT - self.cover_unit(expected, kind) * RATIO_SCALE

    def repay(self, amount: int) -> None:
        """Repay `amount` milli from own cash."""
        self.own_cash -= amount * EXACT
        self._pay(amount * EXACT)
        self.assets -= amount * EXACT

    def sell(self, qty: int, mark: int, expected: int, kind: str, *, repays: bool = True) -> None:
        """Sell at the expected price; proceeds repay what can be repaid if the sale is one that `repays`, the
        rest stays as own cash.
        """
        proceeds = qty * self.sale_unit(expected, kind)
        paid = min(proceeds, self.repayable) if repays else 0
        self.assets += proceeds - paid - qty * mark * EXACT
        self._pay(paid)
        self.own_cash += proceeds - paid

    def _pay(self, paid: int) -> None:
        self.debt -= paid
        self.repayable -= paid
        self.must_repay = max(0, self.must_repay - paid)

    def cover(self, qty: int, mark: int, expected: int, kind: str) -> None:
        """Buy and return; short-sale proceeds pay first, then own cash."""
        price = qty * self.cover_unit(expected, kind)
        self.assets -= price
        self.debt -= qty * mark * EXACT
        from_proceeds = min(price, self.short_proceeds)
        self.short_proceeds -= from_proceeds
        self.own_cash -= price - from_proceeds

    def gross_needed(self) -> int:
        """Value at mark (milli, rounded up) of the stock sale, or of the cover where no money is owed, that
        reaches the target at a price equal to the mark; the whole debt where none can.
        """
        if self.gap <= 0:
            return 0
        if self.repayable > 0:
            per_milli = self.target * self._sale_rate() - _GAP
        else:
            bought = RATE_SCALE + buy_cost(self.day, self.commission, STOCK, self.rules)
            per_milli = self.target * EXACT - bought * RATIO_SCALE
        if per_milli <= 0 or self.assets < self.debt:
            return -(-self.debt // EXACT)
        return -(-self.gap // per_milli)

    def gross_owed(self) -> int:
        """Value at mark (milli, rounded up) of the stock sale that pays what must be repaid."""
        return -(-self.must_repay // self._sale_rate())

    def _sale_rate(self) -> int:
        return RATE_SCALE - sell_cost(self.day, self.commission, STOCK, self.rules)
