"""What the processor publishes (contract section 3), typed for subscribers.

Producers build these as JSON objects; the classes here decode them and are the source of their JSON Schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from schemas.fields import (
    Account,
    AnyMoney,
    Bool,
    Choice,
    Count,
    Day,
    Figures,
    Identifier,
    Line,
    PriceOrZero,
    Ratio,
    Rearm,
    Security,
    Text,
    Ts,
    Whole,
    Words,
)
from schemas.orders import ORDER_TYPES
from schemas.reference import SECURITY_KINDS

LEVELS = ("normal", "warn", "below_min", "immediate", "no_debt", "unpriced")
CALL_EVENTS = (
    "warned",
    "below_min",
    "called",
    "immediate",
    "partly_met",
    "cured",
    "expired",
    "liquidating",
    "closed",
    "shortfall",
    "recovered",
)
CALL_REASONS = ("ratio", "maturity", "freeze", "credit")
LIQUIDATION_BUSINESSES = ("repay", "sell_to_repay", "collateral_sell", "buy_to_return")
LIQUIDATION_MODES = ("propose", "auto", "simulate")
SIGNALS = ("halt", "resume", "remind")
SIGNAL_BASES = ("computed", "published", "notice")

SecurityKind = Annotated[str, Choice(SECURITY_KINDS)]
LevelName = Annotated[str, Choice(LEVELS)]
CallEvent = Annotated[str, Choice(CALL_EVENTS)]
CallReason = Annotated[str, Choice(CALL_REASONS)]
LiquidationBusiness = Annotated[str, Choice(LIQUIDATION_BUSINESSES)]
LiquidationMode = Annotated[str, Choice(LIQUIDATION_MODES)]
Signal = Annotated[str, Choice(SIGNALS)]
SignalBasis = Annotated[str, Choice(SIGNAL_BASES)]
MarginBusiness = Annotated[str, Choice(("financing", "lending"))]
AlertSide = Annotated[str, Choice(("B", "S"))]
ContractType = Annotated[str, Choice(("financing", "lending"))]
OrderType = Annotated[str, Choice(ORDER_TYPES)]
Decision = Annotated[str, Choice(("accept", "reject"))]
PlanEvent = Annotated[str, Choice(("plan",))]
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
Base64 = Annotated[str, Text("base64", pattern=_BASE64)]
AlertId = Annotated[str, Text("an id made of what caused it", 400)]
Quantity = Annotated[int, Whole(-(2**63), 2**63 - 1, "shares")]


@dataclass(frozen=True, slots=True)
class MarginRatio:
    """The latest state of an account."""

    account: Account
    ts: Ts
    date: Day
    level: LevelName
    ratio: Ratio | None
    assets: AnyMoney
    debt: AnyMoney
    settled: Bool
    available_margin: AnyMoney | None = None
    ratio_last_close: Ratio | None = None
    unpriced: tuple[Security, ...] | None = None
    flags: tuple[Words, ...] | None = None


@dataclass(frozen=True, slots=True)
class EvidencePosition:
    """A holding as it was valued; `price` is the mark used, null where there is none. `last`: the last price,
    where another valuation is in force; `frozen`: how much of it is.
    """

    security: Security
    qty: Quantity
    price: PriceOrZero | None
    value: AnyMoney
    valuation: Words | None = None
    last: PriceOrZero | None = None
    frozen: Count | None = None


@dataclass(frozen=True, slots=True)
class EvidenceContract:
    """A contract as it was valued; `price` is the mark of a borrowed security. `due` is the agreed date,
    `maturity` the day it falls due where that is another: a day without trading, a suspension, a delisting.
    """

    contract: Identifier
    type: ContractType
    security: Security
    qty: Quantity
    interest: AnyMoney
    principal: AnyMoney | None = None
    price: PriceOrZero | None = None
    due: Day | None = None
    maturity: Day | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers from which assets, debt and ratio can be recomputed by hand. `in_transit_last`: what is in
    transit at last prices, where another valuation is in force.
    """

    cash: AnyMoney
    other_collateral: AnyMoney
    interest: AnyMoney
    positions: tuple[EvidencePosition, ...]
    contracts: tuple[EvidenceContract, ...]
    in_transit: AnyMoney | None = None
    in_transit_last: AnyMoney | None = None
    frozen_cash: AnyMoney | None = None


