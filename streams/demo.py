"""The demonstration: the crash of 7 April 2025 through real topics, a real worker and exact books.

One process owns everything: an embedded broker (announced, so that commands in another terminal find it), a
folder for books and checkpoints, a worker that holds every partition, and a subscriber that sees what any
subscriber sees. The two days before the crash are published flat out, so that calls are open when it comes;
then the crash day passes at the chosen speed. Everything ends with the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.margin.shard import MarginShard
from schemas.units import MINUTE_MS, format_day
from streams.books.making import MadeBooks, write_demonstration
from streams.brokers import EmbeddedBroker, announce
from streams.brokers.process import free_port, port_is_free
from streams.days.progress import Progress
from streams.days.reader import open_days
from streams.replaying import Replay, ReplayOptions, ReplayReport
from streams.settings import KafkaSettings, Settings
from streams.subscriber import Subscriber
from streams.view.board import Board
from streams.worker.serve import WorkerOptions, running_worker
from streams.worker.worker import Worker

WATCHED = ("margin.calls", "liquidation.orders", "security.signals", "dead.letters", "system.events")
EVE_WINDOW_MS = 15 * MINUTE_MS
"""Between two clocks of the days before the crash, of which only daily bars are known."""
_LOOK_SECONDS = 0.25
_QUIET_SECONDS = 0.6
_CATCH_UP_SECONDS = 20.0
_WORST = 12


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`speed`: market seconds a second on the crash day, None for flat out. `window_ms`: market time between
    two clocks; longer than a replay's usual second, since a quarter-hour bar has but four prices."""

    accounts: int = 20_000
    speed: float | None = 240.0
    window_ms: int = 30_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The crash day as it was replayed. `finished` is false if it was stopped."""

    events: int
    seconds: float
    finished: bool


class Demo:
    """A demonstration whose worker is up; `replay` lets the days pass."""

    def __init__(
        self, options: DemoOptions, settings: Settings, books: MadeBooks, worker: Worker, board: Board
    ) -> None:
        self.options = options
        self.settings = settings
        self.books = books
        self.worker = worker
        self.board = board
        self._replay: Replay | None = None
        self._stopped = asyncio.Event()
        self._published = 0

    def stop(self) -> None:
        """End as soon as what is under way has ended; may be called from a signal handler."""
        self._stopped.set()
        if self._replay is not None:
            self._replay.stop()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    async def replay(self) -> DemoReport:
        """Publish the days before the crash, then the crash day; returns when all alerts of it are seen."""
        *before, crash = self.books.directories
        async with Subscriber(*WATCHED, settings=self.settings, from_beginning=True) as alerts:
            with _tasks(self._watch(alerts), self._look()) as failures:
                self.board.pace = "flat out"
                eve = ReplayOptions(window_ms=EVE_WINDOW_MS, wait_last=True)
                await self._pass(before, eve, "on the eve: openings, two trading days", failures)
                self.board.pace = f"{self.options.speed:g}×" if self.options.speed else "flat out"
                start = time.monotonic()
                status = f"replaying {crash.name.removeprefix('date=')}"
                day = ReplayOptions(self.options.window_ms, self.options.speed, wait_last=True)
                report = await self._pass([crash], day, status, failures)
                seconds = time.monotonic() - start
                self.board.status = "waiting for the last alerts"
                if report.finished:
                    await self._seen_final(format_day(open_days([crash])[0].date))
                self._count()
                self.board.status = "the day is over" if report.finished else "stopped"
        return DemoReport(report.events, seconds, report.finished)

    async def wait(self) -> None:
        """Until `stop`, or until the worker fails, whose error is raised."""
        stopped: asyncio.Future[Any] = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait([stopped, self.worker.failed], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self.worker.failed.done():
            self.worker.failed.result()

    async def _pass(
        self, days: Iterable[Path], options: ReplayOptions, status: str, failures: list[asyncio.Task[None]]
    ) -> ReplayReport:
        """Replay some days while worker and watchers live; the first failure of any of them is raised."""
        self.board.status = status
        replay = Replay(open_days(list(days)), self.settings, options, self._note)
        self._replay = replay
        if self._stopped.is_set():
            replay.stop()
        before = self._published
        running = asyncio.ensure_future(replay.run())
        dangers: list[asyncio.Future[Any]] = [self.worker.failed, *failures]
        try:
            await asyncio.wait([running, *dangers], return_when=asyncio.FIRST_COMPLETED)
            for failed in dangers:
                if failed.done():
                    failed.result()
            report = await running
        finally:
            running.cancel()
        self._published = before + report.events
        return report

    def _note(self, progress: Progress) -> None:
        assert self._replay is not None
        done = self._published + self._replay.report.events
        last = self.board.progress
        self.board.note_progress(progress, done)
        if last is None or last.ts // MINUTE_MS != progress.ts // MINUTE_MS:
            self._count()  # the picture of the day has a column for every minute, however fast it passes

    async def _watch(self, alerts: Subscriber) -> None:
        async for alert in alerts:
            self.board.note_alert(alert.topic, alert.value)

    async def _look(self) -> None:
        while True:
            self._count()
            self.board.note_time(time.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)

    def _count(self) -> None:
        """Ask the shards of this process; nothing is applied meanwhile, since all share one event loop."""
        shards = [desk.core for desk in self.worker.desks.values() if isinstance(desk.core, MarginShard)]
        if shards:
            worst = [account for shard in shards for account in shard.worst(_WORST)]
            self.board.note_levels([shard.counts() for shard in shards], worst)

    async def _seen_final(self, date: str) -> None:
        """Until the day is final and no alert has come for a moment, or the worker takes far too long."""
        end = time.monotonic() + _CATCH_UP_SECONDS
        seen = -1
        while time.monotonic() < end and (date not in self.board.finals or seen != self.board.alerts):
            seen = self.board.alerts
            await asyncio.sleep(_QUIET_SECONDS)


@asynccontextmanager
async def running_demo(options: DemoOptions, settings: Settings, board: Board) -> AsyncIterator[Demo]:
    """A demonstration ready to replay; broker, worker and files are gone at the end of the block."""
    board.title = f"liangrong · the A-share crash of 7 April 2025 · {options.accounts:,} accounts"
    board.status = "starting the embedded broker"
    with (
        TemporaryDirectory(prefix="liangrong-demo-") as folder,
        EmbeddedBroker() as broker,
        announce(broker.bootstrap),
    ):
        own = _settings(settings, broker.bootstrap, Path(folder))
        board.status = f"making books of {options.accounts:,} accounts over the shipped days"
        books = await asyncio.to_thread(
            write_demonstration, Path(folder) / "days", options.accounts, options.seed
        )
        board.status = "starting the worker"
        await asyncio.sleep(0)
        held = frozenset(range(own.partitions))
        async with running_worker(own, WorkerOptions(held, name="demo")) as worker:
            broker.on_loss(worker.fail)
            yield Demo(options, own, books, worker, board)


def _settings(settings: Settings, bootstrap: str, folder: Path) -> Settings:
    """Those given, but for the broker, a folder of its own for checkpoints, and fills by simulation."""
    host, port = settings.web
    return replace(
        settings,
        kafka=KafkaSettings(bootstrap),
        checkpoints=str(folder / "checkpoints"),
        liquidation="simulate",
        web=(host, port if port_is_free(port) else free_port()),
    )


@contextmanager
def _tasks(*work: Coroutine[Any, Any, None]) -> Iterator[list[asyncio.Task[None]]]:
    """Coroutines as tasks for the time of the block, to be watched for failures."""
    tasks = [asyncio.get_running_loop().create_task(part) for part in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
