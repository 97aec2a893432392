"""One pass over an account: repay, sell, cover, each the smallest legal quantity. Rulebook 7.3 and 7.4.

The balance moves with every order that is added. `caps` bound what a pass may trade of a security or of a
lending contract; a pass without caps finds out what is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.liquidation.balance import EXACT, Balance
from agents.liquidation.disposal import Disposal
from agents.liquidation.situation import (
    BOUGHT_TODAY,
    FROZEN,
    IN_ORDERS,
    IN_TRANSIT,
    LOWERS_RATIO,
    NO_CASH,
    NO_PRICE,
    ODD_LOT,
    Holding,
    Short,
    Situation,
)
from agents.rules.lots import lot, round_down, round_up, sale_of_at_least

FEN = 10
"""0.01 yuan in milli: money moves in whole fen."""

Kept = tuple[str, int, str]


@dataclass(slots=True)
class Leg:
    """A holding that can be sold, and what is left to sell of it."""

    holding: Holding
    left: int
    to_repay: int = 0
    to_cover: int = 0

    @property
    def sold(self) -> int:
        """Shares sold for either purpose."""
        return self.to_repay + self.to_cover


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be sold of a security and bought back of a contract; what is not named, not at
    all.
    """

    sales: Mapping[str, int]
    covers: Mapping[str, int]


