"""Small inputs for the tests of the shard log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.core import Output, Segment, Source
from schemas.account_decoding import decode_account_events
from schemas.batches import MarkBatch, QuoteBatch, TradeBatch
from schemas.market import Session
from streams.shardlog.inputs import Input, Read
from streams.shardlog.positions import Sources
from streams.shardlog.records import Genesis

SOURCES = Sources(2, 1)
LAYOUT = SOURCES.of_shard(0)
GENESIS = Genesis("u-1", 2, 1, "")
ACCOUNTS: Source = ("account.events", 0)
COMMANDS: Source = ("commands", 0)
TRADES: Source = ("market.trades", 0)
QUOTES: Source = ("market.quotes", 0)
SESSIONS: Source = ("market.session", 0)
RULES: Source = ("reference.rules", 0)
MORNING = 1_743_989_400_000


class Recording:
    """A core that notes what it is given, one word each."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def apply_events(self, segment: Segment) -> list[Output]:
        for row, offset in enumerate(segment.offsets.tolist()):
            self.notes.append(f"{segment.topic}:{offset}:{orjson.loads(segment.raw(row))['id']}")
        return [Output("x", segment.topic, {"n": len(segment)})]

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:
        shown = sorted(f"{marks.securities[s]}={p}" for s, p in zip(marks.security, marks.price, strict=True))
        self.notes.append(f"marks {' '.join(shown)}{' evaluate' if evaluate else ''}")
        return []

    def apply_session(self, session: Session) -> list[Output]:
        self.notes.append(session.phase)
        return []

    def snapshot(self) -> dict[str, Any]:
        return {"notes": orjson.dumps(self.notes)}

    def restore(self, snapshot: Any) -> None:
        self.notes = orjson.loads(snapshot["notes"])

    def state_rows(self) -> list[tuple[str, str, bytes]]:
        return []


def read(source: Source, offsets: Sequence[int], window: bool, start: int | None, end: int | None) -> Read:
    first = offsets[0] if offsets else 0
    return Read(
        source,
        first if start is None else start,
        (offsets[-1] + 1 if offsets else 0) if end is None else end,
        np.array(offsets, dtype=np.int64),
        np.array(offsets, dtype=np.int64) + 1_000,
        np.full(len(offsets), window),
    )


def values(
    source: Source,
    events: dict[int, dict[str, Any]],
    *,
    window: bool = False,
    start: int | None = None,
    end: int | None = None,
) -> Input:
    """JSON events by offset."""
    base = read(source, list(events), window, start, end)
    texts = [orjson.dumps(event) for event in events.values()]
    ts = np.array([event.get("ts", 0) for event in events.values()], dtype=np.int64)
    return Input.of_values(base, np.arange(len(texts)), texts, ts)


def command(ident: str, ts: int = 0) -> dict[str, Any]:
    return {"id": ident, "ts": ts, "by": "desk", "command": "hold"}


def session(phase: str, cut: dict[str, int] | None = None) -> dict[str, Any]:
    value: dict[str, Any] = {"ts": MORNING, "date": "2025-04-07", "market": "ALL", "phase": phase}
    return value if cut is None else value | {"cut": cut}


def deposits(
    events: dict[int, list[tuple[str, int]]],
    *,
    window: bool = False,
    start: int | None = None,
    end: int | None = None,
) -> Input:
    """Account events by offset; several (id, ts) at one offset are a published frame."""
    base = read(ACCOUNTS, list(events), window, start, end)
    texts, record = [], []
    for i, rows in enumerate(events.values()):
        for ident, ts in rows:
            fields = {"account": "A1", "ts": MORNING + ts, "id": ident, "kind": "cash", "amount": 1}
            texts.append(orjson.dumps(fields | {"reason": "deposit"}))
            record.append(i)
    decoded = decode_account_events(texts)
    assert not decoded.bad
    return Input.of_rows(base, np.array(record, dtype=np.int64), decoded.batch)


def trades(
    ticks: dict[int, tuple[str, int, int]], *, window: bool = False, start: int | None = None
) -> Input:
    """Trades by offset: (security, ts, price)."""
    base = read(TRADES, list(ticks), window, start, None)
    batch = trade_batch(list(ticks.values()))
    return Input.of_rows(base, np.arange(len(ticks)), batch)


def trade_batch(ticks: Sequence[tuple[str, int, int]]) -> TradeBatch:
    names = sorted({name for name, _, _ in ticks})
    n = len(ticks)
    columns: dict[str, NDArray[Any]] = {
        "security": np.array([names.index(name) for name, _, _ in ticks], dtype=np.int32),
        "ts": np.array([ts for _, ts, _ in ticks], dtype=np.int64),
        "price": np.array([price for _, _, price in ticks], dtype=np.int64),
        "qty": np.full(n, 100),
        "side": np.full(n, 255),
        "seq": np.full(n, -1),
    }
    return TradeBatch.build(names, columns)


def quote_batch(quotes: Sequence[tuple[str, int, int, int]]) -> QuoteBatch:
    """Quotes: (security, ts, last, limit up)."""
    names = sorted({quote[0] for quote in quotes})
    columns = {name: np.full(len(quotes), -1) for name in QuoteBatch.COLUMNS}
    columns["security"] = np.array([names.index(quote[0]) for quote in quotes], dtype=np.int32)
    for place, name in ((1, "ts"), (2, "last"), (3, "limit_up")):
        columns[name] = np.array([quote[place] for quote in quotes], dtype=np.int64)
    return QuoteBatch.build(names, columns)
