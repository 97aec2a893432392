"""Publishing recorded days, window by window, at any speed (contract section 4; design, protocol rules 4, 5
and 10).

Every record carries the header `window`; every window ends with a session record whose cut is made of the
broker's acknowledgements, for every input partition. Before the next day begins, the replay waits for the
financing agent's `day_final` and takes the signals that it acknowledged before into the cut.

A replay can be stopped and started again: it ends after a whole window, and the next start with the same
days, window and partitions goes on where the last cut on `market.session` stands. A replay that was killed
inside a window left some of its records behind; as they are the first ones of each partition, the next
start publishes the rest. Topics that hold the date from anywhere else are refused, since two publishers of
one day cannot be told apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer

from agents.core import Source
from schemas.topics import MARKET_SESSION, TOPICS
from schemas.units import format_day, shanghai_minute
from streams.connections import reader
from streams.days.lanes import Lane, day_lanes
from streams.days.progress import Progress, Watch, window_headers
from streams.days.reader import RecordedDay, open_days
from streams.days.windows import Window, parse_window, plan_windows, session_records
from streams.errors import TopicError, UserError
from streams.pacing import IDLE_MS, Pace, parse_speed
from streams.replayed import (
    OTHER_PREFIX,
    REPLAY,
    Finals,
    ends_of,
    fingerprint,
    past_sessions,
)
from streams.sending import Sender
from streams.settings import Settings, load
from streams.shardlog.positions import RETURNED_SOURCES, format_cut
from streams.topics import check_topics

WAITING_SECONDS = 10.0
"""After so long without `day_final` the watcher is told what is being waited for."""
RETURNED = [(topic, 0) for topic in RETURNED_SOURCES]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """``speed`` None is flat out. ``start`` and ``end`` are minutes of the day (Shanghai): what comes
    before ``start`` is published without pacing, since books and reference data are needed; nothing after
    ``end`` is published. ``wait_last``: wait for the last day's `day_final` too."""

    window_ms: int = 1000
    speed: float | None = None
    start: int | None = None
    end: int | None = None
    wait_last: bool = False


