"""A trading day of a worked example as it is published: reference data, books, and rounds of prices, events
and requests with what their decisions have to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
BANK, CHIPS, GROWTH, NORTH, FUND = "600000.SH", "688981.SH", "300750.SZ", "430047.BJ", "510300.SH"
UNLISTED = "600999.SH"
CALL, CONTINUOUS = "opening_call", "continuous"


@dataclass(frozen=True)
class Round:
    """Prices and account events, then requests that see them: (request, what its decision must say)."""

    requests: tuple[tuple[Record, Record], ...]
    prices: dict[str, str] = field(default_factory=dict)
    events: tuple[Record, ...] = ()
    phase: str = CONTINUOUS


@dataclass(frozen=True)
class Example:
    """One trading day; `reference` holds (topic, key, record)."""

    day: str
    rounds: tuple[Round, ...]
    reference: tuple[tuple[str, str, Record], ...] = ()
    books: tuple[Record, ...] = ()


def security(day: str, name: str = BANK, **more: Any) -> tuple[str, str, Record]:
    board = {"688": "star", "300": "chinext"}.get(name[:3], "bse" if name.endswith(".BJ") else "main")
    record: Record = {"security": name, "date": day, "kind": "stock", "board": board, "prev_close": "10.00"}
    record |= {"haircut": "0.65", "financing": True, "lending": True}
    return "reference.securities", name, record | more


def book(account: str, cash: str = "1000000", **more: Any) -> Record:
    return {"account": account, "cash": cash, "positions": [], "contracts": []} | more


def held(name: str, qty: int) -> Record:
    return {"security": name, "qty": qty}


def owed(contract: str, name: str, opened: str, qty: int, price: str, **more: Any) -> Record:
    record = {"contract": contract, "type": "financing", "security": name, "opened": opened, "qty": qty}
    return record | {"price": price, "rate": "0", "due": "2030-01-01"} | more


def asks(account: str, business: str, **fields: Any) -> Record:
    """A request; a trade in BANK by limit order unless it says otherwise."""
    record: Record = {"account": account, "business": business}
    if business not in ("withdraw_cash", "repay"):
        record["security"] = BANK
        if business != "withdraw_security":
            record["order_type"] = "limit" if "price" in fields else "market"
    return record | fields


def accept(limit: Any = None, **more: Any) -> Record:
    return {"decision": "accept"} | ({} if limit is None else {"limit": limit}) | more


def reject(rule: str, limit: Any = 0, **more: Any) -> Record:
    return {"decision": "reject", "rule": rule, "limit": limit} | more