@dataclass(frozen=True, slots=True)
class CommandName:
    """The operator's word that changed an alert."""

    id: Identifier
    by: Identifier


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of the preset that was in force."""

    warn: Line | None = None
    min: Line | None = None
    immediate: Line | None = None
    target: Line | None = None
    rearm: Rearm | None = None


@dataclass(frozen=True, slots=True)
class CallObligations:
    """What must be repaid and returned whatever the ratio: money (interest to 0.01 yuan, principal) and the
    contracts that are due.
    """

    reason: CallReason
    money: AnyMoney
    contracts: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class MarginCall:
    """One step in the life of a margin call (追保)."""

    id: AlertId
    account: Account
    episode: AlertId
    step: Count
    event: CallEvent
    reason: CallReason
    ts: Ts
    date: Day
    preset: Identifier
    lines: Lines
    ratio: Ratio | None
    assets: AnyMoney
    debt: AnyMoney
    evidence: Evidence
    rule: Words
    shortfall: AnyMoney | None = None
    deadline: Identifier | None = None
    deadline_date: Day | None = None
    liquidate_from: Identifier | None = None
    flags: tuple[Words, ...] | None = None
    command: CommandName | None = None
    ratio_last_close: Ratio | None = None
    obligations: CallObligations | None = None
    orders: tuple[AlertId, ...] | None = None
    withdrawn: tuple[AlertId, ...] | None = None


@dataclass(frozen=True, slots=True)
class LiquidationOrder:
    """One order of a forced liquidation (强制平仓)."""

    id: AlertId
    account: Account
    episode: AlertId
    batch: Count
    ts: Ts
    date: Day
    business: LiquidationBusiness
    order_type: OrderType
    forced: Bool
    mode: LiquidationMode
    reason: Words
    rule: Words
    security: Security | None = None
    side: AlertSide | None = None
    qty: Count | None = None
    amount: AnyMoney | None = None
    price: PriceOrZero | None = None
    expected_price: PriceOrZero | None = None
    mark: PriceOrZero | None = None
    contract: Identifier | None = None
    approved: Bool | None = None
    kind: SecurityKind | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """What cannot be sold or bought back now, and why."""

    security: Security
    qty: Quantity
    why: Words


@dataclass(frozen=True, slots=True)
class Later:
    """What a plan will trade as soon as it can, in a later slice or session, were nothing else to change."""

    business: LiquidationBusiness
    security: Security
    qty: Quantity
    price: PriceOrZero


@dataclass(frozen=True, slots=True)
class LiquidationPlan:
    """The plan behind a batch of orders."""

    id: AlertId
    account: Account
    episode: AlertId
    event: PlanEvent
    needed: AnyMoney
    planned: AnyMoney
    residual: tuple[Residual, ...]
    ratio_after: Ratio | None
    batch: Count | None = None
    ts: Ts | None = None
    date: Day | None = None
    later: tuple[Later, ...] | None = None
    held: Bool | None = None


@dataclass(frozen=True, slots=True)
class OrderDecision:
    """The answer to a request of an account. `limit` is the largest quantity, in shares, that would pass, or
    the largest amount of a request for money; `figures` are those of the rule that is named.
    """

    id: AlertId
    order: Identifier
    account: Account
    ts: Ts
    decision: Decision
    rule: Words
    reason: Words
    margin_used: AnyMoney | None = None
    available_margin: AnyMoney | None = None
    ratio_after: Ratio | None = None
    limit: AnyMoney | None = None
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class SecuritySignal:
    """A business in a security is halted or resumed, or nears a halt."""

    id: AlertId
    security: Security
    ts: Ts
    date: Day
    effective: Day
    business: MarginBusiness
    signal: Signal
    indicator: Words
    line: Words
    basis: SignalBasis
    figures: Figures
    rule: Words


@dataclass(frozen=True, slots=True)
class FinancingBalance:
    """Financing (融资) and lending (融券) balances of a security on a day, and the day's flows."""

    security: Security
    ts: Ts
    date: Day
    financing_balance: AnyMoney
    lending_qty: Quantity
    lending_value: AnyMoney | None
    credit_holding_qty: Quantity
    accounts: Count
    buys: AnyMoney
    repayments: AnyMoney
    short_sales: Quantity
    returns: Quantity
    final: Bool
    collateral_share: Ratio | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be applied, whole, with its origin and the reason."""

    id: AlertId
    topic: Words
    partition: Count
    offset: Count
    ts: Quantity
    error: Words
    reason: Words
    value_base64: Base64
    field: Words | None = None
    key_base64: Base64 | None = None
    headers: Figures | None = None


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """What an operator must know."""

    id: AlertId
    ts: Quantity
    kind: Identifier
    text: Words
    shard: Count | None = None
    worker: Words | None = None
    date: Day | None = None
    account: Account | None = None
    security: Security | None = None
    figures: Figures | None = None


__all__ = [
    "CALL_EVENTS",
    "CALL_REASONS",
    "LEVELS",
    "LIQUIDATION_BUSINESSES",
    "LIQUIDATION_MODES",
    "SIGNALS",
    "SIGNAL_BASES",
    "CommandName",
    "DeadLetter",
    "Evidence",
    "EvidenceContract",
    "EvidencePosition",
    "FinancingBalance",
    "Lines",
    "LiquidationOrder",
    "LiquidationPlan",
    "MarginCall",
    "MarginRatio",
    "OrderDecision",
    "Residual",
    "SecuritySignal",
    "SystemEvent",
]