@dataclass(slots=True)
class ReplayReport:
    """What a replay published. ``finished`` is false if it was stopped or ended at ``end``."""

    events: int = 0
    records: int = 0
    windows: int = 0
    finished: bool = True
    last_ts: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A day ready to be published; ``first`` is the window to begin with, ``skip`` what of it is published
    already."""

    day: RecordedDay
    name: bytes
    lanes: list[Lane]
    windows: list[Window]
    first: int = 0
    skip: Mapping[Source, int] = field(default_factory=dict)


Note = Callable[[str], None]


class Replay:
    """One replay; `run` publishes, `stop` ends it after the window under way."""

    def __init__(
        self,
        days: Sequence[RecordedDay],
        settings: Settings,
        options: ReplayOptions,
        watch: Watch | None = None,
        note: Note | None = None,
    ) -> None:
        self.days = days
        self.settings = settings
        self.options = options
        self.report = ReplayReport()
        self._watch = watch or (lambda _: None)
        self._note = note or (lambda _: None)
        self._stopped = asyncio.Event()
        self._pace = Pace(options.speed, idle_ms=max(IDLE_MS, 2 * options.window_ms))
        self._ends: dict[Source, int] = {}
        self._probe: AIOKafkaConsumer

    def stop(self) -> None:
        """End after the window that is being published; may be called from a signal handler."""
        self._stopped.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    async def run(self) -> ReplayReport:
        """Publish all days. TopicError if the topics hold one of the dates from elsewhere."""
        counts = await check_topics(self.settings)
        inputs = {topic: n for topic, n in counts.items() if TOPICS[topic].direction == "in"}
        async with (
            reader(self.settings) as consumer,
            reader(self.settings) as probe,
            Sender(self.settings) as sender,
        ):
            self._probe = probe
            partitions = [(topic, p) for topic, n in inputs.items() for p in range(n)]
            self._ends = await ends_of(probe, self.settings, [*partitions, *RETURNED])
            plans = await self._plans(consumer, inputs)
            finals = Finals(consumer, self.settings)
            await finals.start()
            for place, plan in enumerate(plans):
                await self._day(plan, sender, finals, plans[place - 1] if place else None)
                if not self.report.finished:
                    break
            if self.options.wait_last and self.report.finished:
                await self._wait_final(finals, plans[-1])
        return self.report

    async def _plans(self, consumer: AIOKafkaConsumer, inputs: Mapping[str, int]) -> list[Plan]:
        """What is left to publish of each day, given what the topics hold."""
        past = await past_sessions(consumer, self.settings, self._ends[MARKET_SESSION, 0])
        plans = []
        for day in self.days:
            lanes = day_lanes(day, inputs)
            sessions = session_records(day)
            windows = plan_windows(day.date, [lane.ts for lane in lanes], sessions, self.options.window_ms)
            name = fingerprint(day, self.options.window_ms, inputs)
            done = past.windows_done(format_day(day.date), name)
            plans.append(Plan(day, name, lanes, windows, done))
        left = [place for place, plan in enumerate(plans) if plan.first < len(plan.windows)]
        if not left:
            last = format_day(self.days[-1].date)
            raise TopicError(f"the topics already hold all of {last}", advice=OTHER_PREFIX)
        following = plans[left[0]]
        past.refuse_later_than(format_day(following.day.date))
        leftovers = await past.leftovers(consumer, self.settings, self._ends, following.name, following.first)
        plans[left[0]] = replace(following, skip=leftovers)
        return plans

    async def _day(self, plan: Plan, sender: Sender, finals: Finals, before: Plan | None) -> None:
        total = sum(len(lane.ts) for lane in plan.lanes)
        for number in range(plan.first, len(plan.windows)):
            window = plan.windows[number]
            minute = shanghai_minute(window.ts)
            if self._stopped.is_set() or (self.options.end is not None and minute > self.options.end):
                self.report.finished = False
                return
            if number == 0 and before is not None:
                await self._wait_final(finals, before)
            await self._paced(window, minute, same_day=number > 0)
            skip = plan.skip if number == plan.first else {}
            await self._window(plan, window, number, sender, skip)
            self._watch(Progress(plan.day.date, window.ts, window.phase, sum(window.stops), total))

    async def _paced(self, window: Window, minute: int, *, same_day: bool) -> None:
        if self.options.start is not None and minute < self.options.start:
            self._pace.restart()
            return
        seconds = self._pace.wait(window.ts, same_day=same_day)
        if seconds > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), seconds)
            except TimeoutError:
                return

    async def _window(
        self, plan: Plan, window: Window, number: int, sender: Sender, skip: Mapping[Source, int]
    ) -> None:
        headers = (*window_headers(number), (REPLAY, plan.name))
        for lane, start, stop in zip(plan.lanes, window.starts, window.stops, strict=True):
            published = skip.get((lane.topic, lane.partition), 0)
            for place, record in enumerate(lane.records(start, stop)):
                if place < published:
                    continue
                await sender.send(
                    record.topic, record.partition, record.key, record.value, (*headers, *record.headers)
                )
                self.report.records += 1
        await sender.flush()
        self._ends.update(sender.acknowledged)
        cut = {source: end for source, end in sorted(self._ends.items()) if source[0] != MARKET_SESSION}
        value = orjson.dumps({**window.session, "cut": format_cut(cut)})
        key = str(window.session.get("market", "ALL")).encode()
        await sender.send(MARKET_SESSION, 0, key, value, headers)
        self.report.events += window.events
        self.report.windows += 1
        self.report.last_ts = window.ts

    async def _wait_final(self, finals: Finals, plan: Plan) -> None:
        """The day's balances and signals must be out before the next day begins (protocol rule 10)."""
        if not any(window.phase == "settled" for window in plan.windows):
            return
        date = format_day(plan.day.date)
        waiting = 0.0
        while not await finals.seen(date, 0.2):
            waiting += 0.2
            if waiting >= WAITING_SECONDS:
                self._note(f"waiting for day_final of {date}: is a worker running?")
                waiting = 0.0
            if self._stopped.is_set():
                return
        self._ends |= await ends_of(self._probe, self.settings, RETURNED)


async def replay_days(
    days: Sequence[Path], settings: Settings, options: ReplayOptions, watch: Watch | None = None
) -> ReplayReport:
    """Publish the recorded days at the given directories, in order."""
    return await Replay(open_days(list(days)), settings, options, watch).run()


def replay(
    *days: str | Path,
    speed: str | float = "max",
    window: str = "1s",
    settings: Settings | None = None,
    watch: Watch | None = None,
) -> ReplayReport:
    """Publish recorded days from a script or notebook; blocks until they are published.

    ``speed``: market seconds a second, or "max". Raises UserError for a wrong directory, a missing broker,
    or topics that hold the date already.
    """
    if not days:
        raise UserError("name at least one recorded day")
    options = ReplayOptions(parse_window(window), parse_speed(str(speed)))
    return asyncio.run(replay_days([Path(day) for day in days], settings or load(), options, watch))
