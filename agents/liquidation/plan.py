"""The planner: from a `Situation` to a `Plan`, a pure function. Rulebook 7.3 and 7.4.

Own free cash repays first; then holdings are sold to repay, in a fixed order (days to liquidate,
concentration excess, market value, code); then shorts are covered, the largest loss first, from short-sale
proceeds, own cash and, where both fall short, the sale of what is left. Every quantity is the smallest
legal one that reaches the target. An account worth less than its debt is liquidated fully.
"""

from dataclasses import dataclass
from fractions import Fraction

from agents.liquidation.balance import EXACT, Balance
from agents.liquidation.prices import highest_cover_price, lowest_sale_price
from agents.liquidation.situation import (
    BOUGHT_TODAY,
    FROZEN,
    LOWERS_RATIO,
    NO_CASH,
    NO_PRICE,
    ODD_LOT,
    Holding,
    Plan,
    PlannedOrder,
    Short,
    Situation,
)
from agents.rules.lots import lot, round_down, round_up, sale_of_at_least, split
from schemas.units import RATIO_SCALE

_FEN = 10

REPAY_REASON = "own free cash repays first"
SELL_REASON = "sold to repay: liquidity, then concentration, market value, code"
RAISE_REASON = "sold to pay for covering shorts"
COVER_REASON = "shorts with the largest loss are covered first"


def make_plan(situation: Situation) -> Plan:
    """The smallest legal orders, in the rulebook's order, that bring the account to its target ratio.

    Raises ValueError for a target not above 1.00.
    """
    if situation.target <= RATIO_SCALE:
        raise ValueError(f"a target of {situation.target} cannot be reached by selling")
    return _Planner(situation).run()


def _disposal_order(holding: Holding) -> tuple[bool, Fraction, int, int, str]:
    days = holding.days_to_liquidate
    return (
        days is None,
        Fraction(*days) if days is not None else Fraction(0),
        -holding.concentration_excess,
        -holding.qty * holding.mark,
        holding.security,
    )


def _why_kept(holding: Holding) -> str | None:
    """Why nothing of a holding can be sold, or None."""
    return holding.why_unsellable or (NO_PRICE if holding.expected <= 0 else None)


def _cover_order(short: Short) -> tuple[int, str]:
    return (-(short.mark - short.sale_price) * short.qty, short.contract)


@dataclass(slots=True)
class _Leg:
    """A holding that can be sold, and what is left to sell of it."""

    holding: Holding
    left: int
    to_repay: int = 0
    to_cover: int = 0


