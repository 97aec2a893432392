"""Drives the real margin core with published records: dicts in, outputs of contract section 3 out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from agents.core import Output
from agents.margin.shard import MarginShard, ShardConfig
from agents.market.conflate import conflate_quotes, conflate_trades
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.batches import MarkBatch
from schemas.market import Session
from schemas.units import parse_day
from tests.oracle.moments import at
from tests.oracle.segments import Offsets, segment

Record = dict[str, Any]


@dataclass
class Driver:
    """One shard fed record by record; `outputs` keeps everything it ever said."""

    liquidation: str = "propose"
    core: MarginShard = field(init=False)
    outputs: list[Output] = field(default_factory=list)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.core = MarginShard(ShardConfig(liquidation=self.liquidation))

    def restart(self) -> None:
        """Another process goes on from this one's snapshot, and stands where it stood."""
        before, rows = self.core.snapshot(), list(self.core.state_rows())
        self.core = MarginShard(ShardConfig(liquidation=self.liquidation))
        self.core.restore(before)
        assert list(self.core.state_rows()) == rows

    def event(self, record: Record) -> list[Output]:
        """An account event that the edge accepts."""
        decoded = decode_account_events([json.dumps(record).encode()], None)
        assert not decoded.bad, decoded.bad
        return self._segment("account.events", 1, batch=decoded.batch)

    def reference(self, topic: str, record: Record) -> list[Output]:
        return self._segment(topic, 1, values=[json.dumps(record).encode()])

    def command(self, record: Record) -> list[Output]:
        return self.reference("commands", record)

    def trade(self, security: str, ts: int, price: str, *, evaluate: bool = False) -> list[Output]:
        value = json.dumps({"security": security, "ts": ts, "price": price, "qty": 100}).encode()
        batch = decode_trades([value], None).batch
        return self.marks(conflate_trades(batch, self._take("market.trades", 1)), evaluate=evaluate)

    def quote(self, record: Record, *, evaluate: bool = False) -> list[Output]:
        batch = decode_quotes([json.dumps(record).encode()], None).batch
        return self.marks(conflate_quotes(batch, self._take("market.quotes", 1)), evaluate=evaluate)

    def marks(self, marks: MarkBatch, *, evaluate: bool) -> list[Output]:
        return self._said(self.core.apply_marks(marks, evaluate))

    def session(self, phase: str, day: date, clock: str) -> list[Output]:
        session = Session(ts=at(day, clock), date=parse_day(day.isoformat()), market="ALL", phase=phase)
        return self._said(self.core.apply_session(session))

    def session_at(self, phase: str, day: date, ts: int) -> list[Output]:
        session = Session(ts=ts, date=parse_day(day.isoformat()), market="ALL", phase=phase)
        return self._said(self.core.apply_session(session))

    def account(self, name: str) -> Record:
        return self.core.account(name)

    def sellable(self, name: str) -> dict[str, int]:
        """Shares of an account that may be sold today."""
        books = self.core.desk.books
        rows = books.positions.rows
        return {
            books.securities.names[rows.security[row]]: max(
                0, rows.qty[row] - rows.locked[row] - rows.frozen[row]
            )
            for row in books.positions.run(books.accounts.index[name])
            if rows.qty[row]
        }

    def custody_breaks(self) -> set[str]:
        accounts = self.core.desk.books.accounts
        return {name for name, row in accounts.index.items() if accounts.custody_break[row]}

    def calls(self, outputs: list[Output] | None = None) -> list[Record]:
        """Records of margin.calls, in order."""
        return self.of("margin.calls", outputs)

    def of(self, topic: str, outputs: list[Output] | None = None) -> list[Record]:
        return [
            output.value for output in (self.outputs if outputs is None else outputs) if output.topic == topic
        ]

    def _segment(self, topic: str, count: int, **content: Any) -> list[Output]:
        return self._said(self.core.apply_events(segment(topic, self._take(topic, count), **content)))

    def _take(self, topic: str, count: int) -> Offsets:
        first = self.offsets.get((topic, 0), 0)
        self.offsets[topic, 0] = first + count
        return np.arange(first, first + count, dtype=np.int64)

    def _said(self, outputs: list[Output]) -> list[Output]:
        self.outputs += outputs
        return outputs
