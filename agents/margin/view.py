"""What a person sees of a shard: one account, the counts of levels, the worst accounts."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.gate.capacity import capacity
from agents.kernels.layout import FLAGS, HOT_WIDTH, LONG, OWED, OWN, SHORT, SHOWN, UNPRICED
from agents.margin.desk import Desk
from agents.margin.episodes import STATE_NAMES
from agents.margin.evidence import available, evidence, last_close_change, shown_ratio
from agents.margin.records import lines_of, obligations_of, ratio_record
from schemas.alerts import CALL_REASONS, LEVELS
from schemas.units import RATIO_SCALE, format_money

Record = dict[str, Any]


def account_view(desk: Desk, name: str) -> Record:
    """State, lines, open episode with its orders, and evidence of an account. Raises KeyError for one never
    opened.
    """
    accounts = desk.books.accounts
    account = accounts.index[name]
    preset = desk.preset(account)
    margin, change = available(desk.books, [account])[0], last_close_change(desk.books, account)
    view = ratio_record(desk, account, desk.calendar.market_ts, settled=False, margin=margin, change=change)
    del view["settled"]
    view |= {
        "closed": bool(accounts.closed[account]),
        "frozen_cash": format_money(accounts.frozen_cash[account]),
        "preset": preset.name,
        "lines": lines_of(preset),
        "rule": preset.rule,
        "episode": None,
    }
    row = accounts.episode[account]
    if row >= 0:
        episodes = desk.episodes
        view["episode"] = desk.episode_name(row)
        view["call"] = {
            "state": STATE_NAMES[episodes.state[row]],
            "reason": CALL_REASONS[episodes.reason[row]],
            **obligations_of(desk, account, row),
            "steps": episodes.step[row],
            "held": bool(episodes.held[row] or episodes.capped[row]),
            "acknowledged": bool(episodes.acknowledged[row]),
            "orders": [desk.orders.names[order] for order in desk.orders.of(account)],
        }
    view["capacity"] = capacity(desk, account, margin)
    unsecured = desk.shortfalls.amount(account)
    if unsecured:
        view["unsecured"] = format_money(unsecured)
    view["evidence"] = evidence(desk.books, account)
    return view


def level_counts(desk: Desk) -> Record:
    """{"accounts", "indebted", "levels": {level: accounts}, "episodes": {state: accounts}}."""
    accounts = desk.books.accounts
    hot = accounts.used("hot")
    shown = np.bincount(hot[accounts.used("closed") == 0, SHOWN], minlength=len(LEVELS)).tolist()
    states = desk.episodes.used("state")[desk.episodes.used("account") >= 0]
    counted = np.bincount(states, minlength=len(STATE_NAMES)).tolist()
    return {
        "accounts": int((accounts.used("closed") == 0).sum()),
        "indebted": int((hot[:, OWED] + hot[:, SHORT] > 0).sum()),
        "levels": dict(zip(LEVELS, shown, strict=True)),
        "episodes": dict(zip(STATE_NAMES, counted, strict=True)),
    }


def worst_accounts(desk: Desk, n: int) -> list[Record]:
    """The `n` indebted accounts with the lowest ratios, lowest first, equal ones by name."""
    accounts = desk.books.accounts
    hot = accounts.used("hot")
    assets, debt = hot[:, OWN] + hot[:, LONG], hot[:, OWED] + hot[:, SHORT]
    rows = np.flatnonzero((debt > 0) & (hot[:, SHOWN] != UNPRICED))
    ratio = assets[rows] * RATIO_SCALE // debt[rows]
    nearest = rows[np.argsort(ratio, kind="stable")[: 4 * n]].tolist()
    exact = sorted(
        nearest, key=lambda row: (accounts.assets(row) * 10**9 // accounts.debt(row), accounts.names[row])
    )
    return [_short_view(desk, row) for row in exact[:n]]


def _short_view(desk: Desk, account: int) -> Record:
    accounts = desk.books.accounts
    shown = accounts.hot[account * HOT_WIDTH + SHOWN]
    return {
        "account": accounts.names[account],
        "level": LEVELS[shown],
        "ratio": shown_ratio(accounts.assets(account), accounts.debt(account)),
        "assets": format_money(accounts.assets(account)),
        "debt": format_money(accounts.debt(account)),
        "preset": desk.terms.current[accounts.hot[account * HOT_WIDTH + FLAGS] >> 1].name,
    }
