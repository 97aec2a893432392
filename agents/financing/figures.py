"""Figures of one security on one day: balances, flows, indicators, and the identities between days.
Rulebook 5.1 and 5.2.

Money is integer milli (0.001 yuan), quantities shares. An indicator is an exact quotient (numerator,
denominator).
"""

from collections.abc import Sequence
from dataclasses import dataclass

Quotient = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Balances:
    """One security over all accounts: balances at the day's end and the day's flows, as `shard.totals`
    carries them.
    """

    financing_balance: int = 0
    lending_qty: int = 0
    credit_holding_qty: int = 0
    accounts: int = 0
    buys: int = 0
    repayments: int = 0
    short_sales: int = 0
    returns: int = 0

    @classmethod
    def of(cls, row: Sequence[int]) -> "Balances":
        """From a row of `shard.totals`. Raises TypeError for a row of another length."""
        return cls(*row)

    def __add__(self, other: "Balances") -> "Balances":
        return Balances(
            self.financing_balance + other.financing_balance,
            self.lending_qty + other.lending_qty,
            self.credit_holding_qty + other.credit_holding_qty,
            self.accounts + other.accounts,
            self.buys + other.buys,
            self.repayments + other.repayments,
            self.short_sales + other.short_sales,
            self.returns + other.returns,
        )

    def agrees_with(self, financing_before: int, lending_before: int) -> bool:
        """The disclosure's identities: balance(t) = balance(t-1) + buys - repayments, and the same in
        shares for lending.

        An opening book, a transfer of contracts or a rights adjustment breaks them rightly.
        """
        return (
            self.financing_balance == financing_before + self.buys - self.repayments
            and self.lending_qty == lending_before + self.short_sales - self.returns
        )


@dataclass(frozen=True, slots=True)
class MarketFigures:
    """What the two indicators of a security are computed from; None where it is not known."""

    financing_balance: int | None = None
    credit_holding_value: int | None = None
    float_value: int | None = None
    lending_qty: int | None = None
    float_shares: int | None = None

    def financing_indicator(self, *, smaller: bool) -> Quotient | None:
        """Financing balance over float value; with `smaller`, the lesser of balance and value held in
        credit accounts.
        """
        if self.financing_balance is None or not self.float_value:
            return None
        figure = self.financing_balance
        if smaller and self.credit_holding_value is not None:
            figure = min(figure, self.credit_holding_value)
        return figure, self.float_value

    def lending_indicator(self) -> Quotient | None:
        """Shares lent and not returned over float shares."""
        if self.lending_qty is None or not self.float_shares:
            return None
        return self.lending_qty, self.float_shares
