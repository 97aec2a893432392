"""Corporate actions (公司行为) as arithmetic: the adjusted previous close (除权除息参考价) and how rights and
dividends count while they are under way. Rulebook 11; prices in milli, per-share figures in 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agents.rules.limits import tick
from agents.rules.schedule import Schedule
from schemas.units import RATE_SCALE, RATIO_SCALE

PER_SHARE = 1_000_000
"""`cash_per_share` is in 1e-6 yuan, `shares_per_share` in 1e-6 shares."""

_MICRO_IN_MILLI = 1_000

ENTITLEMENT = "entitlement"
NET, GROSS = "net", "gross"


@dataclass(frozen=True, slots=True)
class ActionTerms:
    """What an action brings per old share: cash (1e-6 yuan), free shares, shares offered for money (1e-6
    shares) at `price` (milli).
    """

    cash: int = 0
    free: int = 0
    offered: int = 0
    price: int = 0


@dataclass(frozen=True, slots=True)
class TransitPolicy:
    """How a day counts what is under way. `gross`: the tax that an action names is not taken off a dividend;
    `withheld`: part (1e-6) taken off where it names none; `entitlement`: rights (配股) that can still be
    subscribed count at what they are worth.
    """

    gross: bool
    withheld: int
    entitlement: bool

    def kept(self, tax: int | None) -> int:
        """The part of a dividend that counts, 1e-6; `tax` as the action names it."""
        if self.gross:
            return RATE_SCALE
        return RATE_SCALE - (self.withheld if tax is None else tax)


def transit_policy(rules: Schedule, day: int) -> TransitPolicy:
    """The policy of `day` (`px.special`: in transit from a corporate action, by an agreed method)."""
    counted = rules.text("dividend_in_transit", day)
    named_only = counted in {NET, GROSS}
    tax = 0 if named_only else rules.number(f"dividend_tax_{counted}", day) * RATE_SCALE // RATIO_SCALE
    return TransitPolicy(
        gross=counted == GROSS,
        withheld=tax,
        entitlement=rules.text("rights_in_transit", day) == ENTITLEMENT,
    )


def adjusted_close(close: int, kind: str, actions: Iterable[ActionTerms]) -> int:
    """The exchange's previous close on an ex-date, computed where none is published:

        (close - cash + sum(offered x price)) / (1 + free + offered)

    per old share over all actions of that date, rounded half up to the price step of `kind`, at least one
    step. `close` is the last close before the ex-date, milli.
    """
    worth, shares = close * PER_SHARE, PER_SHARE
    for terms in actions:
        worth += terms.offered * terms.price - terms.cash * PER_SHARE // _MICRO_IN_MILLI
        shares += terms.free + terms.offered
    step = tick(kind)
    return max(step, (2 * worth + shares * step) // (2 * shares * step) * step)


def right_value(shares: int, mark: int, price: int) -> int:
    """What the right to `shares` at `price` is worth at `mark`, milli: never less than nothing."""
    return shares * max(0, mark - price)
