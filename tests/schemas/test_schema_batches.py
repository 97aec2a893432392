"""Batches: many records decoded at once hold exactly what each record holds alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas import AccountBatch, BadRecord, QuoteBatch, TradeBatch, decode, decode_opening, encode
from schemas.account import BUSINESSES, CLIENT_CLASSES, CONTRACT_TYPES, KINDS, REASONS, Freeze, Opening
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.frames import CONTENT_TYPE_FRAME, encode_account_events, encode_quotes, encode_trades
from schemas.market import SIDES, Quote, Trade
from tests.schemas import examples
from tests.schemas.event_strategies import ACCOUNT_EVENTS, of_class

slow = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([10**11, 10**11 + 1, 2**63, 2**64 - 1, 1_743_991_200_000, -(2**63)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1e2, 1.5, 1.2345, 1e16, 1e300, 10_000_000.001]),
    st.sampled_from(
        ["1.230", "1.2345", "-1", "", "B", "x", "600519.SH", "2025-04-07", "1e2", "é" * 64, "a\n"]
    ),
    st.lists(st.lists(st.sampled_from([1, 2.5, "3", None, -1]), max_size=3), max_size=2),
    st.just({}),
)
"""What a careless publisher puts into any field."""


def _spoiled(events: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        record = orjson.loads(encode(draw(events)))
        for field in draw(st.lists(st.sampled_from([*record, "v", "kind"]), max_size=2)):
            record[field] = draw(ODD_VALUES)
        for field in draw(st.lists(st.sampled_from([*record]), max_size=1)):
            del record[field]
        return orjson.dumps(record)

    garbage = st.sampled_from([b"", b"[]", b"{", b"null", b"7", b'"x"', b"{}"])
    return st.one_of(events.map(encode), build(), garbage)


def _absent(value: Any) -> Any:
    return -1 if value is None else value


def _trade_row(event: Trade) -> tuple[Any, ...]:
    side = 255 if event.side is None else SIDES.index(event.side)
    return (event.security, event.ts, event.price, event.qty, side, _absent(event.seq))


def _trade_rows(batch: TradeBatch) -> list[tuple[Any, ...]]:
    columns: list[NDArray[Any]] = [batch.ts, batch.price, batch.qty, batch.side, batch.seq]
    names = [batch.securities[i] for i in batch.security]
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


def _best(side: Any) -> tuple[int, int]:
    return (-1, -1) if side is None else side[0] if side else (0, 0)


PLAIN = (
    "ts",
    "last",
    "prev_close",
    "open",
    "high",
    "low",
    "volume",
    "amount",
    "limit_up",
    "limit_down",
    "halted",
)


def _quote_row(event: Quote) -> tuple[Any, ...]:
    plain = [_absent(getattr(event, name)) for name in PLAIN]
    return (event.security, *plain, *_best(event.bid), *_best(event.ask))


def _quote_rows(batch: QuoteBatch) -> list[tuple[Any, ...]]:
    names = [batch.securities[i] for i in batch.security]
    columns = [batch.column(n) for n in (*PLAIN, "bid_price", "bid_qty", "ask_price", "ask_qty")]
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


def _code(options: tuple[str, ...], value: str | None) -> int:
    return options.index(value) if value in options else 255


def _account_row(event: Any) -> tuple[Any, ...]:
    def get(name: str) -> Any:
        return getattr(event, name, None)

    money = {"cash": get("cash"), "opening": get("cash"), "freeze": get("cash"), "repay": None}.get(
        event.kind
    )
    amount = next((a for a in (get("amount"), get("value"), money) if a is not None), 0)
    reason = get("reason") if event.kind in ("cash", "transfer") else None
    codes = (KINDS.index(event.kind), _code(BUSINESSES, get("business")), _code(REASONS, reason))
    strings = [get(name) for name in ("account", "id", "security", "contract", "order", "action")]
    numbers = [_absent(get(name)) for name in ("price", "fee", "rate", "margin_ratio", "due")]
    return (*codes, event.ts, get("qty") or 0, amount, *strings, *numbers, *_opening_row(event))


def _opening_row(event: Any) -> tuple[Any, ...]:
    """What only openings have; `sellable` is told only where it is not all."""
    if not isinstance(event, Opening):
        return (255, None, -1, [], [])
    positions = [
        (p.security, p.qty, -1 if p.sellable in (None, p.qty) else p.sellable) for p in event.positions
    ]
    contracts = [
        (
            c.contract,
            CONTRACT_TYPES.index(c.type),
            c.security,
            c.opened,
            c.qty,
            c.price,
            *(_absent(getattr(c, name)) for name in ("principal", "rate", "margin_ratio", "due", "accrued")),
        )
        for c in event.contracts
    ]
    client = _code(CLIENT_CLASSES, event.class_)
    return (client, event.preset, _absent(event.other_collateral), positions, contracts)


def _account_rows(batch: AccountBatch) -> list[tuple[Any, ...]]:
    pool = [*batch.pool, None]
    rows = []
    for i in range(len(batch)):
        strings = [
            pool[batch.column(n)[i]] for n in ("account", "id", "security", "contract", "order", "action")
        ]
        codes = [int(batch.column(n)[i]) for n in ("kind", "business", "reason", "ts", "qty", "amount")]
        numbers = [int(batch.column(n)[i]) for n in ("price", "fee", "rate", "margin_ratio", "due")]
        own = (int(batch.client[i]), pool[batch.preset[i]], int(batch.other_collateral[i]))
        rows.append((*codes, *strings, *numbers, *own, *_lists(batch, i)))
    return rows


def _lists(batch: AccountBatch, i: int) -> tuple[list[Any], list[Any]]:
    held = batch.positions.spelled_out(batch.pool, batch.positions_start[i], batch.positions_end[i])
    owed = batch.contracts.spelled_out(batch.pool, batch.contracts_start[i], batch.contracts_end[i])
    return list(zip(*held, strict=True)), list(zip(*owed, strict=True))


def _alone(
    topic: str, values: list[bytes], row: Any
) -> tuple[list[Any], list[int], list[tuple[int, str, str]]]:
    rows, record, bad = [], [], []
    for i, value in enumerate(values):
        try:
            rows.append(row(decode(topic, value)))
            record.append(i)
        except BadRecord as error:
            bad.append((i, error.field, error.reason))
    return rows, record, bad


CASES: list[tuple[str, Any, Any, Any, Any]] = [
    ("market.trades", of_class(Trade), decode_trades, _trade_row, _trade_rows),
    ("market.quotes", of_class(Quote), decode_quotes, _quote_row, _quote_rows),
    ("account.events", ACCOUNT_EVENTS, decode_account_events, _account_row, _account_rows),
]


@pytest.mark.parametrize(("topic", "events", "decode_batch", "row", "rows"), CASES, ids=[c[0] for c in CASES])
@given(data=st.data())
@slow
def test_a_batch_holds_what_the_records_hold_one_by_one(
    topic: str, events: Any, decode_batch: Any, row: Any, rows: Any, data: st.DataObject
) -> None:
    values = data.draw(st.lists(_spoiled(events), max_size=8))
    decoded = decode_batch(values)
    expected_rows, expected_record, expected_bad = _alone(topic, values, row)
    assert rows(decoded.batch) == expected_rows
    assert decoded.record.tolist() == expected_record
    assert [(i, error.field, error.reason) for i, error in decoded.bad] == expected_bad


@pytest.mark.parametrize(("topic", "events", "decode_batch", "row", "rows"), CASES, ids=[c[0] for c in CASES])
@given(data=st.data())
@slow
def test_taking_and_joining_batches_moves_rows_and_nothing_else(
    topic: str, events: Any, decode_batch: Any, row: Any, rows: Any, data: st.DataObject
) -> None:
    values = [encode(event) for event in data.draw(st.lists(events, min_size=1, max_size=6))]
    batch = decode_batch(values).batch
    order = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=8))
    cut = data.draw(st.integers(0, len(values)))
    all_rows = rows(batch)
    assert rows(batch.take(order)) == [all_rows[i] for i in order]
    assert rows(batch.take(order).compact()) == [all_rows[i] for i in order]
    assert rows(batch.take(slice(0, cut))) == all_rows[:cut]
    both = type(batch).concat([batch.take(slice(cut, None)), batch, decode_batch(values[:1]).batch])
    assert rows(both) == all_rows[cut:] + all_rows + all_rows[:1]
    if isinstance(both, AccountBatch):
        assert [both.raw_of(i) for i in range(len(both))] == [*values[cut:], *values, values[0]]


def test_an_empty_run_of_records_is_an_empty_batch() -> None:
    for decode_batch in (decode_trades, decode_quotes, decode_account_events):
        decoded = decode_batch([])
        assert (len(decoded.batch), len(decoded.record), decoded.bad) == (0, 0, [])


def test_a_batch_of_bad_records_only_is_empty_and_names_each() -> None:
    for decode_batch in (decode_trades, decode_quotes, decode_account_events):
        decoded = decode_batch([b"{", b"{}", None])
        assert len(decoded.batch) == 0
        assert [i for i, _ in decoded.bad] == [0, 1, 2]


def test_a_version_that_is_spelled_out_changes_nothing() -> None:
    trade = examples.RECORDS["market.trades"]
    values = [orjson.dumps({**trade, "v": v}) for v in (1, 2, True, "1")] + [orjson.dumps(trade)]
    decoded = decode_trades(values)
    assert decoded.record.tolist() == [0, 4]
    assert [(i, error.field) for i, error in decoded.bad] == [(1, "v"), (2, "v"), (3, "v")]


@pytest.mark.parametrize(
    ("kind", "change", "column"),
    [
        ("freeze", {"cash": None, "security": "600519.SH", "qty": -1}, "qty"),
        ("freeze", {"cash": "-0.001"}, "amount"),
        ("transfer", {"qty": -1}, "qty"),
        ("cash", {"amount": "-0.001"}, "amount"),
        ("opening", {"cash": "-0.001"}, "amount"),
    ],
)
def test_minus_one_where_a_sign_is_allowed_is_a_number_not_absence(
    kind: str, change: dict[str, Any], column: str
) -> None:
    plain = examples.ACCOUNT_EVENTS["freeze"]
    values = [orjson.dumps({**examples.ACCOUNT_EVENTS[kind], **change}), orjson.dumps(plain)]
    decoded = decode_account_events(values)
    assert not decoded.bad
    assert decoded.batch.column(column)[0] == -1


def test_the_details_of_an_opening_are_found_in_its_raw_json() -> None:
    values = [orjson.dumps(examples.ACCOUNT_EVENTS[kind]) for kind in ("cash", "opening", "close")]
    batch = decode_account_events(values).batch
    opening = decode_opening(batch.raw_of(1))
    assert isinstance(opening, Opening)
    assert batch.amount[1] == opening.cash


def test_a_freeze_of_cash_has_no_security_and_one_of_shares_no_amount() -> None:
    shares = {**examples.ACCOUNT_EVENTS["freeze"], "cash": None, "security": "600519.SH", "qty": -100}
    values = [orjson.dumps(examples.ACCOUNT_EVENTS["freeze"]), orjson.dumps(shares)]
    batch = decode_account_events(values).batch
    assert (batch.security[0], batch.amount[0], batch.qty[0]) == (-1, -500_000, 0)
    assert (batch.pool[batch.security[1]], batch.amount[1], batch.qty[1]) == ("600519.SH", 0, -100)
    assert isinstance(decode("account.events", values[1]), Freeze)


def test_frames_and_json_may_follow_one_another_in_one_topic() -> None:
    trades = [orjson.dumps({**examples.RECORDS["market.trades"], "seq": i}) for i in range(5)]
    frame = encode_trades(decode_trades(trades[1:4]).batch)
    types = [None, CONTENT_TYPE_FRAME, b"application/json; charset=utf-8", b"text/plain", CONTENT_TYPE_FRAME]
    decoded = decode_trades([trades[0], frame, trades[4], trades[0], b"LRFRxx"], types)
    assert decoded.batch.seq.tolist() == [0, 1, 2, 3, 4]
    assert decoded.record.tolist() == [0, 1, 1, 1, 2]
    assert [(i, error.field) for i, error in decoded.bad] == [(3, "content-type"), (4, "frame")]


def test_a_published_frame_is_held_against_the_same_bounds() -> None:
    batch = decode_trades(
        [orjson.dumps({**examples.RECORDS["market.trades"], "seq": i}) for i in range(4)]
    ).batch
    batch.price[1], batch.side[2] = 0, 9
    decoded = decode_trades([encode_trades(batch)], [CONTENT_TYPE_FRAME])
    assert decoded.batch.seq.tolist() == [0, 3]
    assert [(i, error.field) for i, error in decoded.bad] == [(0, "price")]
    assert "2 bad rows of 4" in decoded.bad[0][1].reason


def test_a_published_frame_of_quotes_is_held_against_the_same_bounds() -> None:
    batch = decode_quotes([orjson.dumps(examples.RECORDS["market.quotes"])] * 3).batch
    assert len(decode_quotes([encode_quotes(batch)], [CONTENT_TYPE_FRAME]).batch) == 3
    batch.bid_price[0], batch.halted[1] = -2, 3
    batch.securities[0] = "nonsense"
    decoded = decode_quotes([encode_quotes(batch)], [CONTENT_TYPE_FRAME])
    assert len(decoded.batch) == 0
    assert [error.field for _, error in decoded.bad] == ["security"]


def test_a_published_frame_of_account_events_is_read_from_its_json() -> None:
    values = [orjson.dumps(event) for event in examples.ACCOUNT_EVENTS.values()]
    batch = decode_account_events(values).batch
    batch.amount[:] = 7
    decoded = decode_account_events([encode_account_events(batch)], [CONTENT_TYPE_FRAME])
    assert decoded.batch == decode_account_events(values).batch
    assert set(decoded.record.tolist()) == {0}


def test_a_frame_in_the_wrong_topic_is_refused() -> None:
    frame = encode_trades(decode_trades([orjson.dumps(examples.RECORDS["market.trades"])]).batch)
    for decode_batch in (decode_quotes, decode_account_events):
        decoded = decode_batch([frame], [CONTENT_TYPE_FRAME])
        assert "wrong kind" in decoded.bad[0][1].reason


def test_an_opening_of_thousands_of_positions_fits_a_batch() -> None:
    positions = [{"security": f"{i:06d}.SZ", "qty": i + 1} for i in range(6000)]
    value = orjson.dumps({**examples.ACCOUNT_EVENTS["opening"], "positions": positions})
    batch = decode_account_events([value]).batch
    assert len(decode_opening(batch.raw_of(0)).positions) == 6000
    assert np.array_equal(batch.digest, decode_account_events([value, value]).batch.digest[:1])
