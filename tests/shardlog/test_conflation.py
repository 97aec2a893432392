"""Conflation: the latest observation is the price, the newest quote gives the rest, in any batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.market.conflate import conflate_quotes, conflate_trades, merge_marks
from schemas.batches import MarkBatch
from tests.shardlog.made import MORNING, quote_batch, trade_batch

AUCTION = MORNING - 6 * 60_000
"""09:24 in Shanghai."""

names = st.sampled_from(["600519.SH", "000001.SZ", "300750.SZ"])
times = st.integers(0, 5).map(lambda s: MORNING + s)
tick = st.tuples(names, times, st.integers(1, 9))
quote = st.tuples(names, times, st.integers(0, 9), st.integers(10, 19))


def rows(marks: MarkBatch) -> dict[str, tuple[int, ...]]:
    columns = [marks.column(name).tolist() for name in MarkBatch.COLUMNS if name != "security"]
    return {
        marks.securities[code]: tuple(column[row] for column in columns)
        for row, code in enumerate(marks.security.tolist())
    }


def offsets(count: int) -> np.ndarray:
    return np.arange(100, 100 + count)


def test_the_latest_trade_of_a_security_is_its_price() -> None:
    batch = trade_batch(
        [("A", MORNING, 10), ("B", MORNING, 7), ("A", MORNING + 1, 12), ("A", MORNING - 1, 99)]
    )
    marks = conflate_trades(batch, offsets(4))
    by_name = dict(zip([marks.securities[s] for s in marks.security], marks.price.tolist(), strict=True))
    assert by_name == {"A": 12, "B": 7}


def test_of_two_trades_of_one_moment_the_later_offset_is_the_price() -> None:
    marks = conflate_trades(trade_batch([("A", MORNING, 10), ("A", MORNING, 11)]), offsets(2))
    assert (marks.price.tolist(), marks.price_offset.tolist()) == ([11], [101])


def test_a_trade_goes_before_a_quote_of_the_same_moment_and_drops_no_limit() -> None:
    traded = conflate_trades(trade_batch([("A", MORNING, 10)]), offsets(1))
    quoted = conflate_quotes(quote_batch([("A", MORNING, 12, 15)]), np.array([900]))
    for parts in ([traded, quoted], [quoted, traded]):
        marks = merge_marks(parts)
        assert (marks.price.tolist(), marks.price_kind.tolist(), marks.limit_up.tolist()) == ([10], [1], [15])


def test_the_virtual_match_of_the_auction_is_no_observation() -> None:
    marks = conflate_quotes(quote_batch([("A", AUCTION, 12, 15)]), offsets(1))
    assert (marks.price.tolist(), marks.price_ts.tolist(), marks.limit_up.tolist()) == ([-1], [-1], [15])


def test_a_quote_without_a_trade_today_gives_limits_and_no_price() -> None:
    marks = conflate_quotes(quote_batch([("A", MORNING, 0, 15), ("A", MORNING + 1, -1, 16)]), offsets(2))
    assert (marks.price.tolist(), marks.quote_ts.tolist(), marks.limit_up.tolist()) == (
        [-1],
        [MORNING + 1],
        [16],
    )


def test_nothing_conflates_to_nothing() -> None:
    assert len(conflate_trades(trade_batch([]), offsets(0))) == 0
    assert len(conflate_quotes(quote_batch([]), offsets(0))) == 0


@given(st.lists(tick, min_size=1, max_size=12), st.lists(quote, min_size=1, max_size=12), st.data())
def test_any_split_in_any_order_gives_the_same_marks(
    ticks: list[tuple[str, int, int]], quotes: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    whole = [
        conflate_trades(trade_batch(ticks), offsets(len(ticks))),
        conflate_quotes(quote_batch(quotes), offsets(len(quotes))),
    ]
    a, b = data.draw(st.integers(0, len(ticks))), data.draw(st.integers(0, len(quotes)))
    parts = [
        conflate_trades(trade_batch(ticks[:a]), offsets(len(ticks))[:a]),
        conflate_trades(trade_batch(ticks[a:]), offsets(len(ticks))[a:]),
        conflate_quotes(quote_batch(quotes[:b]), offsets(len(quotes))[:b]),
        conflate_quotes(quote_batch(quotes[b:]), offsets(len(quotes))[b:]),
        whole[0],  # a repetition is harmless
    ]
    shuffled = data.draw(st.permutations(parts))
    assert rows(merge_marks(shuffled)) == rows(merge_marks(whole))


@given(st.lists(tick, min_size=1, max_size=12), st.lists(quote, min_size=1, max_size=12))
def test_the_price_is_the_greatest_observation(
    ticks: list[tuple[str, int, int]], quotes: list[tuple[str, int, int, int]]
) -> None:
    seen = [(name, (ts, 1, 100 + i), price) for i, (name, ts, price) in enumerate(ticks)]
    seen += [(name, (ts, 0, 100 + i), last) for i, (name, ts, last, _) in enumerate(quotes) if last > 0]
    best: dict[str, tuple[tuple[int, int, int], int]] = {}
    for name, key, price in seen:
        best[name] = max(best.get(name, ((0, 0, 0), 0)), (key, price))
    marks = merge_marks(
        [
            conflate_trades(trade_batch(ticks), offsets(len(ticks))),
            conflate_quotes(quote_batch(quotes), offsets(len(quotes))),
        ]
    )
    priced = {name: row[0] for name, row in rows(marks).items() if row[0] >= 0}
    assert priced == {name: price for name, (_, price) in best.items()}
