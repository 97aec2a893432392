"""In which order an account's holdings are sold and its shorts covered: a strategy of the broker (rulebook
7.4).

No statute fixes an order, each contract gives the broker discretion; the default is the rulebook's. A
strategy only ranks: what may be traded, and how much, the planner decides.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from agents.liquidation.situation import Holding, Short


class Disposal(Protocol):
    """Ranks holdings and shorts, first to go first. Must be a pure function of what it is given."""

    def sales(self, holdings: Sequence[Holding]) -> Sequence[Holding]:
        """Holdings that can be sold, in the order of their sale."""
        ...

    def covers(self, shorts: Sequence[Short]) -> Sequence[Short]:
        """Shorts in the order in which they are bought back."""
        ...


class RulebookDisposal:
    """By liquidity (fewest days to liquidate first, unknown last), concentration excess, market value, code;
    shorts that must be covered before the others, then the largest loss first.
    """

    def sales(self, holdings: Sequence[Holding]) -> Sequence[Holding]:
        """The default order of sales."""
        return sorted(holdings, key=_sale_rank)

    def covers(self, shorts: Sequence[Short]) -> Sequence[Short]:
        """The default order of covers."""
        return sorted(shorts, key=_cover_rank)


RULEBOOK = RulebookDisposal()


def _sale_rank(holding: Holding) -> tuple[bool, Fraction, int, int, str]:
    days = holding.days_to_liquidate
    return (
        days is None,
        Fraction(*days) if days is not None else Fraction(0),
        -holding.concentration_excess,
        -holding.qty * holding.mark,
        holding.security,
    )


def _cover_rank(short: Short) -> tuple[bool, int, str]:
    return (not short.must_cover, -(short.mark - short.sale_price) * short.qty, short.contract)
