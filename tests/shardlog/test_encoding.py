"""The bytes of a log's records: what is written is read, and damage does not go unnoticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.core import Segment
from agents.market.conflate import conflate_trades
from streams.shardlog.encoding import DamagedRecordError, OtherFormatError, decode_record, encode_record
from streams.shardlog.records import LOG_FORMAT, Claim, Events, Genesis, Lost, Marks, SessionCut, Span
from tests.shardlog.made import (
    ACCOUNTS,
    COMMANDS,
    GENESIS,
    LAYOUT,
    MORNING,
    command,
    deposits,
    trade_batch,
    values,
)

N = len(LAYOUT)
SPAN = Span(LAYOUT.sources, tuple(range(N)), tuple(range(1, N + 1)), "nonce", 3)


def test_genesis_and_claim_are_read_as_written() -> None:
    for record in (Genesis("u", 8, 4, "prod."), Claim("n", "worker 1", "127.0.0.1:6066", "rules 1", 7)):
        assert decode_record(encode_record(record)) == record


def test_a_session_record_is_read_as_written() -> None:
    record = SessionCut(SPAN, 17, 1_234, b'{"phase":"clock"}', tuple(range(N)))
    assert decode_record(encode_record(record)) == record


def test_lost_input_is_read_as_written() -> None:
    record = Lost(SPAN, COMMANDS, 99)
    assert decode_record(encode_record(record)) == record


def test_a_record_without_events_moves_positions() -> None:
    record = Events(SPAN, ())
    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize("evaluate", [False, True])
def test_marks_are_read_as_written(evaluate: bool) -> None:
    marks = conflate_trades(trade_batch([("A", MORNING, 10), ("B", MORNING, 7)]), np.arange(2))
    read = decode_record(encode_record(Marks(SPAN, marks, evaluate)))
    assert isinstance(read, Marks)
    assert (read.span, read.evaluate, read.marks) == (SPAN, evaluate, marks)


def same(one: Segment, other: Segment) -> bool:
    columns = ("offsets", "timestamps", "origin_partition", "origin_offset")
    arrays = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)
    return arrays and (one.source, one.values, one.batch) == (other.source, other.values, other.batch)


def test_events_of_several_sources_are_read_in_order_with_their_origins() -> None:
    account = deposits({4: [("d1", 1), ("d2", 2)], 7: [("d3", 3)]}).segment(0, 3)
    account = replace(
        account, origin_partition=np.array([1, 1, 0], np.int32), origin_offset=np.array([9, 9, 7])
    )
    other = values(COMMANDS, {5: command("c1"), 6: command("c2")}).segment(0, 2)
    read = decode_record(encode_record(Events(SPAN, (account, other, account))))
    assert isinstance(read, Events)
    assert len(read.segments) == 3
    assert all(same(a, b) for a, b in zip(read.segments, (account, other, account), strict=True))
    assert read.segments[0].raw(1) == account.raw(1)


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    segment = deposits({4: [("d1", 1)]}).segment(0, 1)
    good = encode_record(Events(SPAN, (segment,)))
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    with pytest.raises(DamagedRecordError):
        decode_record(bad)


@given(st.binary(max_size=200))
def test_anything_else_is_no_record(data: bytes) -> None:
    with pytest.raises(DamagedRecordError):
        decode_record(data)


def test_a_log_of_another_version_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    record = encode_record(GENESIS)
    monkeypatch.setattr("streams.shardlog.encoding.LOG_FORMAT", LOG_FORMAT + 1)
    with pytest.raises(OtherFormatError, match=f"format {LOG_FORMAT}, .* reads {LOG_FORMAT + 1}") as refused:
        decode_record(record)
    assert "LIANGRONG_TOPIC_PREFIX" in refused.value.advice


def test_every_array_of_a_record_is_aligned() -> None:
    segment = values(COMMANDS, {5: {"id": "x" * 3, "ts": 1}}).segment(0, 1)
    read = decode_record(encode_record(Events(SPAN, (segment, segment))))
    assert isinstance(read, Events)
    assert all(part.offsets.flags.aligned for part in read.segments)


def test_a_genesis_says_what_must_fit() -> None:
    assert decode_record(encode_record(GENESIS)) == GENESIS
    assert ACCOUNTS in LAYOUT.sources
