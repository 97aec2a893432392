"""Requests of an account (contract section 2, `account.orders`), answered on `order.decisions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from schemas.account import BUSINESSES
from schemas.errors import BadRecord
from schemas.fields import Account, Bool, Choice, Identifier, MoneyPositive, Price, Qty, Security, Ts

ORDER_BUSINESSES = (*BUSINESSES, "withdraw_cash", "withdraw_security", "repay")
MONEY_REQUESTS = frozenset({"withdraw_cash", "repay"})
"""Requests for an amount; the others name a security and a quantity."""
ORDER_TYPES = ("limit", "market")
ORDER_SIDES = ("B", "S")

OrderBusiness = Annotated[str, Choice(ORDER_BUSINESSES)]
OrderType = Annotated[str, Choice(ORDER_TYPES)]
OrderSide = Annotated[str, Choice(ORDER_SIDES)]


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """A request to trade, to withdraw or to repay."""

    account: Account
    ts: Ts
    id: Identifier
    business: OrderBusiness
    order_type: OrderType | None = None
    security: Security | None = None
    side: OrderSide | None = None
    price: Price | None = None
    qty: Qty | None = None
    amount: MoneyPositive | None = None
    venue: Identifier | None = None
    lender: Identifier | None = None
    program: Bool | None = None

    def check(self) -> None:
        """Money requests carry an amount; the others a security and a quantity; a limit order a price."""
        if self.business in MONEY_REQUESTS:
            if self.amount is None:
                raise BadRecord("amount", f"is missing for {self.business}")
            return
        if self.security is None:
            raise BadRecord("security", f"is missing for {self.business}")
        if self.qty is None:
            raise BadRecord("qty", f"is missing for {self.business}")
        if self.business == "withdraw_security":
            return
        if self.order_type is None:
            raise BadRecord("order_type", f"is missing for {self.business}")
        if self.order_type == "limit" and self.price is None:
            raise BadRecord("price", "is missing for a limit order")
