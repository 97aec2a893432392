"""What customers, counters and custodians do to accounts in a history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from tests.oracle import plan_orders
from tests.oracle.ledger import FEN, ZERO
from tests.oracle.story import Story


def reopening(story: Story, name: str, security: str, amount: int) -> None:
    story.send(story.opening(name, story.oracle.accounts[name].preset, amount, amount % 97))


def deposit(story: Story, name: str, security: str, amount: int) -> None:
    story.fact(name, "cash", amount=str(Decimal(amount + 1) * 17 / 100), reason="deposit")


def exact_deposit(story: Story, name: str, security: str, amount: int) -> None:
    """The shortfall to the fen, or one fen less."""
    needed = story.missing(name) - (FEN if amount % 2 else 0)
    if needed > 0:
        story.fact(name, "cash", amount=str(needed), reason="deposit")


def share(whole: Decimal, amount: int) -> Decimal:
    return (whole * amount / 1000).quantize(FEN, rounding=ROUND_DOWN)


def withdraw(story: Story, name: str, security: str, amount: int) -> None:
    part = share(story.oracle.accounts[name].cash, amount)
    if part > 0:
        story.fact(name, "cash", amount=str(-part), reason="withdrawal")


def fill(story: Story, name: str, business: str, security: str, qty: int, amount: int, **more: Any) -> None:
    if qty > 0:
        price = story.price(security, amount)
        fee = str(min(Decimal(amount) / 1000, qty * price))
        about = {"business": business, "security": security, "qty": qty, "price": str(price), "fee": fee}
        story.fact(name, "fill", **about, **more)


def collateral_buy(story: Story, name: str, security: str, amount: int) -> None:
    affordable = int(story.oracle.accounts[name].cash / (story.price(security, 1000) + 1))
    fill(story, name, "collateral_buy", security, affordable * amount // 1000, amount)


def collateral_sell(story: Story, name: str, security: str, amount: int) -> None:
    held = story.oracle.accounts[name].held.get(security, 0)
    fill(story, name, "collateral_sell", security, held * amount // 1000, amount)


def financing_buy(story: Story, name: str, security: str, amount: int) -> None:
    """Terms of its own, or those of preset, exchange and security; at times under a contract it has."""
    account = story.oracle.accounts[name]
    if account.cash < 1:
        return  # there is a fee to pay
    own: dict[str, Any] = {"rate": "0.0786", "margin_ratio": "1.00"} if amount % 2 else {}
    mine = [c.name for c in account.of_kind("financing", story.day) if c.security == security]
    if mine and amount % 3 == 0:
        own = {"contract": mine[0]}
    elif amount % 4 == 0:
        own["due"] = (story.day + timedelta(days=amount % 9 - 1 + 180 * (amount % 2))).isoformat()
    fill(story, name, "financing_buy", security, amount, amount, **own)


def sell_to_repay(story: Story, name: str, security: str, amount: int) -> None:
    held = story.oracle.accounts[name].held.get(security, 0)
    fill(story, name, "sell_to_repay", security, held * amount // 1000, amount)


def short_sell(story: Story, name: str, security: str, amount: int) -> None:
    own: dict[str, Any] = {"rate": "0.106", "margin_ratio": "1.00"} if amount % 2 else {}
    mine = [
        c.name for c in story.oracle.accounts[name].of_kind("lending", story.day) if c.security == security
    ]
    if mine and amount % 3 == 0:
        own = {"contract": mine[0]}
    fill(story, name, "short_sell", security, amount, amount, **own)


def buy_to_return(story: Story, name: str, security: str, amount: int) -> None:
    account = story.oracle.accounts[name]
    qty = account.short_qty(security) * amount // 1000
    affordable = int(max(ZERO, account.cash) / (story.price(security, 1000) + 1))
    fill(story, name, "buy_to_return", security, min(qty, affordable), amount)


def repay(story: Story, name: str, security: str, amount: int) -> None:
    account = story.oracle.accounts[name]
    owed = sum(
        (c.interest_due(story.day) + c.principal for c in account.of_kind("financing", story.day)), ZERO
    )
    part = min(share(account.cash, amount), owed)
    if part > 0:
        story.fact(name, "repay", amount=str(part))


def repay_named(story: Story, name: str, security: str, amount: int) -> None:
    account = story.oracle.accounts[name]
    for contract in account.of_kind("financing", story.day)[amount % 3 :][:1]:
        part = min(account.cash, contract.interest_due(story.day) + contract.principal)
        if part >= FEN:
            story.fact(name, "repay", amount=str(part.quantize(FEN, ROUND_DOWN)), contract=contract.name)


def give_back(story: Story, name: str, security: str, amount: int) -> None:
    account = story.oracle.accounts[name]
    qty = min(account.short_qty(security), account.held.get(security, 0)) * amount // 1000
    if qty:
        story.fact(name, "return", security=security, qty=qty)


def move_in(story: Story, name: str, security: str, amount: int) -> None:
    story.fact(name, "transfer", security=security, qty=amount + 1, reason="collateral_in")


def move_out(story: Story, name: str, security: str, amount: int) -> None:
    qty = story.oracle.accounts[name].held.get(security, 0) * amount // 1000
    if qty:
        story.fact(name, "transfer", security=security, qty=-qty, reason="collateral_out")


def house(story: Story, name: str, security: str, amount: int) -> None:
    story.fact(name, "other_collateral", value=str(amount * 10))


def extend(story: Story, name: str, security: str, amount: int) -> None:
    """Around the due date in force, and around the longest extension."""
    for contract in list(story.oracle.accounts[name].contracts.values())[amount % 2 :][:1]:
        in_force = contract.maturity or story.day
        due = in_force + timedelta(days=amount % 12 - 3 if amount % 3 else 176 + amount % 12)
        story.fact(name, "extend", contract=contract.name, due=due.isoformat())


def freeze(story: Story, name: str, security: str, amount: int) -> None:
    qty = story.oracle.accounts[name].held.get(security, 0) * amount // 2000
    if qty:
        reason = "court" if amount % 4 == 0 else "order"
        story.fact(name, "freeze", security=security, qty=qty, reason=reason)


def unfreeze(story: Story, name: str, security: str, amount: int) -> None:
    frozen = story.oracle.accounts[name].frozen.get(security, 0)
    if frozen:
        story.fact(name, "freeze", security=security, qty=-max(1, frozen * amount // 1000), reason="court")


def freeze_cash(story: Story, name: str, security: str, amount: int) -> None:
    frozen = story.oracle.accounts[name].frozen_cash
    change = Decimal(amount) if amount % 2 else -frozen
    if change:
        story.fact(name, "freeze", cash=str(change), reason="order")


def paid_out(story: Story, name: str, security: str, amount: int) -> None:
    """What a corporate action owed arrives, whole or only the money of it."""
    for item in story.oracle.accounts[name].receivable[:1]:
        if item.shares and amount % 3:
            bonus = {"security": item.security, "qty": item.shares, "reason": "bonus"}
            story.fact(name, "transfer", action=item.action, **bonus)
        elif item.cash:
            story.fact(name, "cash", amount=str(item.cash), reason="dividend", action=item.action)
        elif item.paid:
            story.fact(name, "cash", amount=str(item.paid), reason="rights", action=item.action)


def subscribed(story: Story, name: str, security: str, amount: int) -> None:
    """Money for rights that can be subscribed, before the ex-date or after it."""
    account = story.oracle.accounts[name]
    for action in story.oracle.actions[-3:]:
        if action["kind"] == "rights":
            whole = account.held.get(action["security"], 0) * Decimal("0.3") * Decimal(action["price"])
            part = share(min(whole, max(ZERO, account.cash)), amount)
            if part > 0:
                story.fact(name, "cash", amount=str(-part), reason="rights", action=action["action"])


def compensated(story: Story, name: str, security: str, amount: int) -> None:
    """What a short owes the lender is paid: money, or shares it holds."""
    account = story.oracle.accounts[name]
    for item in account.compensation[:1]:
        if item.cash:
            story.fact(name, "cash", amount=str(-item.cash), reason="dividend", action=item.action)
        elif account.held.get(item.security, 0) - account.frozen.get(item.security, 0) >= item.shares > 0:
            given = {"security": item.security, "qty": -item.shares, "reason": "bonus"}
            story.fact(name, "transfer", action=item.action, **given)


def operated(story: Story, name: str, security: str, amount: int) -> None:
    """Acknowledges, gives more time, holds a liquidation or lets it go on, changes the preset."""
    kind = amount % 5
    if kind == 0:
        story.command(name, "acknowledge")
    elif kind == 1:
        story.command(name, "extend_deadline", days=1 + amount % 2)
    elif kind == 2:
        story.command(name, "hold")
    elif kind == 3:
        story.command(name, "resume")
    else:
        story.command(name, "set_preset", preset="ABCDX?"[amount % 6])


def stated(story: Story, name: str, security: str, amount: int) -> None:
    """The custodian's statement for today, or a day beside it: right, or off by little."""
    account = story.oracle.accounts[name]
    cash = account.cash + (FEN if amount % 4 == 0 else 0)
    held = [{"security": s, "qty": qty} for s, qty in sorted(account.held.items())]
    if held and amount % 7 == 0:
        held[0] = {**held[0], "qty": int(str(held[0]["qty"])) + 1}
    day = story.day + timedelta(days=amount % 9 // 8 - amount % 11 // 10)
    statement = {"account": name, "date": day.isoformat(), "cash": str(cash), "positions": held}
    story.reference("reference.custody", statement)


def repeat(story: Story, name: str, security: str, amount: int) -> None:
    if story.last_event is not None:
        changed = {"ts": story.last_event["ts"] + 1} if amount % 2 else {}
        story.send({**story.last_event, **changed})


def impossible(story: Story, name: str, security: str, amount: int) -> None:
    """Records that must be refused and change nothing."""
    account = story.oracle.accounts[name]
    more = account.short_qty(security) + 1
    kind = amount % 5
    if kind == 0:
        story.fact("ZZ", "cash", amount="5", reason="deposit")
    elif kind == 1 and account.held.get(security, 0) >= more:
        story.fact(name, "return", security=security, qty=more)
    elif kind == 2:
        story.fact(name, "repay", amount="9999999", contract="nobody")
    elif kind == 3 and account.borrowed():
        story.fact(name, "close")
    elif kind == 4:
        held = account.held.get(security, 0)
        fill(story, name, "collateral_sell", security, held + 1, amount)


ACCOUNT: dict[str, Callable[[Story, str, str, int], None]] = {
    operation.__name__: operation
    for operation in (
        plan_orders.orders_filled,
        plan_orders.sold_out,
        reopening,
        deposit,
        exact_deposit,
        withdraw,
        collateral_buy,
        collateral_sell,
        financing_buy,
        sell_to_repay,
        short_sell,
        buy_to_return,
        repay,
        repay_named,
        give_back,
        move_in,
        move_out,
        house,
        extend,
        freeze,
        unfreeze,
        freeze_cash,
        paid_out,
        subscribed,
        operated,
        stated,
        compensated,
        repeat,
        impossible,
    )
}
