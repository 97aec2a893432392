"""Account events (contract section 2): everything that changes a credit account (信用账户).

An account's state is a fold over these. Each class is one `kind`; the class attribute `kind` names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from schemas.errors import BadRecord
from schemas.fields import (
    Account,
    Choice,
    Day,
    Identifier,
    MarginRatio,
    Money,
    MoneyNotNegative,
    MoneyNotZero,
    MoneyPositive,
    Price,
    PriceOrZero,
    Qty,
    QtyOrZero,
    Rate,
    Security,
    SignedQty,
    Ts,
)

KINDS = (
    "opening",
    "cash",
    "transfer",
    "fill",
    "order_closed",
    "repay",
    "return",
    "extend",
    "freeze",
    "other_collateral",
    "close",
)
"""Kinds of account events; a batch holds the index."""

BUSINESSES = (
    "collateral_buy",
    "collateral_sell",
    "financing_buy",
    "sell_to_repay",
    "short_sell",
    "buy_to_return",
)
"""担保品买入, 担保品卖出, 融资买入, 卖券还款, 融券卖出, 买券还券; a batch holds the index, 255 for none."""

CASH_REASONS = ("deposit", "withdrawal", "fee", "tax", "interest", "dividend", "rights", "adjustment")
TRANSFER_REASONS = ("collateral_in", "collateral_out", "bonus", "split", "rights", "adjustment")
REASONS = (*CASH_REASONS, "collateral_in", "collateral_out", "bonus", "split")
"""Reasons of `cash` and `transfer` events; a batch holds the index, 255 for none and for free text."""

NO_CODE = 255
"""An enum column of a batch where the event has no such field."""

CONTRACT_TYPES = ("financing", "lending")
CLIENT_CLASSES = ("individual", "institution", "private_fund")

Business = Annotated[str, Choice(BUSINESSES)]
CashReason = Annotated[str, Choice(CASH_REASONS)]
TransferReason = Annotated[str, Choice(TRANSFER_REASONS)]
ContractType = Annotated[str, Choice(CONTRACT_TYPES)]
ClientClass = Annotated[str, Choice(CLIENT_CLASSES)]


@dataclass(frozen=True, slots=True)
class OpeningPosition:
    """A holding; `sellable` (default all) is what may be sold on the Shanghai date of the event."""

    security: Security
    qty: QtyOrZero
    sellable: QtyOrZero | None = None

    def check(self) -> None:
        """No more can be sold than is held."""
        if self.sellable is not None and self.sellable > self.qty:
            raise BadRecord("sellable", f"is more than qty: {self.sellable} of {self.qty}")


@dataclass(frozen=True, slots=True)
class OpeningContract:
    """A financing (融资) or lending (融券) contract still open.

    `accrued` is the interest owed for the days before the event.
    """

    contract: Identifier
    type: ContractType
    security: Security
    opened: Day
    qty: QtyOrZero
    price: PriceOrZero
    principal: MoneyNotNegative | None = None
    rate: Rate | None = None
    margin_ratio: MarginRatio | None = None
    due: Day | None = None
    accrued: MoneyNotNegative | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """Credit line (授信额度) of an account or group, yuan; `until` is its last day, none if it has no end."""

    total: MoneyNotNegative
    financing: MoneyNotNegative
    lending: MoneyNotNegative
    until: Day | None = None


@dataclass(frozen=True, slots=True)
class OfAccount:
    """What every kind of event says: whose it is, when it happened, and an id among the account's events."""

    account: Account
    ts: Ts
    id: Identifier


@dataclass(frozen=True, slots=True)
class Opening(OfAccount):
    """The books of an account as of `ts`: replaces assets and contracts, keeps open calls and ids seen."""

    kind: ClassVar[str] = "opening"
    cash: Money
    positions: tuple[OpeningPosition, ...]
    contracts: tuple[OpeningContract, ...]
    class_: ClientClass | None = None
    preset: Identifier | None = None
    credit: Credit | None = None
    group_credit: Credit | None = None
    branch: Identifier | None = None
    other_collateral: MoneyNotNegative | None = None

    def check(self) -> None:
        """A security is listed once, a contract is named once: two answers would make the book ambiguous."""
        if len({position.security for position in self.positions}) != len(self.positions):
            securities = [position.security for position in self.positions]
            raise BadRecord("positions", f"name {_twice(securities)} twice")
        if len({contract.contract for contract in self.contracts}) != len(self.contracts):
            names = [contract.contract for contract in self.contracts]
            raise BadRecord("contracts", f"name {_twice(names)} twice")