class _Planner:
    """One plan in the making: the balance moves with every order that is added."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.balance = Balance.of(situation)
        self.everything = situation.assets < situation.debt
        free = [
            holding
            for holding in situation.holdings
            if holding.why_unsellable is None and holding.expected > 0
        ]
        self.legs = [_Leg(holding, holding.sellable) for holding in sorted(free, key=_disposal_order)]
        self.repaid = 0
        self.covered: list[tuple[Short, int]] = []
        self.kept: list[tuple[str, int, str]] = []

    def run(self) -> Plan:
        """Repay, sell, cover; then write down orders and residual."""
        needed = 0
        if self._wanting():
            self._repay_from_cash()
            needed = self.balance.gross_needed()
            for leg in self.legs:
                self._sell_to_repay(leg)
            for short in sorted(self.situation.shorts, key=_cover_order):
                self._cover(short)
        after = self.balance
        return Plan(
            orders=tuple(self._orders()),
            residual=tuple(self._residual()),
            needed=needed,
            planned=self._planned(),
            still_needed=after.gross_needed(),
            ratio_after=(after.assets, after.debt),
            reaches_target=after.gap <= 0,
        )

    def _wanting(self) -> bool:
        """Whether orders are still wanted. An account worth less than its debt is sold until nothing can be
        repaid.
        """
        return self.everything or self.balance.gap > 0

    def _repay_from_cash(self) -> None:
        """Whole fen of own cash, as many as the target asks for and the debt takes."""
        wanted = self.situation.repayable if self.everything else self.balance.repayment_needed()
        amount = min(self.situation.free_cash, self.situation.repayable, wanted) // _FEN * _FEN
        if amount > 0:
            self.balance.repay(amount)
            self.repaid = amount

    def _sell_to_repay(self, leg: _Leg) -> None:
        holding, balance = leg.holding, self.balance
        if not self._wanting() or balance.repayable < _FEN * EXACT or leg.left <= 0:
            return
        if not self._worth_selling(holding):
            self.kept.append((holding.security, leg.left, LOWERS_RATIO))
            return
        wanted = -(-balance.repayable // balance.sale_unit(holding.expected, holding.kind))
        if not self.everything:
            gain = balance.sale_gain(holding.mark, holding.expected, holding.kind)
            wanted = min(wanted, -(-balance.gap // gain))
        leg.to_repay = self._sell(leg, wanted)

    def _worth_selling(self, holding: Holding) -> bool:
        """Whether a sale at the expected price closes the gap rather than widens it."""
        return self.everything or self.balance.sale_gain(holding.mark, holding.expected, holding.kind) > 0

    def _sell(self, leg: _Leg, wanted: int) -> int:
        holding = leg.holding
        qty = sale_of_at_least(lot(holding.board, holding.kind, self.situation.day), wanted, leg.left)
        self.balance.sell(qty, holding.mark, holding.expected, holding.kind)
        leg.left -= qty
        return qty

    def _raise_cash(self, missing: int) -> bool:
        """Sell so that about `missing` (milli x 1e6) more can be spent on covering; whether anything was
        sold.
        """
        raised = 0
        for leg in self.legs:
            if raised >= missing:
                break
            if not self._worth_selling(leg.holding):
                continue
            unit = self.balance.sale_unit(leg.holding.expected, leg.holding.kind)
            qty = self._sell(leg, -(-(missing - raised) // unit))
            leg.to_cover += qty
            raised += qty * unit
        return raised > 0

    def _cover(self, short: Short) -> None:
        balance = self.balance
        why = short.why_uncoverable or (NO_PRICE if short.expected <= 0 else None)
        if why is not None:
            self.kept.append((short.security, short.qty, why))
            return
        if not self._wanting():
            return
        gain = balance.cover_gain(short.mark, short.expected, short.kind)
        if gain <= 0 and not self.everything:
            self.kept.append((short.security, short.qty, LOWERS_RATIO))
            return
        done, why = self._buy(short, gain)
        if done:
            self.covered.append((short, done))
        if why is not None:
            self.kept.append((short.security, short.qty - done, why))

    def _buy(self, short: Short, gain: int) -> tuple[int, str | None]:
        """Buy back what the target asks for, selling holdings when cash falls short; quantity and why not
        more.
        """
        balance, rule = self.balance, lot(short.board, short.kind, self.situation.day)
        unit = balance.cover_unit(short.expected, short.kind)
        done = 0
        while self._wanting() and done < short.qty:
            left = short.qty - done
            wanted = left if self.everything else min(left, -(-balance.gap // gain))
            qty = round_up(rule, wanted)
            if qty > left:
                qty = round_down(rule, left)
            if qty == 0:
                return done, ODD_LOT
            affordable = min(qty, round_down(rule, balance.cash // unit))
            balance.cover(affordable, short.mark, short.expected, short.kind)
            done += affordable
            if affordable < qty and not self._raise_cash((qty - affordable) * unit - balance.cash):
                return done, NO_CASH
        return done, None

    def _orders(self) -> list[PlannedOrder]:
        orders = []
        if self.repaid:
            orders.append(_repay_order(self.repaid))
        for leg in self.legs:
            orders += self._sales("sell_to_repay", leg.holding, leg.to_repay, SELL_REASON)
        for leg in self.legs:
            orders += self._sales("collateral_sell", leg.holding, leg.to_cover, RAISE_REASON)
        for short, qty in self.covered:
            orders += self._purchases(short, qty)
        return orders

    def _sales(self, business: str, holding: Holding, qty: int, reason: str) -> list[PlannedOrder]:
        day = self.situation.day
        return [
            PlannedOrder(
                business=business,
                security=holding.security,
                side="S",
                qty=size,
                amount=None,
                price=lowest_sale_price(holding, day),
                expected_price=holding.expected,
                mark=holding.mark,
                contract=None,
                reason=reason,
                rule=f"liquidation.{business}",
            )
            for size in split(lot(holding.board, holding.kind, day), qty)
        ]

    def _purchases(self, short: Short, qty: int) -> list[PlannedOrder]:
        day = self.situation.day
        return [
            PlannedOrder(
                business="buy_to_return",
                security=short.security,
                side="B",
                qty=size,
                amount=None,
                price=highest_cover_price(short, day),
                expected_price=short.expected,
                mark=short.mark,
                contract=short.contract,
                reason=COVER_REASON,
                rule="liquidation.buy_to_return",
            )
            for size in split(lot(short.board, short.kind, day), qty)
        ]

    def _residual(self) -> list[tuple[str, int, str]]:
        """What cannot be sold or covered now, holdings first, in the order they were given."""
        rows = []
        for holding in self.situation.holdings:
            why = _why_kept(holding)
            if why is not None:
                rows.append((holding.security, holding.qty, why))
                continue
            bought = holding.qty - holding.sellable - holding.frozen
            rows += [(holding.security, holding.frozen, FROZEN), (holding.security, bought, BOUGHT_TODAY)]
        return [row for row in rows + self.kept if row[1] > 0]

    def _planned(self) -> int:
        """Gross value at mark (milli) of what is sold to repay and of what is covered."""
        sold = sum(leg.to_repay * leg.holding.mark for leg in self.legs)
        return sold + sum(qty * short.mark for short, qty in self.covered)


def _repay_order(amount: int) -> PlannedOrder:
    return PlannedOrder(
        business="repay",
        security=None,
        side=None,
        qty=None,
        amount=amount,
        price=None,
        expected_price=None,
        mark=None,
        contract=None,
        reason=REPAY_REASON,
        rule="liquidation.repay",
    )
