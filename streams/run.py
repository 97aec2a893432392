"""The offline run: recorded days through the same edge, sequencers, folds and cores as on Kafka, without
any broker.

The day is cut into windows (`streams.days.windows`), the records of each window lie at the same offsets of
the same partitions as in a replay, each with the header `window`, and the session record carries its cut.
Every shard has a log in memory (`streams.shardlog.local`). What the shards say of their totals goes to the
firm's log, what the financing core signals comes back to the shards, at the places where Kafka would bring
it. Hence the results are those of a replay with the same window and the same number of partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import orjson
from aiokafka import ConsumerRecord

from agents.books.audit import discrepancies
from agents.core import Core, Output, Source
from agents.financing.core import FinancingConfig, FinancingCore
from agents.margin.shard import MarginShard, ShardConfig
from agents.rules.schedule import Schedule, built_in
from schemas.topics import (
    DEFAULT_ACCOUNT_PARTITIONS,
    DEFAULT_MARKET_PARTITIONS,
    FIRM_TOTALS,
    MARKET_SESSION,
    SHARD_TOTALS,
)
from schemas.units import format_day
from streams.days.lanes import Lane, Record, day_lanes, partition_counts
from streams.days.progress import Progress, Watch, window_headers
from streams.days.reader import RecordedDay
from streams.days.windows import Window, plan_windows, session_records
from streams.errors import UserError
from streams.shardlog.inputs import Input, Read
from streams.shardlog.local import LocalLog
from streams.shardlog.positions import RETURNED_SOURCES, Sources, format_cut
from streams.shardlog.records import Genesis
from streams.state_hash import state_hash
from streams.worker.intake import Run, take_in


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes; partitions and liquidation as in contract section 5, ``window_ms`` of market time."""

    window_ms: int = 1000
    partitions: int = DEFAULT_ACCOUNT_PARTITIONS
    market_partitions: int = DEFAULT_MARKET_PARTITIONS
    liquidation: Literal["propose", "auto", "simulate"] = "propose"
    scope: Literal["firm", "market"] = "firm"
    ceiling_accounts: int | None = None
    ceiling_yuan: int | None = None
    rules: Schedule = field(default_factory=built_in)


