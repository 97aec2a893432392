"""Frames: whatever goes in comes out, and nothing but a whole frame comes in."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas import AccountBatch, BadRecord, MarkBatch, QuoteBatch, TradeBatch, encode
from schemas.account_decoding import decode_account_events
from schemas.batches import BATCH_CLASSES, Batch
from schemas.frames import (
    MAX_ROWS,
    decode_frame,
    encode_account_events,
    encode_marks,
    encode_quotes,
    encode_trades,
)
from tests.schemas.event_strategies import ACCOUNT_EVENTS

ENCODERS: dict[type[Batch], tuple[str, Any]] = {
    TradeBatch: ("trades", encode_trades),
    QuoteBatch: ("quotes", encode_quotes),
    MarkBatch: ("marks", encode_marks),
}


@st.composite
def arrays_of(draw: st.DrawFn, cls: type[Batch]) -> Batch:
    """Batches with any content a dtype can hold."""
    rows = draw(st.integers(0, 6))
    strings = draw(st.lists(st.text(max_size=12), unique=True, max_size=5))
    columns = {}
    for name, dtype in cls.COLUMNS.items():
        if name in cls.INDICES:
            columns[name] = draw(hnp.arrays(np.int32, rows, elements=st.integers(-1, len(strings) - 1)))
        else:
            columns[name] = draw(hnp.arrays(np.dtype(dtype), rows))
    return cls.build(strings, columns)


@pytest.mark.parametrize("cls", list(ENCODERS))
@given(data=st.data())
@settings(max_examples=60)
def test_a_batch_survives_its_frame(cls: type[Batch], data: st.DataObject) -> None:
    batch = data.draw(arrays_of(cls))
    kind, encoder = ENCODERS[cls]
    assert decode_frame(encoder(batch)) == (kind, batch)


@given(st.lists(ACCOUNT_EVENTS, max_size=6), st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_account_events_survive_their_frame_with_their_json(events: list[Any], data: st.DataObject) -> None:
    batch = decode_account_events([encode(event) for event in events]).batch
    rows = data.draw(st.lists(st.integers(0, len(events) - 1), max_size=8)) if events else []
    for some in (batch, batch.take(rows)):
        kind, back = decode_frame(encode_account_events(some))
        assert (kind, back) == ("account_events", some)
        assert isinstance(back, AccountBatch)
        assert len(back.raw) == sum(len(some.raw_of(i)) for i in range(len(some)))


def test_columns_of_a_frame_can_be_written() -> None:
    batch = _trades(3)
    back = decode_frame(encode_trades(batch))[1]
    for name in back.COLUMNS:
        back.column(name)[:] = 9
        assert back.column(name).tolist() == [9, 9, 9]


def test_all_kinds_of_batches_have_a_frame() -> None:
    assert set(BATCH_CLASSES) == {*ENCODERS, AccountBatch}


def _trades(rows: int) -> TradeBatch:
    numbers = np.arange(rows)
    columns = {"ts": numbers + 5, "price": numbers + 7, "qty": numbers + 1, "seq": numbers}
    return TradeBatch.build(
        ["600519.SH", "unused", "000001.SZ"], {**columns, "security": numbers % 2 * 2, "side": numbers * 0}
    )


def test_a_frame_is_laid_out_as_documented() -> None:
    frame = encode_trades(_trades(2))
    magic, version, kind, reserved, rows, size, crc, header_crc = struct.unpack_from("<4sHBBIIII", frame)
    assert (magic, version, kind, reserved, rows) == (b"LRFR", 1, 1, 0, 2)
    assert size == len(frame) - 24
    assert crc == zlib.crc32(frame[24:])
    assert header_crc == zlib.crc32(frame[:20])
    assert frame[24:58] == struct.pack("<IIII", 2, 18, 9, 18) + b"600519.SH000001.SZ"
    assert frame[64:70] == bytes([0, 0, 0, 0, 1, 0])
    assert struct.unpack_from("<2i", frame, 72) == (0, 1)
    assert struct.unpack_from("<2q", frame, 80) == (5, 6)
    assert struct.unpack_from("<2q", frame, 96) == (7, 8)
    assert struct.unpack_from("<2q", frame, 112) == (1, 2)
    assert frame[128:136] == bytes(8)
    assert struct.unpack_from("<2q", frame, 136) == (0, 1)
    assert len(frame) == 152


def _resealed(frame: bytes, offset: int, content: bytes) -> bytes:
    changed = bytearray(frame)
    changed[offset : offset + len(content)] = content
    changed[16:20] = struct.pack("<I", zlib.crc32(changed[24:]))
    changed[20:24] = struct.pack("<I", zlib.crc32(changed[:20]))
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "content", "reason"),
    [
        (0, b"XXXX", "does not begin with"),
        (4, b"\x02\x00", "unknown version 2"),
        (6, b"\x09", "unknown kind 9"),
        (8, struct.pack("<I", MAX_ROWS + 1), "more than"),
        (8, struct.pack("<I", 1000), "ends in the middle"),
        (12, struct.pack("<I", 1), "bytes, its header says"),
        (24, struct.pack("<I", 10**9), "ends in the middle"),
        (32, struct.pack("<I", 17000), "broken table"),
        (40, b"\xff", "not UTF-8"),
        (64, b"\x07", "unknown encoding 7"),
        (72, struct.pack("<i", 2), "points outside"),
        (72, struct.pack("<i", -2), "points outside"),
    ],
)
def test_a_frame_that_makes_no_sense_is_refused_though_its_checksums_fit(
    offset: int, content: bytes, reason: str
) -> None:
    with pytest.raises(BadRecord, match=reason):
        decode_frame(_resealed(encode_trades(_trades(2)), offset, content))


def test_any_changed_byte_and_any_cut_is_noticed() -> None:
    frame = encode_trades(_trades(3))
    for i in range(len(frame)):
        changed = bytearray(frame)
        changed[i] ^= 0x10
        with pytest.raises(BadRecord):
            decode_frame(bytes(changed))
        with pytest.raises(BadRecord):
            decode_frame(frame[:i])
    with pytest.raises(BadRecord):
        decode_frame(frame + b"\0")


def test_an_account_frame_whose_json_does_not_fit_its_rows_is_refused() -> None:
    value = orjson.dumps({"account": "A", "ts": 1_743_991_200_000, "id": "1", "kind": "close"})
    batch = decode_account_events([value, value]).batch
    broken = AccountBatch.build(
        batch.pool,
        {n: batch.column(n) for n in batch.COLUMNS} | {"raw_start": batch.raw_start + 1},
        raw=batch.raw,
    )
    packed = encode_account_events(broken)
    assert decode_frame(packed)[1].column("raw_start")[0] == 0
    with pytest.raises(BadRecord):
        decode_frame(packed[:-8])


def _openings(*positions: int) -> AccountBatch:
    """Openings with so many positions each and one contract less."""
    values = []
    for i, count in enumerate(positions):
        opening = {"account": f"A{i}", "ts": 1_743_991_200_000, "id": "1", "kind": "opening", "cash": 1}
        held = [{"security": f"60000{k}.SH", "qty": k + 1} for k in range(count)]
        terms = {"type": "financing", "opened": "2025-04-07", "price": 1}
        owed = [entry | terms | {"contract": f"c{k}"} for k, entry in enumerate(held[1:])]
        values.append(orjson.dumps(opening | {"positions": held, "contracts": owed}))
    return decode_account_events(values).batch


def test_lists_of_openings_are_laid_out_as_documented_at_the_end_of_an_account_frame() -> None:
    batch = _openings(2, 1)
    frame = encode_account_events(batch)
    assert struct.unpack_from("<4sHB", frame) == (b"LRFR", 3, 3)
    securities = [batch.compact().pool.index(f"60000{k}.SH") for k in (0, 1, 0)]
    encodings, sellable = b"\0\0\1" + bytes(5), struct.pack("<q", -1)
    positions = encodings + struct.pack("<3i4x3q", *securities, 1, 2, 1) + sellable
    contract = 11 + 5 + 5 * 8 + 6 * 8
    at = len(frame) - contract - len(positions) - 8
    assert struct.unpack_from("<II", frame, at) == (3, 1)
    assert frame[at + 8 : at + 8 + len(positions)] == positions
    assert frame[-contract : -contract + 11] == bytes(11)


def test_only_the_lists_of_its_own_rows_are_in_a_frame() -> None:
    batch = _openings(3, 2, 5)
    back = decode_frame(encode_account_events(batch.take([1])))[1]
    assert isinstance(back, AccountBatch)
    assert (len(back.positions), len(back.contracts)) == (2, 1)
    assert "600002.SH" not in back.pool


@pytest.mark.parametrize("name", ["positions", "contracts"])
def test_an_account_frame_whose_lists_do_not_fit_its_rows_is_refused(name: str) -> None:
    packed = encode_account_events(_openings(3, 4))
    batch = decode_frame(packed)[1]
    ends = batch.column(f"{name}_end").astype("<i8").tobytes()
    assert packed.count(ends) == 1
    changed = struct.pack("<2q", *(batch.column(f"{name}_end") + np.array([1, 0])))
    with pytest.raises(BadRecord, match="does not follow"):
        decode_frame(_resealed(packed, packed.index(ends), changed))


def test_more_entries_than_json_could_hold_are_refused() -> None:
    frame = encode_account_events(_openings(2, 2))
    counts = struct.pack("<II", 4, 2)
    place = frame.rindex(counts)
    with pytest.raises(BadRecord, match="more than their JSON"):
        decode_frame(_resealed(frame, place, struct.pack("<I", 2**31)))


def test_a_batch_that_is_too_long_for_a_frame_is_not_written() -> None:
    zeros = {name: np.zeros(MAX_ROWS + 1, dtype) for name, dtype in TradeBatch.COLUMNS.items()}
    with pytest.raises(ValueError, match="at most"):
        encode_trades(TradeBatch.build(["600519.SH"], zeros))
