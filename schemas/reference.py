"""Reference events (contract section 2): securities, corporate actions, figures, notices, rules, custody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from schemas.errors import BadRecord
from schemas.fields import (
    Account,
    Bool,
    Choice,
    Day,
    FineFraction,
    Fraction,
    Identifier,
    Line,
    MarginRatio,
    MarketMoney,
    Money,
    Multiple,
    PerShare,
    Price,
    PriceOrZero,
    QtyOrZero,
    Rate,
    Rearm,
    Security,
    Shares,
    Whole,
)

SECURITY_KINDS = ("stock", "etf", "fund", "bond", "treasury", "warrant", "cash_product", "index")
BOARDS = ("main", "chinext", "star", "bse")
VALUATIONS = ("last", "index_adjusted", "exclude", "manual")
ACTION_KINDS = ("dividend", "bonus", "rights", "split")
MARGIN_BUSINESSES = ("financing", "lending")
NOTICE_ACTIONS = ("halt", "resume")
IMMEDIATE_MODES = ("realtime", "by_settled")
CURE_TIMES = ("settled", "intraday")

SecurityKind = Annotated[str, Choice(SECURITY_KINDS)]
Board = Annotated[str, Choice(BOARDS)]
Valuation = Annotated[str, Choice(VALUATIONS)]
ActionKind = Annotated[str, Choice(ACTION_KINDS)]
MarginBusiness = Annotated[str, Choice(MARGIN_BUSINESSES)]
NoticeAction = Annotated[str, Choice(NOTICE_ACTIONS)]
ImmediateMode = Annotated[str, Choice(IMMEDIATE_MODES)]
CureTime = Annotated[str, Choice(CURE_TIMES)]
TradingDays = Annotated[int, Whole(0, 250, "trading days")]


@dataclass(frozen=True, slots=True)
class SecurityReference:
    """What is true of a security on a date. `haircut` is the collateral conversion rate (折算率);
    `last_trading_day` is known of one that is being delisted (退市).
    """

    security: Security
    date: Day
    kind: SecurityKind
    board: Board
    name: Identifier | None = None
    index_member: Bool | None = None
    st: Bool | None = None
    delisting: Bool | None = None
    suspended: Bool | None = None
    suspended_since: Day | None = None
    prev_close: PriceOrZero | None = None
    limit_up: PriceOrZero | None = None
    limit_down: PriceOrZero | None = None
    float_shares: Shares | None = None
    adv_20: Shares | None = None
    pe_static: Multiple | None = None
    haircut: Fraction | None = None
    financing: Bool | None = None
    lending: Bool | None = None
    lendable_qty: Shares | None = None
    financing_margin: MarginRatio | None = None
    lending_margin: MarginRatio | None = None
    valuation: Valuation | None = None
    fair_price: PriceOrZero | None = None
    last_trading_day: Day | None = None


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A corporate action (公司行为); `cash_per_share` in 1e-6 yuan, `shares_per_share` in 1e-6 shares."""

    action: Identifier
    security: Security
    ex_date: Day
    kind: ActionKind
    pay_date: Day | None = None
    cash_per_share: PerShare | None = None
    shares_per_share: PerShare | None = None
    price: Price | None = None
    tax: Rate | None = None

    def check(self) -> None:
        """Each kind carries the figure it is about."""
        if self.kind == "dividend":
            if self.cash_per_share is None:
                raise BadRecord("cash_per_share", "is missing for a dividend")
        elif self.shares_per_share is None:
            raise BadRecord("shares_per_share", f"is missing for {self.kind}")
        if self.kind == "rights" and self.price is None:
            raise BadRecord("price", "is missing for rights")
        if self.pay_date is not None and self.pay_date < self.ex_date:
            raise BadRecord("pay_date", "lies before ex_date")


@dataclass(frozen=True, slots=True)
class PublishedBalance:
    """Margin figures of a security that the exchange published for a day. `collateral_share` in 1e-6."""

    security: Security
    date: Day
    financing_balance: MarketMoney | None = None
    lending_qty: Shares | None = None
    credit_holding_value: MarketMoney | None = None
    float_value: MarketMoney | None = None
    float_shares: Shares | None = None
    collateral_share: FineFraction | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An exchange's own halt or resumption of a business; lifted only by another notice."""

    security: Security
    effective: Day
    business: MarginBusiness
    action: NoticeAction


@dataclass(frozen=True, slots=True)
class RulesReference:
    """Contract-level lines of a broker, valid from a date. Lines in 1e-4, rates in 1e-6. `slippage`: how far
    below the mark a forced sale is expected to fill, and a forced cover above it.
    """

    preset: Identifier
    from_: Day
    warn: Line
    min: Line
    immediate: Line | None
    immediate_mode: ImmediateMode
    target: Line
    cure_by: TradingDays
    cure_at: CureTime
    liquidate_from: TradingDays
    rearm: Rearm
    commission: Rate
    financing_rate: Rate | None = None
    lending_rate: Rate | None = None
    auto_pay: Bool | None = None
    slippage: Rate | None = None

    def check(self) -> None:
        """The lines lie in order: immediate <= min <= warn, and the target is not below min."""
        if self.min > self.warn:
            raise BadRecord("min", "is above warn")
        if self.immediate is not None and self.immediate > self.min:
            raise BadRecord("immediate", "is above min")
        if self.target < self.min:
            raise BadRecord("target", "is below min")
        if self.liquidate_from < self.cure_by:
            raise BadRecord("liquidate_from", "is before cure_by")


@dataclass(frozen=True, slots=True)
class CustodyPosition:
    """A security in custody."""

    security: Security
    qty: QtyOrZero


@dataclass(frozen=True, slots=True)
class CustodyStatement:
    """The custodian's statement of an account for a date."""

    account: Account
    date: Day
    cash: Money
    positions: tuple[CustodyPosition, ...]


__all__ = [
    "ACTION_KINDS",
    "BOARDS",
    "CURE_TIMES",
    "IMMEDIATE_MODES",
    "MARGIN_BUSINESSES",
    "NOTICE_ACTIONS",
    "SECURITY_KINDS",
    "VALUATIONS",
    "CorporateAction",
    "CustodyPosition",
    "CustodyStatement",
    "Notice",
    "PublishedBalance",
    "RulesReference",
    "SecurityReference",
]