class Planner:
    """One pass. After `run`: `repaid` milli, `legs` with what was sold, `covered`, `kept`, `balance`."""

    def __init__(self, situation: Situation, disposal: Disposal, caps: Caps | None = None) -> None:
        self.situation = situation
        self.balance = Balance.of(situation)
        self.everything = situation.assets < situation.debt and situation.to_target
        free = [item for item in situation.holdings if item.why_unsellable is None and item.expected > 0]
        self.legs = [Leg(item, _room(item, caps)) for item in disposal.sales(free)]
        self.shorts = disposal.covers(situation.shorts)
        self.caps = caps
        self.repaid = 0
        self.needed = 0
        self.covered: dict[str, int] = {}
        self.kept: list[Kept] = []

    def run(self) -> "Planner":
        """Repay, sell, cover."""
        if self._wanting() or self._must_cover():
            self._repay_from_cash()
            self.needed = self.still_needed()
            for leg in self.legs:
                self._sell_to_repay(leg)
            for short in self.shorts:
                self._cover(short)
        return self

    def still_needed(self) -> int:
        """Gross value at mark (milli) still to be traded for all that the plan has to achieve."""
        owed = self.balance.gross_owed() + sum(short.mark * self._uncovered(short) for short in self.shorts)
        return max(owed, self.balance.gross_needed() if self.situation.to_target else 0)

    @property
    def achieved(self) -> bool:
        """Whether nothing more is wanted."""
        return not self._wanting() and not self._must_cover()

    def _wanting(self) -> bool:
        """Whether money is wanted. An account worth less than its debt is sold until nothing can be
        repaid.
        """
        return self.everything or self._below_target() or self._owing()

    def _below_target(self) -> bool:
        return self.situation.to_target and self.balance.gap > 0

    def _owing(self) -> bool:
        return self.balance.must_repay >= FEN * EXACT

    def _must_cover(self) -> bool:
        return any(self._uncovered(short) for short in self.shorts)

    def _uncovered(self, short: Short) -> int:
        return short.qty - self.covered.get(short.contract, 0) if short.must_cover else 0

    def _repay_from_cash(self) -> None:
        """Own cash in whole fen, as much as the target asks for and the debt takes; what must be repaid to
        the last thousandth.
        """
        situation = self.situation
        wanted = situation.repayable
        if not self.everything:
            wanted = self.balance.repayment_needed() if situation.to_target else 0
        most = min(situation.free_cash, situation.repayable)
        amount = min(most, wanted) // FEN * FEN
        if situation.must_repay > amount:
            exact = situation.must_repay <= most
            amount = situation.must_repay if exact else most // FEN * FEN
        if amount > 0:
            self.balance.repay(amount)
            self.repaid = amount

    def _sell_to_repay(self, leg: Leg) -> None:
        holding, balance = leg.holding, self.balance
        if not self._wanting() or balance.repayable < FEN * EXACT or leg.left <= 0:
            return
        if not self._worth_selling(holding):
            self.kept.append((holding.security, leg.left, LOWERS_RATIO))
            return
        unit = balance.sale_unit(holding.expected, holding.kind)
        wanted = -(-balance.repayable // unit)
        if not self.everything:
            wanted = min(wanted, max(-(-balance.must_repay // unit), self._shares_to_target(holding)))
        leg.to_repay = self._sell(leg, wanted, repays=True)

    def _shares_to_target(self, holding: Holding) -> int:
        """How many shares close the gap, 0 where none is open or a sale does not close it."""
        gain = self.balance.sale_gain(holding.mark, holding.expected, holding.kind)
        return -(-self.balance.gap // gain) if gain > 0 and self._below_target() else 0

    def _worth_selling(self, holding: Holding) -> bool:
        """Whether a sale at the expected price closes the gap rather than widens it, or money must be paid
        whatever the ratio.
        """
        if self.everything or self._owing() or self._must_cover():
            return True
        return self.balance.sale_gain(holding.mark, holding.expected, holding.kind) > 0

    def _sell(self, leg: Leg, wanted: int, *, repays: bool) -> int:
        holding = leg.holding
        rule = lot(holding.board, holding.kind, self.situation.day, self.situation.rules)
        qty = sale_of_at_least(rule, wanted, leg.left)
        self.balance.sell(qty, holding.mark, holding.expected, holding.kind, repays=repays)
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
            if leg.left <= 0 or not self._worth_selling(leg.holding):
                continue
            unit = self.balance.sale_unit(leg.holding.expected, leg.holding.kind)
            qty = self._sell(leg, -(-(missing - raised) // unit), repays=False)
            leg.to_cover += qty
            raised += qty * unit
        return raised > 0

    def _cover(self, short: Short) -> None:
        balance = self.balance
        why = short.why_uncoverable or (NO_PRICE if short.expected <= 0 else None)
        if why is not None:
            self.kept.append((short.security, short.qty, why))
            return
        self.kept.append((short.security, short.fresh, BOUGHT_TODAY))
        self.kept.append((short.security, short.in_orders, IN_ORDERS))
        if not (self._wanting() or short.must_cover):
            return
        gain = balance.cover_gain(short.mark, short.expected, short.kind)
        if gain <= 0 and not self.everything and not short.must_cover:
            self.kept.append((short.security, short.coverable, LOWERS_RATIO))
            return
        why = self._buy(short, gain)
        if why is not None:
            left = short.coverable - self.covered.get(short.contract, 0)
            self.kept.append((short.security, left, why))

    def _shares_to_cover(self, short: Short, left: int, gain: int) -> int:
        """How many of the `left` shares are wanted now."""
        if self.everything or short.must_cover:
            return left
        return min(left, -(-self.balance.gap // gain)) if self._below_target() else 0

    def _buy(self, short: Short, gain: int) -> str | None:
        """Buy back what is asked for, selling holdings when cash falls short; why not more."""
        balance = self.balance
        rule = lot(short.board, short.kind, self.situation.day, self.situation.rules)
        unit = balance.cover_unit(short.expected, short.kind)
        most = short.coverable
        if self.caps is not None:
            most = min(most, self.caps.covers.get(short.contract, 0))
        done = 0
        while done < most:
            wanted = self._shares_to_cover(short, most - done, gain)
            if wanted <= 0:
                break
            qty = round_up(rule, wanted)
            if qty > most - done:
                qty = round_down(rule, most - done)
            if qty == 0:
                return ODD_LOT
            affordable = min(qty, round_down(rule, max(0, balance.cash) // unit))
            balance.cover(affordable, short.mark, short.expected, short.kind)
            done += affordable
            self.covered[short.contract] = done
            if affordable < qty and not self._raise_cash((qty - affordable) * unit - balance.cash):
                return NO_CASH
        return None

    def residual(self) -> list[Kept]:
        """What cannot be sold or covered now, holdings first, in the order they were given."""
        rows = []
        for holding in self.situation.holdings:
            rows += [(holding.security, qty, reason) for qty, reason in _parts_kept(holding)]
        return [row for row in rows + self.kept if row[1] > 0]


def _room(holding: Holding, caps: Caps | None) -> int:
    if caps is None:
        return holding.sellable
    return min(holding.sellable, caps.sales.get(holding.security, 0))


def _parts_kept(holding: Holding) -> tuple[tuple[int, str], ...]:
    """What of a holding cannot be sold, and why."""
    coming = (holding.in_transit, IN_TRANSIT)
    why = holding.why_unsellable or (NO_PRICE if holding.expected <= 0 else None)
    if why is not None:
        return (holding.qty, why), coming
    bought = holding.qty - holding.sellable - holding.frozen - holding.in_orders
    return (holding.frozen, FROZEN), (bought, BOUGHT_TODAY), (holding.in_orders, IN_ORDERS), coming
