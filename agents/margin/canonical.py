"""The state in canonical form: the same bytes whatever the row order, the partitions and the log offsets
(contract section 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from agents.core import StateRow
from agents.gate.reservations import FIGURES
from agents.kernels import layout as at
from agents.margin.desk import Desk

_WIDTH = at.HOT_WIDTH
_ACCOUNT = (
    "cash",
    "frozen_cash",
    "other_collateral",
    "transit_cash",
    "owed_cash",
    "principal",
    "interest",
    "proceeds",
)
_STATE = (
    "client",
    "closed",
    "written_off",
    "custody_break",
    "settled_cash",
    "episode_date",
    "episode_number",
)
_POSITION = ("qty", "transit", "short", "compensation", "settled_qty", "locked", "frozen", "lock_day")
_QUANTITIES = 5
"""A row without any of the first quantities is none."""
_CONTRACT = ("kind", "opened", "due", "maturity", "deferred", "qty", "base", "first_qty", "first_base")
_BORROWED = ("fresh", "fresh_day", "margin_ratio")
_SEGMENT = ("since", "closed_days", "rate", "floating", "running", "earned", "remainder")
_INTEREST = (*_SEGMENT, "accrued", "paid", "owed")
_ITEM = ("side", "cash", "shares", "entitled", "price", "worth", "paid", "pay_date")
_EPISODE = (
    "date",
    "number",
    "state",
    "step",
    "batch",
    "called_index",
    "cure_by",
    "liquidate_from",
    "extra_days",
    "at_once",
    "reason",
    "pursued",
    "obliged",
    "obliged_index",
    "obliged_date",
    "snapshots",
    "held",
    "capped",
)
_ORDER = ("business", "left", "expected")
_NO_OFFSET = [
    column for column in range(at.SECURITY_WIDTH) if column not in (at.PRICE_OFFSET, at.QUOTE_OFFSET)
]


def state_rows(desk: Desk) -> Iterator[StateRow]:
    """("account", name, bytes) by name, then ("security", name, bytes) by name; a security without any
    figure is left out.
    """
    accounts = desk.books.accounts
    for name in sorted(accounts.names):
        yield "account", name, orjson.dumps(_account(desk, accounts.index[name]))
    securities = desk.books.securities
    for name in sorted(securities.names):
        cells = securities.array("table")[securities.index[name]]
        if cells[at.MARK] >= 0 or cells[at.QUOTE_TS] >= 0 or cells[at.REFERENCE_DATE] >= 0:
            yield "security", name, orjson.dumps(cells[_NO_OFFSET].tolist())


def _cells(columns: Any, names: tuple[str, ...], row: int) -> list[int]:
    return [getattr(columns, name)[row] for name in names]


def _account(desk: Desk, account: int) -> list[Any]:
    books = desk.books
    hot = [books.accounts.hot[account * _WIDTH + column] for column in range(at.FLAGS)]
    return [
        hot,
        desk.terms.names[books.accounts.hot[account * _WIDTH + at.FLAGS] >> 1],
        _cells(books.accounts, _ACCOUNT, account),
        _cells(books.accounts, _STATE, account),
        _positions(desk, account),
        _contracts(desk, account),
        _items(desk, account),
        _episode(desk, account),
        [desk.slices.latest.get(account), desk.shortfalls.entries.get(account)],
        desk.courts.of(desk.books.accounts.names[account]),
        _reservations(desk, account),
    ]


def _positions(desk: Desk, account: int) -> list[Any]:
    rows, names = desk.books.positions.rows, desk.books.securities.names
    found = []
    for row in desk.books.positions.run(account):
        cells = _cells(rows, _POSITION, row)
        if any(cells[:_QUANTITIES]):
            found.append([names[rows.security[row]], *cells])
    return sorted(found)


def _contracts(desk: Desk, account: int) -> list[Any]:
    contracts, names = desk.books.contracts, desk.books.securities.names
    return sorted(
        [
            contracts.names[row],
            names[contracts.security[row]],
            *_cells(contracts, _CONTRACT, row),
            *_cells(contracts, _BORROWED, row),
            *_cells(contracts, _INTEREST, row),
        ]
        for row in contracts.chain(desk.books.accounts.first[account])
    )


def _items(desk: Desk, account: int) -> list[Any]:
    transit, names = desk.books.transit, desk.books.securities.names
    return sorted(
        [transit.actions[item], names[transit.security[item]], *_cells(transit, _ITEM, item)]
        for item in transit.of(account)
    )


def _reservations(desk: Desk, account: int) -> list[Any]:
    """Open requests, oldest first: a withdrawal uses the oldest."""
    reservations, names = desk.reservations, desk.books.securities.names
    return [
        [
            reservations.names[row],
            names[reservations.security[row]] if reservations.security[row] >= 0 else None,
            *_cells(reservations, ("business", "qty", "left", *FIGURES), row),
        ]
        for row in reservations.of(account)
    ]


def _episode(desk: Desk, account: int) -> list[Any] | None:
    row = desk.books.accounts.episode[account]
    if row < 0:
        return None
    episodes, orders = desk.episodes, desk.orders
    return [
        _cells(episodes, _EPISODE, row),
        _cells(episodes, ("approved", "acknowledged"), row),
        episodes.commands.get(row),
        [[orders.names[order], *_cells(orders, _ORDER, order)] for order in orders.of(account)],
    ]
