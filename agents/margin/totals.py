"""Per-security totals of a shard at `settled` (topic `shard.totals`): absolute, and the day's flows."""

from __future__ import annotations

import numpy as np

from agents.books.book import Books
from agents.kernels.totals import sum_by_security


def security_totals(books: Books) -> dict[str, list[int]]:
    """Security -> [financing_balance, lending_qty, credit_holding_qty, accounts, buys, repayments,
    short_sales, returns].

    Money in 0.001 yuan, quantities in shares, `accounts` = accounts with an open contract in it; sorted by
    security, all-zero ones left out.
    """
    accounts, contracts, positions, securities = (
        books.accounts,
        books.contracts,
        books.positions,
        books.securities,
    )
    out = np.zeros((securities.rows, 4), dtype=np.int64)
    sum_by_security(
        accounts.rows,
        accounts.array("first"),
        contracts.array("following"),
        contracts.array("kind"),
        contracts.array("security"),
        contracts.array("qty"),
        contracts.array("base"),
        positions.by_account.array("start"),
        positions.by_account.array("count"),
        positions.rows.array("security"),
        positions.rows.array("qty"),
        np.full(securities.rows, -1, dtype=np.int32),
        out,
    )
    figures = np.concatenate([out, securities.used("flows")], axis=1)
    named = {
        securities.names[row]: figures[row].tolist() for row in np.flatnonzero(figures.any(axis=1)).tolist()
    }
    return dict(sorted(named.items()))
