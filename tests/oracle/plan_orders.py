"""What a counter does with the orders of a plan: fills them, in part or whole, or closes them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.oracle.driver import Record
from tests.oracle.ledger import ZERO

if TYPE_CHECKING:
    from tests.oracle.story import Story


def latest_orders(story: Story, name: str) -> list[Record]:
    """The orders of the last plan of the account's open episode."""
    life = story.oracle.lives[name]
    if life.episode is None:
        return []
    published = [
        record
        for record in story.driver.of("liquidation.orders")
        if record["episode"] == life.episode.name and "business" in record
    ]
    last = max((record["batch"] for record in published), default=0)
    return [record for record in published if record["batch"] == last]


def orders_filled(story: Story, name: str, security: str, amount: int) -> None:
    """Every order of the plan in turn, each only in part when `amount` is even; a shard that simulates does
    it itself.
    """
    if story.oracle.simulates:
        return
    for order in latest_orders(story, name):
        if order["business"] == "repay":
            repaid(story, name, order)
        else:
            filled(story, name, order, amount)


def repaid(story: Story, name: str, order: Record) -> None:
    account = story.oracle.accounts[name]
    owed = sum((c.interest_due(story.day) for c in account.contracts.values()), ZERO)
    owed += sum((c.principal for c in account.of_kind("financing", story.day)), ZERO)
    part = min(Decimal(order["amount"]), owed, account.cash)
    if part >= Decimal("0.01"):
        story.fact(name, "repay", amount=f"{part:.2f}")


def filled(story: Story, name: str, order: Record, amount: int) -> None:
    account, security = story.oracle.accounts[name], order["security"]
    if order["business"] == "buy_to_return":
        most = account.short_qty(security)
    else:
        most = account.held.get(security, 0) - account.frozen.get(security, 0)
    qty = min(most, order["qty"] if amount % 2 else -(-order["qty"] // 2))
    if qty > 0:
        about = {"business": order["business"], "security": security, "qty": qty}
        story.fact(name, "fill", **about, price=order["expected_price"], order=order["id"])
    if amount % 2 == 0:
        story.fact(name, "order_closed", order=order["id"], reason="cancelled")


def sold_out(story: Story, name: str, security: str, amount: int) -> None:
    """Everything that is not frozen is sold and repays."""
    account = story.oracle.accounts[name]
    for held, qty in list(account.held.items()):
        free = qty - account.frozen.get(held, 0)
        if free > 0:
            price = story.price(held, amount)
            story.fact(name, "fill", business="sell_to_repay", security=held, qty=free, price=str(price))