@dataclass(slots=True)
class OfflineRun:
    """An instance in memory; feed it days in order. ``cores`` are the shards' and, last, the financing
    core."""

    options: RunOptions
    cores: list[Core] = field(init=False)
    events: int = field(init=False, default=0)
    _logs: list[LocalLog] = field(init=False)
    _ends: dict[Source, int] = field(init=False)

    def __post_init__(self) -> None:
        own = self.options
        sources = Sources(own.partitions, own.market_partitions)
        shards: list[Core] = [
            MarginShard(
                ShardConfig(own.liquidation, own.ceiling_accounts, own.ceiling_yuan, shard, own.rules)
            )
            for shard in range(own.partitions)
        ]
        self.cores = [*shards, FinancingCore(FinancingConfig(own.partitions, own.scope, own.rules))]
        genesis = Genesis("offline", own.partitions, own.market_partitions, "")
        self._logs = [LocalLog(core, sources.of(place), genesis) for place, core in enumerate(self.cores)]
        counts = partition_counts(own.partitions, own.market_partitions)
        counts.pop(MARKET_SESSION)
        self._ends = {(topic, p): 0 for topic, count in counts.items() for p in range(count)}
        self._ends |= {(topic, 0): 0 for topic in (MARKET_SESSION, *RETURNED_SOURCES)}
        self._ends |= {(SHARD_TOTALS, p): 0 for p in range(own.partitions)}

    def day(self, day: RecordedDay, watch: Watch | None = None) -> Iterator[Output]:
        """Run one day; yields everything that is published, in the order of its causes."""
        lanes = day_lanes(day, partition_counts(self.options.partitions, self.options.market_partitions))
        windows = plan_windows(
            day.date, [lane.ts for lane in lanes], session_records(day), self.options.window_ms
        )
        total, done = sum(len(lane.ts) for lane in lanes), 0
        for number, window in enumerate(windows):
            for lane, start, stop in zip(lanes, window.starts, window.stops, strict=True):
                yield from self._publish(lane.records(start, stop), lane, window, number)
            yield from self._cut(window, number)
            done += window.events
            self.events += window.events
            if watch is not None:
                watch(Progress(day.date, window.ts, window.phase, done, total))

    def discrepancies(self) -> list[str]:
        """Where the sums that every event keeps up to date differ from a full recomputation; none, ever."""
        shards = [core for core in self.cores if isinstance(core, MarginShard)]
        return [line for shard in shards for line in discrepancies(shard.desk.books)]

    def state_hash(self) -> str:
        """The state hash of all cores."""
        return state_hash(self.cores)

    def _publish(
        self, records: Iterable[Record], lane: Lane, window: Window, number: int
    ) -> Iterator[Output]:
        source = (lane.topic, lane.partition)
        start = self._ends[source]
        read = _consumed(source, start, records, window.ts, window_headers(number))
        if not read:
            return
        taken = take_in(Run(source, start, start + len(read), read), self.options.partitions)
        if taken.forwards:
            raise ValueError(
                f"{lane.topic}-{lane.partition} holds an event of an account that lives elsewhere"
            )
        self._ends[source] = start + len(read)
        yield from (output for _, output in taken.letters)
        self._hand_out(taken.input)

    def _hand_out(self, data: Input) -> None:
        for log in self._logs:
            if log.fold.layout.slot(data.source) is not None:
                log.take(data)

    def _cut(self, window: Window, number: int) -> Iterator[Output]:
        inputs = {
            source: end
            for source, end in sorted(self._ends.items())
            if source[0] not in {MARKET_SESSION, SHARD_TOTALS}
        }
        value = orjson.dumps({**window.session, "cut": format_cut(inputs)})
        start = self._ends[(MARKET_SESSION, 0)]
        record = Record(MARKET_SESSION, 0, str(window.session.get("market", "ALL")).encode(), value, (), 1)
        read = _consumed((MARKET_SESSION, 0), start, [record], window.ts, window_headers(number))
        taken = take_in(Run((MARKET_SESSION, 0), start, start + 1, read), self.options.partitions)
        self._ends[(MARKET_SESSION, 0)] = start + 1
        yield from (output for _, output in taken.letters)
        self._hand_out(taken.input)
        for shard in range(self.options.partitions):
            yield from self._drain(shard)
        yield from self._drain(self.options.partitions)

    def _drain(self, place: int) -> Iterator[Output]:
        returned = []
        for outgoing in self._logs[place].drain():
            if outgoing.output.topic == SHARD_TOTALS:
                self._return((SHARD_TOTALS, place), [outgoing.output])
                continue
            if outgoing.output.topic in RETURNED_SOURCES:
                returned.append(outgoing.output)
            if outgoing.output.topic != FIRM_TOTALS:
                yield outgoing.output
        if returned:
            for topic in RETURNED_SOURCES:
                self._return((topic, 0), [output for output in returned if output.topic == topic])
            for shard in range(self.options.partitions):
                yield from self._drain(shard)

    def _return(self, source: Source, outputs: Sequence[Output]) -> None:
        """Hand outputs that are input of other logs to them, without a window: they go in as they arrive."""
        start = self._ends[source]
        count = len(outputs)
        ts = np.array([output.value["ts"] for output in outputs], np.int64)
        offsets = np.arange(start, start + count, dtype=np.int64)
        read = Read(source, start, start + count, offsets, ts, np.zeros(count, np.bool_))
        self._ends[source] = start + count
        values = [orjson.dumps(output.value) for output in outputs]
        self._hand_out(Input.of_values(read, np.arange(count, dtype=np.int64), values, ts))


def _consumed(
    source: Source, start: int, records: Iterable[Record], ts: int, headers: tuple[tuple[str, bytes], ...]
) -> list[ConsumerRecord[bytes, bytes]]:
    """Records as a consumer would return them; their Kafka time is the market time of their window."""
    return [
        ConsumerRecord(
            source[0], source[1], start + i, ts, 0, record.key, record.value, None,
            len(record.key or b""), len(record.value), (*headers, *record.headers),
        )
        for i, record in enumerate(records)
    ]  # fmt: skip


def run_days(
    days: Sequence[RecordedDay],
    options: RunOptions,
    keep: Callable[[int, Output], None],
    watch: Watch | None = None,
    *,
    audit: bool = False,
) -> dict[str, Any]:
    """Run ``days`` in order and hand every output with its day to ``keep``; returns the report with the
    state hash. With ``audit`` all books are recomputed after each day; UserError when a sum differs."""
    run = OfflineRun(options)
    counts: dict[str, int] = {}
    for day in days:
        for output in run.day(day, watch):
            counts[output.topic] = counts.get(output.topic, 0) + 1
            keep(day.date, output)
        if audit:
            _audit(run, day.date)
    audited = {"audited_days": len(days)} if audit else {}
    return audited | {
        "window_ms": options.window_ms,
        "partitions": options.partitions,
        "liquidation": options.liquidation,
        "scope": options.scope,
        "events": run.events,
        "outputs": dict(sorted(counts.items())),
        "state_hash": run.state_hash(),
    }


def _audit(run: OfflineRun, date: int) -> None:
    wrong = run.discrepancies()
    if wrong:
        raise UserError(
            f"after {format_day(date)} the books do not balance in {len(wrong)} places: {wrong[0]}",
            advice="this is an error of the program: please report it with the recorded day",
        )
