"""Feeds a financing core as the firm log would, and keeps what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from agents.core import Output, Segment
from agents.financing.core import FinancingConfig, FinancingCore
from schemas.batches import ABSENT, MarkBatch
from schemas.market import Session
from schemas.units import day_start, format_day, parse_day

HOUR = 3_600_000
NO_FLOWS = [0, 0, 0, 0]


class Firm:
    """One core, its outputs, and short ways to say what happens to it. Money and prices are integer milli."""

    def __init__(self, **config: Any) -> None:
        self.core = FinancingCore(FinancingConfig(**({"shards": 1} | config)))
        self.outputs: list[Output] = []
        self._offset = 0

    def _keep(self, outputs: list[Output]) -> list[Output]:
        self.outputs += outputs
        return outputs

    def events(self, topic: str, *values: dict[str, Any] | bytes, partition: int = 0) -> list[Output]:
        raw = [value if isinstance(value, bytes) else orjson.dumps(value) for value in values]
        n = len(raw)
        self._offset += n
        offsets = np.arange(self._offset - n, self._offset, dtype=np.int64)
        segment = Segment(
            (topic, partition), offsets, offsets + 5, np.zeros(n, dtype=np.int32), offsets.copy(), None, raw
        )
        return self._keep(self.core.apply_events(segment))

    def session(self, date: str, phase: str, hour: int = 15) -> list[Output]:
        ts = day_start(parse_day(date)) + hour * HOUR
        return self._keep(self.core.apply_session(Session(ts, parse_day(date), "ALL", phase)))

    def price(self, date: str, security: str, price: int) -> list[Output]:
        columns = {name: np.full(1, ABSENT) for name in MarkBatch.COLUMNS}
        stated = {
            "security": 0,
            "price": price,
            "price_ts": day_start(parse_day(date)) + 14 * HOUR,
            "price_kind": 1,
        }
        columns |= {name: np.full(1, value) for name, value in (stated | {"price_offset": 0}).items()}
        return self._keep(self.core.apply_marks(MarkBatch.build([security], columns), evaluate=True))

    def totals(
        self, date: str, securities: dict[str, list[int]], shard: int = 0, hour: int = 15
    ) -> list[Output]:
        ts = day_start(parse_day(date)) + hour * HOUR
        value = {"shard": shard, "date": date, "ts": ts, "securities": securities}
        return self.events("shard.totals", value, partition=shard)

    def security(self, date: str, security: str, **facts: Any) -> list[Output]:
        record = {"security": security, "date": date, "kind": "stock", "board": "main"} | facts
        return self.events("reference.securities", record)

    def day(self, date: str, securities: dict[str, list[int]], prices: dict[str, int]) -> list[Output]:
        """One whole day: begins, trades, settles, and the only shard reports."""
        self.session(date, "pre_open", 9)
        for security, price in prices.items():
            self.price(date, security, price)
        self.session(date, "settled")
        return self.totals(date, securities)

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [output.value for output in self.outputs if output.topic == topic]

    @property
    def published(self) -> list[Output]:
        """What anybody can read: without the totals that only the shards do."""
        return [output for output in self.outputs if output.topic != "firm.totals"]

    @property
    def signals(self) -> list[tuple[str, str]]:
        """(date, signal) of every signal so far."""
        return [(value["date"], value["signal"]) for value in self.of("security.signals")]

    def halted(self, security: str, business: str, date: str) -> bool:
        return self.core.halts.halted(security, business, parse_day(date))


def following(date: str, days: int = 1) -> str:
    """The calendar day after."""
    return format_day(parse_day(date) + days)
