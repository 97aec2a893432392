"""Marks and what they change: observations taken in, holders of a security revalued, everything recomputed.

A tick walks one contiguous run of a security's holders and adds quantity x price change to one cache line
per account. Sums are modulo 2^64: exact whenever the true value fits, and what does not fit is counted in
BLIND and never judged.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.layout import (
    ASK_PRICE,
    ASK_QTY,
    BID_PRICE,
    BID_QTY,
    BLIND,
    CARRIED,
    FAIR_PRICE,
    HALTED,
    LIMIT_DOWN,
    LIMIT_UP,
    LONG,
    MARK,
    MONEY_BOUND,
    NEXT_KIND,
    NEXT_OFFSET,
    NEXT_PRICE,
    NEXT_TS,
    POLICY,
    POLICY_EXCLUDE,
    POLICY_LAST,
    PREV_CLOSE,
    PREV_DATE,
    PRICE,
    PRICE_KIND,
    PRICE_OFFSET,
    PRICE_TS,
    QUOTE_OFFSET,
    QUOTE_PREV_CLOSE,
    QUOTE_TS,
    SHORT,
    VALUE,
    VOLUME,
)

I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
U1 = NDArray[np.uint8]

_NEVER = 2**62
_DAY_MS = 86_400_000
_SHANGHAI_MS = 28_800_000


@njit(cache=True, inline="always")
def _largest(price: int) -> int:
    """The largest quantity that can be valued: within the bounds, and none at all without a price."""
    if price > 0:
        return MONEY_BOUND // price
    return _NEVER if price == 0 else 0


@njit(cache=True, inline="always")
def is_blind(qty: int, short: int, mark: int, value: int) -> bool:
    """Whether a row of a holding and a debt in one security cannot be valued."""
    return qty > _largest(value) or short > _largest(mark)


@njit(cache=True)
def reprice(
    s: int,
    mark: int,
    value: int,
    table: I8,
    start: I8,
    count: I4,
    h_account: I4,
    h_qty: I8,
    h_short: I8,
    hot: I8,
    flag: U1,
    touched: I4,
    size: I4,
) -> None:
    """Gives security `s` a new mark and value; holders' accounts follow and are listed in `touched`
    (`size[0]` long).

    `start`, `count` per security delimit its holders in `h_account`, `h_qty`, `h_short`; `flag` per account
    says listed.
    """
    old_mark = table[s, MARK]
    old_value = table[s, VALUE]
    if old_mark == mark and old_value == value:
        return
    table[s, MARK] = mark
    table[s, VALUE] = value
    up_value = max(value, 0) - max(old_value, 0)
    up_mark = max(mark, 0) - max(old_mark, 0)
    most_value, most_mark = _largest(value), _largest(mark)
    most_old_value, most_old_mark = _largest(old_value), _largest(old_mark)
    n = size[0]
    first = start[s]
    for i in range(first, first + count[s]):
        q = h_qty[i]
        b = h_short[i]
        if q == 0 and b == 0:
            continue
        a = h_account[i]
        hot[a, LONG] += q * up_value
        if b != 0:
            hot[a, SHORT] += b * up_mark
        was = q > most_old_value or b > most_old_mark
        now = q > most_value or b > most_mark
        if was != now:
            hot[a, BLIND] += 1 if now else -1
        if flag[a] == 0:
            flag[a] = 1
            touched[n] = a
            n += 1
    size[0] = n


@njit(cache=True, inline="always")
def value_under_policy(policy: int, mark: int, fair: int) -> int:
    """What a holding counts at (rulebook 1.4, `px.special`)."""
    if policy == POLICY_EXCLUDE:
        return 0
    return fair if policy != POLICY_LAST and fair >= 0 else mark


@njit(cache=True, inline="always")
def _take_price(row: I8, price: int, ts: int, kind: int, offset: int) -> None:
    """Keeps the observation with the greatest (ts, trade over quote, offset)."""
    if row[PRICE] >= 0:
        if ts != row[PRICE_TS]:
            if ts < row[PRICE_TS]:
                return
        elif kind != row[PRICE_KIND]:
            if kind < row[PRICE_KIND]:
                return
        elif offset <= row[PRICE_OFFSET]:
            return
    row[PRICE] = price
    row[PRICE_TS] = ts
    row[PRICE_KIND] = kind
    row[PRICE_OFFSET] = offset


@njit(cache=True, inline="always")
def _keep_for_later(row: I8, price: int, ts: int, kind: int, offset: int) -> None:
    """Keeps the latest observation of the earliest date that has not begun."""
    if row[NEXT_PRICE] >= 0:
        date, kept = (ts + _SHANGHAI_MS) // _DAY_MS, (row[NEXT_TS] + _SHANGHAI_MS) // _DAY_MS
        if date > kept:
            return
        if date == kept:
            if ts != row[NEXT_TS]:
                if ts < row[NEXT_TS]:
                    return
            elif kind != row[NEXT_KIND]:
                if kind < row[NEXT_KIND]:
                    return
            elif offset <= row[NEXT_OFFSET]:
                return
    row[NEXT_PRICE] = price
    row[NEXT_TS] = ts
    row[NEXT_KIND] = kind
    row[NEXT_OFFSET] = offset


@njit(cache=True)
def observe(
    ids: I4,
    price: I8,
    price_ts: I8,
    price_kind: NDArray[np.int8],
    price_offset: I8,
    quote_ts: I8,
    quote_offset: I8,
    quote: I8,
    day: int,
    table: I8,
    start: I8,
    count: I4,
    h_account: I4,
    h_qty: I8,
    h_short: I8,
    hot: I8,
    flag: U1,
    touched: I4,
    size: I4,
) -> None:
    """Takes in marks (row i is of security `ids[i]`); the later observation and the newer quote stay.

    `quote` int64[n, 9]: prev_close, limit_up, limit_down, halted, bid price and quantity, ask price and
    quantity, volume of the day. `day` is the current day number, -1 before any is known. The remaining
    arguments are those of `reprice`.
    """
    for i in range(len(ids)):
        s = ids[i]
        row = table[s]
        if price[i] > 0:
            if 0 <= day < (price_ts[i] + _SHANGHAI_MS) // _DAY_MS:
                _keep_for_later(row, price[i], price_ts[i], price_kind[i], price_offset[i])
            else:
                _take_price(row, price[i], price_ts[i], price_kind[i], price_offset[i])
        if quote_ts[i] >= 0:
            _take_quote(row, quote[i], quote_ts[i], quote_offset[i])
        mark = _mark_of(row, day)
        value = value_under_policy(row[POLICY], mark, row[FAIR_PRICE])
        reprice(s, mark, value, table, start, count, h_account, h_qty, h_short, hot, flag, touched, size)


@njit(cache=True, inline="always")
def _mark_of(row: I8, day: int) -> int:
    """Rulebook 1.4 as a function of what is known, whatever the order and the batches it came in; see
    `Securities.marks`.
    """
    seen = (row[PRICE_TS] + _SHANGHAI_MS) // _DAY_MS
    if row[PRICE] >= 0 and (seen == day or day < 0):
        return int(row[PRICE])
    if row[QUOTE_PREV_CLOSE] > 0 and (row[QUOTE_TS] + _SHANGHAI_MS) // _DAY_MS == day:
        return int(row[QUOTE_PREV_CLOSE])
    if row[PREV_DATE] == day and row[PREV_CLOSE] > 0:
        return int(row[PREV_CLOSE])
    if row[CARRIED] >= 0 or seen > day:
        return int(row[CARRIED])
    return int(row[PRICE])


@njit(cache=True, inline="always")
def _take_quote(row: I8, quote: I8, ts: int, offset: int) -> None:
    """Keeps the fields of the newest quote, and of that quote only: so conflation may drop older ones."""
    if ts < row[QUOTE_TS] or (ts == row[QUOTE_TS] and offset <= row[QUOTE_OFFSET]):
        return
    row[QUOTE_TS] = ts
    row[QUOTE_OFFSET] = offset
    row[QUOTE_PREV_CLOSE] = quote[0]
    row[LIMIT_UP] = quote[1]
    row[LIMIT_DOWN] = quote[2]
    row[HALTED] = quote[3]
    row[BID_PRICE] = quote[4]
    row[BID_QTY] = quote[5]
    row[ASK_PRICE] = quote[6]
    row[ASK_QTY] = quote[7]
    row[VOLUME] = quote[8]


@njit(cache=True)
def valued_otherwise(accounts: I4, start: I8, count: I4, security: I4, table: I8, out: U1) -> None:
    """Sets `out` uint8[n] to 1 for those of `accounts` that have a row of a security which counts at another
    value than its mark, else to 0. `start`, `count` per account delimit its rows in `security`.
    """
    for i in range(len(accounts)):
        a = accounts[i]
        out[i] = 0
        for row in range(start[a], start[a] + count[a]):
            if table[security[row], POLICY] != POLICY_LAST:
                out[i] = 1


@njit(cache=True)
def sweep(
    accounts: int,
    start: I8,
    count: I4,
    security: I4,
    held: I8,
    transit: I8,
    borrowed: I8,
    compensation: I8,
    table: I8,
    out: I8,
) -> None:
    """Full recomputation by account from the account-major rows: LONG, SHORT, BLIND into `out`
    int64[accounts, 3].
    """
    for a in range(accounts):
        long_value = 0
        short_value = 0
        blind = 0
        for r in range(start[a], start[a] + count[a]):
            s = security[r]
            q = held[r] + transit[r]
            b = borrowed[r] + compensation[r]
            mark = table[s, MARK]
            value = table[s, VALUE]
            long_value += q * max(value, 0)
            short_value += b * max(mark, 0)
            if is_blind(q, b, mark, value):
                blind += 1
        out[a, 0] = long_value
        out[a, 1] = short_value
        out[a, 2] = blind