def _twice(names: list[str]) -> str:
    return next(name for i, name in enumerate(names) if name in names[:i])


@dataclass(frozen=True, slots=True)
class Cash(OfAccount):
    """Money moves in (positive) or out (negative)."""

    kind: ClassVar[str] = "cash"
    amount: Money
    reason: CashReason
    action: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Transfer(OfAccount):
    """Securities move in (positive) or out (negative) without a trade."""

    kind: ClassVar[str] = "transfer"
    security: Security
    qty: SignedQty
    reason: TransferReason
    action: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Fill(OfAccount):
    """An execution of one of the six businesses; `contract` names the contract it opens or pays back."""

    kind: ClassVar[str] = "fill"
    business: Business
    security: Security
    qty: Qty
    price: Price
    fee: MoneyNotNegative | None = None
    order: Identifier | None = None
    contract: Identifier | None = None
    rate: Rate | None = None
    margin_ratio: MarginRatio | None = None
    due: Day | None = None


@dataclass(frozen=True, slots=True)
class OrderClosed(OfAccount):
    """What of an order is unfilled will not be: cancelled, rejected, or the day ended."""

    kind: ClassVar[str] = "order_closed"
    order: Identifier
    reason: Identifier


@dataclass(frozen=True, slots=True)
class Repay(OfAccount):
    """Repayment from the account's own cash (直接还款); interest and fees first."""

    kind: ClassVar[str] = "repay"
    amount: MoneyPositive
    contract: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Return(OfAccount):
    """Return of borrowed securities from the account's own holding (直接还券)."""

    kind: ClassVar[str] = "return"
    security: Security
    qty: Qty
    contract: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Extend(OfAccount):
    """A contract's new due date (展期)."""

    kind: ClassVar[str] = "extend"
    contract: Identifier
    due: Day


@dataclass(frozen=True, slots=True)
class Freeze(OfAccount):
    """Freeze (冻结) of a security or of cash; negative lifts it. Frozen assets still count in the ratio."""

    kind: ClassVar[str] = "freeze"
    security: Security | None = None
    qty: SignedQty | None = None
    cash: MoneyNotZero | None = None
    reason: Identifier | None = None

    def check(self) -> None:
        """Either a security with its quantity, or cash."""
        if self.cash is not None:
            if self.security is not None or self.qty is not None:
                raise BadRecord("cash", "cannot come together with security and qty")
        elif self.security is None:
            raise BadRecord("security", "is missing (a freeze names security and qty, or cash)")
        elif self.qty is None:
            raise BadRecord("qty", "is missing")


@dataclass(frozen=True, slots=True)
class OtherCollateral(OfAccount):
    """Value of other collateral (其他担保物) that the contract lets count after a shortfall."""

    kind: ClassVar[str] = "other_collateral"
    value: MoneyNotNegative


@dataclass(frozen=True, slots=True)
class Close(OfAccount):
    """The account is closed; refused while it owes anything."""

    kind: ClassVar[str] = "close"


AccountEvent: TypeAlias = (
    Opening
    | Cash
    | Transfer
    | Fill
    | OrderClosed
    | Repay
    | Return
    | Extend
    | Freeze
    | OtherCollateral
    | Close
)

EVENT_CLASSES: dict[str, type[AccountEvent]] = {
    cls.kind: cls
    for cls in (
        Opening,
        Cash,
        Transfer,
        Fill,
        OrderClosed,
        Repay,
        Return,
        Extend,
        Freeze,
        OtherCollateral,
        Close,
    )
}
"""The event class of each kind, in the order of `KINDS`."""
