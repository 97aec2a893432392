"""Books as account events of a recorded day: openings, and deposits on the days after."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas.account import CLIENT_CLASSES
from schemas.units import MINUTE_MS, day_start, format_day
from streams.books.draw import (
    BODY,
    CALLED,
    LENDING_RATE,
    PRESETS,
    RATES,
    SUNK,
    TAIL,
    Books,
    Ints,
)
from streams.days.columns import CONTRACTS, CREDIT, POSITIONS
from streams.days.decimals import MONEY_TYPE, money_array

OPENED_AT = (8 * 60 + 30) * MINUTE_MS
"""Openings carry 08:30 of their day: before its `pre_open`."""
CONTRACT_DAYS = 180
"""A contract runs for at most six months (rulebook 7.6)."""
_CREDIT_STEP = 10_000 * 1000


def opening_events(books: Books, day: int | None = None) -> pa.Table:
    """The ``account.events`` table of openings, one row an account, at 08:30 of ``day`` (``books.as_of``)."""
    day = books.as_of if day is None else day
    accounts = len(books)
    names = pa.array(books.names, pa.string())
    branches = np.array([f"B{i:03d}" for i in range(int(books.branch.max(initial=0)) + 1)])[books.branch]
    classes = np.array(CLIENT_CLASSES)[books.holder]
    return pa.table(
        {
            "account": names,
            "ts": pa.array(np.full(accounts, day_start(day) + OPENED_AT, np.int64)),
            "id": pa.array([f"open-{format_day(day)}"] * accounts),
            "kind": pa.array(["opening"] * accounts),
            "cash": money_array(books.cash),
            "positions": _positions(books),
            "contracts": _contracts(books),
            "class": pa.array(classes.tolist(), pa.string()),
            "preset": pa.array([PRESETS[i] or None for i in books.preset.tolist()], pa.string()),
            "credit": _credit(books.debt),
            "branch": pa.array(branches.tolist(), pa.string()),
            "key": names,
        }
    )


def _offsets(account: Ints, accounts: int) -> pa.Array:
    counts = np.bincount(account, minlength=accounts)
    return pa.array(np.concatenate(([0], np.cumsum(counts))).astype(np.int32))


def _named(books: Books, security: Ints) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(security), pa.array(books.securities)).cast(pa.string())


def _positions(books: Books) -> pa.Array:
    rows = pa.StructArray.from_arrays(
        [
            _named(books, books.position_security),
            pa.array(books.position_qty),
            pa.nulls(len(books.position_qty), pa.int64()),
        ],
        fields=list(POSITIONS.value_type),
    )
    return pa.ListArray.from_arrays(_offsets(books.position_account, len(books)), rows).cast(POSITIONS)


def _contracts(books: Books) -> pa.Array:
    count = len(books.contract_qty)
    first = np.searchsorted(books.contract_account, books.contract_account)
    number = np.arange(count) - first + 1
    short = books.contract_short
    rates = np.where(short, LENDING_RATE, np.array(RATES)[books.contract_rate])
    due = (books.contract_opened + CONTRACT_DAYS).astype(np.int32)
    rows = pa.StructArray.from_arrays(
        [
            pa.array([f"C{n}" for n in number.tolist()], pa.string()),
            pa.array(np.where(short, "lending", "financing").tolist(), pa.string()),
            _named(books, books.contract_security),
            pa.array(books.contract_opened.astype(np.int32)).cast(pa.date32()),
            pa.array(books.contract_qty),
            money_array(books.contract_price),
            money_array(np.where(short, 0, books.contract_qty * books.contract_price), short),
            pa.array(rates.tolist(), pa.string()),
            pa.nulls(count, pa.string()),
            pa.array(due).cast(pa.date32()),
            money_array(books.contract_accrued),
        ],
        fields=list(CONTRACTS.value_type),
    )
    return pa.ListArray.from_arrays(_offsets(books.contract_account, len(books)), rows).cast(CONTRACTS)


def _credit(debt: Ints) -> pa.Array:
    """Credit lines half as large again as the debt, in steps of 10,000 yuan."""
    total = (debt * 3 // 2 // _CREDIT_STEP + 1) * _CREDIT_STEP
    parts = [money_array(total), money_array(total), money_array(total), pa.nulls(len(total), pa.date32())]
    return pa.StructArray.from_arrays(parts, fields=list(CREDIT))


def own_preset(day: int) -> pa.Table:
    """The ``reference.rules`` record of preset E, in force from ``day``: as D, with an immediate line of 1.20
    (a value some brokers use, rulebook 1.2) and cure at once."""
    row = {
        "preset": "E", "from": format_day(day), "warn": "1.50", "min": "1.30", "immediate": "1.20",
        "immediate_mode": "realtime", "target": "1.50", "cure_by": 1, "cure_at": "intraday",
        "liquidate_from": 2, "rearm": "0.01", "commission": "0.00025", "key": "E",
    }  # fmt: skip
    table = pa.Table.from_pylist([row])
    return table.set_column(1, "from", table.column("from").cast(pa.date32()))


def deposit_events(books: Books, day: int, *, crash: bool = False) -> pa.Table:
    """Cash deposits on ``day``, a trading day after ``books.as_of``, in a seeded draw.

    In the morning a quarter of the accounts that were drawn below the minimum line bring what lifts them to
    1.60 of their drawn debt, and a sixth bring a third of that. With ``crash``, in the afternoon one in
    eight of those drawn just above the lines and one in a hundred of the others add between a tenth and a
    half of their debt.
    """
    random = np.random.Generator(np.random.PCG64([books.seed, books.as_of, day]))
    chance = random.random(len(books))
    moment = random.random(len(books))
    size = random.random(len(books))
    below = (books.group == CALLED) | (books.group == SUNK)
    below &= ~books.late | crash
    full = below & (chance < 0.25)
    part = below & (chance >= 0.25) & (chance < 0.42)
    missing = np.maximum(books.debt * 16 // 10 - books.assets, 0)
    afternoon = ((books.group == TAIL) & (chance < 0.125)) | ((books.group == BODY) & (chance < 0.01))
    afternoon &= crash & (books.debt > 0)
    amount = np.where(full, missing, np.where(part, missing // 3, 0))
    amount = np.where(afternoon, (books.debt * (0.1 + 0.4 * size)).astype(np.int64), amount) // 1000 * 1000
    rows = np.flatnonzero((full | part | afternoon) & (amount > 0))
    start = np.where(afternoon, 13 * 60, 9 * 60 + 35) * MINUTE_MS
    ts = day_start(day) + start + (moment * 110 * MINUTE_MS).astype(np.int64)
    rows = rows[np.argsort(ts[rows], kind="stable")]
    names = pa.array([books.names[i] for i in rows.tolist()], pa.string())
    return pa.table(
        {
            "account": names,
            "ts": pa.array(ts[rows]),
            "id": pa.array([f"deposit-{format_day(day)}"] * len(rows), pa.string()),
            "kind": pa.array(["cash"] * len(rows), pa.string()),
            "amount": money_array(amount[rows]).cast(MONEY_TYPE),
            "reason": pa.array(["deposit"] * len(rows), pa.string()),
            "key": names,
        }
    )
