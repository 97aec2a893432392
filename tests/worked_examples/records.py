"""Short ways to write down the records of a book, as they are published."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.oracle.moments import at

Record = dict[str, Any]

MONDAY = date(2025, 4, 7)
TUESDAY = date(2025, 4, 8)
WEDNESDAY = date(2025, 4, 9)
THURSDAY = date(2025, 4, 10)

BANK = "600000.SH"
CHIPS = "688981.SH"

PRESET = {
    "preset": "X",
    "from": "2006-08-21",
    "warn": "1.50",
    "min": "1.30",
    "immediate": None,
    "immediate_mode": "by_settled",
    "target": "1.50",
    "cure_by": 1,
    "cure_at": "settled",
    "liquidate_from": 2,
    "rearm": "0.01",
    "commission": "0.00025",
}


def opening(
    *,
    cash: str = "0",
    held: dict[str, int] | None = None,
    owes: list[Record] | None = None,
    day: date = MONDAY,
    clock: str = "09:20",
    name: str = "A1",
    event_id: str = "opening",
    sellable: dict[str, int] | None = None,
    **more: Any,
) -> Record:
    """An account's book as of a moment."""
    positions: list[Record] = []
    for security, qty in (held or {}).items():
        position: Record = {"security": security, "qty": qty}
        if sellable and security in sellable:
            position["sellable"] = sellable[security]
        positions.append(position)
    book = {"account": name, "ts": at(day, clock), "id": event_id, "kind": "opening", "cash": cash}
    return {**book, "positions": positions, "contracts": owes or [], **more}


def financed(principal: str, security: str = BANK, **more: Any) -> Record:
    """A financing contract without interest unless `rate` or `accrued` is given."""
    contract = {"contract": "F1", "type": "financing", "security": security, "opened": "2025-04-07"}
    return {**contract, "qty": 100, "price": "1", "principal": principal, "rate": "0", **more}


def borrowed(security: str, qty: int, price: str, **more: Any) -> Record:
    """A lending contract: `qty` shares sold short at `price`."""
    contract = {"contract": "S1", "type": "lending", "security": security, "opened": "2025-04-07"}
    return {**contract, "qty": qty, "price": price, "rate": "0", **more}


def happens(
    kind: str, *, day: date = MONDAY, clock: str = "10:00", event_id: str = "e1", **more: Any
) -> Record:
    """Any other account event of A1."""
    return {"account": "A1", "ts": at(day, clock), "id": event_id, "kind": kind, **more}


def deposit(amount: str, **more: Any) -> Record:
    return happens("cash", amount=amount, reason="deposit", **more)
