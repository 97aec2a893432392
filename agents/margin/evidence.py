"""What an account looks like in public: ratio records and the evidence of a call (contract section 3).

Evidence alone must suffice to recompute the ratio by hand:

    assets = cash + other_collateral + in_transit + sum(position.value)
    debt   = sum(principal) + sum(lending qty * price) + interest

`interest` on top is the sum of the contracts' and of other fees owed: what a corporate action makes a short
owe is such a fee.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.books.book import Books
from agents.books.contracts import FINANCING, NO_DAY
from agents.kernels.layout import (
    HOT_WIDTH,
    LONG,
    MARK,
    OWED,
    POLICY,
    POLICY_LAST,
    SECURITY_WIDTH,
    SHORT,
    VALUE,
)
from agents.kernels.margin import available_margins
from agents.kernels.valuation import valued_otherwise
from schemas.account import CONTRACT_TYPES
from schemas.reference import VALUATIONS
from schemas.units import format_day, format_money, format_ratio

Record = dict[str, Any]


def evidence(books: Books, account: int) -> Record:
    """Cash, positions and contracts with the prices used, sorted by security and by contract."""
    accounts = books.accounts
    positions = _positions(books, account)
    contracts, named = _contracts(books, account)
    held = sum(value for _, value in positions)
    hot, at = accounts.hot, account * HOT_WIDTH
    shown: Record = {
        "cash": format_money(accounts.cash[account]),
        "other_collateral": format_money(accounts.other_collateral[account]),
        "interest": format_money(hot[at + OWED] + hot[at + SHORT] - named),
    }
    in_transit = accounts.transit_cash[account] + hot[at + LONG] - held
    if in_transit:
        shown["in_transit"] = format_money(in_transit)
    change = last_close_change(books, account) - _change_of_held(books, account)
    if change:
        shown["in_transit_last"] = format_money(in_transit + change)
    if accounts.frozen_cash[account]:
        shown["frozen_cash"] = format_money(accounts.frozen_cash[account])
    shown["positions"] = [record for record, _ in positions]
    shown["contracts"] = contracts
    return shown


def _positions(books: Books, account: int) -> list[tuple[Record, int]]:
    securities, rows = books.securities, books.positions.rows
    held = [row for row in books.positions.run(account) if rows.qty[row]]
    found = []
    for row in sorted(held, key=lambda row: securities.names[rows.security[row]]):
        security, qty = rows.security[row], rows.qty[row]
        price = securities.get(security, VALUE)
        value = qty * max(0, price)
        policy = securities.get(security, POLICY)
        record: Record = {
            "security": securities.names[security],
            "qty": qty,
            "price": format_money(price) if price >= 0 else None,
            "value": format_money(value),
            "valuation": VALUATIONS[policy],
        }
        if policy != POLICY_LAST:
            record["last"] = format_money(max(0, securities.get(security, MARK)))
        if rows.frozen[row]:
            record["frozen"] = rows.frozen[row]
        found.append((record, value))
    return found


def _contracts(books: Books, account: int) -> tuple[list[Record], int]:
    """Records, and the debt they name apart from interest."""
    contracts, securities = books.contracts, books.securities
    found, named = [], 0
    for row in sorted(contracts.chain(books.accounts.first[account]), key=lambda row: contracts.names[row]):
        security, qty = contracts.security[row], contracts.qty[row]
        record: Record = {
            "contract": contracts.names[row],
            "type": CONTRACT_TYPES[contracts.kind[row]],
            "security": securities.names[security],
            "qty": qty,
        }
        if contracts.kind[row] == FINANCING:
            record["principal"] = format_money(contracts.base[row])
            named += contracts.base[row]
        else:
            mark = securities.get(security, MARK)
            record["price"] = format_money(mark) if mark >= 0 else None
            named += qty * max(0, mark)
        record["interest"] = format_money(contracts.owed[row])
        if contracts.due[row] >= 0:
            record["due"] = format_day(contracts.due[row])
        if contracts.maturity[row] not in (NO_DAY, contracts.due[row]):
            record["maturity"] = format_day(contracts.maturity[row])
        found.append(record)
    return found, named


def available(books: Books, accounts: list[int]) -> list[int]:
    """Available margin (保证金可用余额) of accounts, milli, rounded down."""
    rows = np.asarray(accounts, dtype=np.int32)
    out = np.empty(len(rows), dtype=np.int64)
    a, c, p = books.accounts, books.contracts, books.positions
    available_margins(
        rows,
        a.array("cash"),
        a.array("interest"),
        a.array("owed_cash"),
        a.array("first"),
        c.array("following"),
        c.array("kind"),
        c.array("security"),
        c.array("qty"),
        c.array("base"),
        c.array("margin_ratio"),
        p.by_account.array("start"),
        p.by_account.array("count"),
        p.rows.array("security"),
        p.rows.array("qty"),
        p.rows.array("compensation"),
        books.securities.array("table"),
        out,
    )
    return out.tolist()


def unpriced(books: Books, account: int) -> list[str]:
    """Securities held, awaited or owed that have no usable price."""
    positions, table = books.positions, books.securities.table
    places, security_of, holders = positions.rows.place, positions.rows.security, positions.holders
    qty, short, names = holders.qty, holders.short, books.securities.names
    found = []
    for row in positions.run(account):
        place, security = places[row], security_of[row]
        cell = security * SECURITY_WIDTH
        if (table[cell + VALUE] < 0 and qty[place]) or (table[cell + MARK] < 0 and short[place]):
            found.append(names[security])
    return sorted(found)


def last_close_change(books: Books, account: int) -> int:
    """What assets would gain if every holding counted at its last price: 0 unless another valuation is in
    force.
    """
    securities, positions = books.securities, books.positions
    table, security_of = securities.table, positions.rows.security
    change = 0
    for row in positions.run(account):
        security = security_of[row]
        if table[security * SECURITY_WIDTH + POLICY] != POLICY_LAST:
            price = max(0, securities.get(security, MARK)) - max(0, securities.get(security, VALUE))
            change += positions.holders.qty[positions.rows.place[row]] * price
    return change


def last_close_changes(books: Books, accounts: list[int]) -> list[int]:
    """The same for many accounts."""
    rows, found = np.asarray(accounts, dtype=np.int32), np.empty(len(accounts), dtype=np.uint8)
    runs, positions = books.positions.by_account, books.positions.rows
    table = books.securities.array("table")
    valued_otherwise(
        rows, runs.array("start"), runs.array("count"), positions.array("security"), table, found
    )
    return [
        last_close_change(books, account) if special else 0
        for account, special in zip(accounts, found.tolist(), strict=True)
    ]


def _change_of_held(books: Books, account: int) -> int:
    """The part of `last_close_change` that is held, not in transit."""
    securities, rows, change = books.securities, books.positions.rows, 0
    for row in books.positions.run(account):
        security = rows.security[row]
        if rows.qty[row] and securities.get(security, POLICY) != POLICY_LAST:
            last = max(0, securities.get(security, MARK))
            change += rows.qty[row] * (last - max(0, securities.get(security, VALUE)))
    return change


def shown_ratio(assets: int, debt: int) -> str | None:
    """Six places; None for an account that owes nothing."""
    return format_ratio(assets, debt) if debt > 0 else None
