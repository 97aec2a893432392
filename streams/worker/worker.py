"""What a worker does with what its readers bring: the agents hand every batch to a method here.

An unexpected exception anywhere ends the process with a non-zero code: state is safe in the log and the
checkpoints, and going on would lose the item that failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust

from agents.core import Output, Source
from schemas.topics import SHARD_LOG
from streams.errors import UserError
from streams.shardlog.fold import OtherRulesError
from streams.shardlog.positions import ACCOUNT_SOURCES, MARKET_TOPICS, SHARED_SOURCES
from streams.shardlog.unit import Phase
from streams.worker.desk import Desk
from streams.worker.intake import Run, Taken, take_in
from streams.worker.opening import Opener
from streams.worker.outgoing import Outgoing
from streams.worker.pace import Pace
from streams.worker.readers import Reader
from streams.worker.strays import Strays, Tails

logger = logging.getLogger(__name__)

AFTER_REFERENCE = (*ACCOUNT_SOURCES, *SHARED_SOURCES)
"""Topics whose events may name what reference data says."""
LEAVE_SECONDS = 3.0
"""For the checkpoint of a partition that the group gives to another worker, which waits for nothing."""
STOP_SECONDS = 25.0
"""For the checkpoints of all partitions at an orderly stop. Kubernetes waits 30 s, systemd 90 s."""
RECLAIM_SECONDS = 3.0
"""A group that moves a partition needs a moment to tell both sides; only then is a foreign claim answered."""


class DisplacedError(UserError):
    """Another worker has claimed a partition that this one was told to hold."""


@dataclass(frozen=True, slots=True)
class Readers:
    """The three readers of a worker."""

    inputs: Reader
    market: Reader
    log: Reader

    def all(self) -> tuple[Reader, Reader, Reader]:
        """All of them."""
        return self.inputs, self.market, self.log

    def of(self, source: Source) -> Reader:
        """Which one reads an input source."""
        return self.market if source[0] in MARKET_TOPICS else self.inputs


class Worker:
    """The partitions this worker holds, and what happens to each batch.

    `in_group`: a consumer group assigns the partitions, so a foreign claim of one that is still ours is
    answered by a new claim; without a group it ends the worker.
    """

    def __init__(
        self,
        app: faust.App,
        opener: Opener,
        readers: Readers,
        outgoing: Outgoing,
        tails: Tails,
        checkpoint_seconds: float,
        *,
        in_group: bool,
    ) -> None:
        self.app = app
        self.opener = opener
        self.outgoing = outgoing
        self.sources = opener.sources
        self.desks: dict[int, Desk] = {}
        self.strays = Strays(self.sources.partitions, self.desks, opener.ends, tails)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers = readers
        self._checkpoint_seconds = checkpoint_seconds
        self._in_group = in_group
        self._tasks: dict[int, list[asyncio.Task[None]]] = {}
        self._reference_first: Mapping[Source, int] = {}
        self._reading: set[int] = set()
        self._pace = Pace(self._deliver, self.fail)
        self._sending = self._guarded("outgoing", outgoing.run(self.desks))
        for reader in readers.all():
            reader.report(self._lost, self.fail)
            app.service(reader)  # type: ignore[arg-type]  # Faust takes instances too

    # -- holding partitions --

    async def hold(self, partitions: Iterable[int]) -> None:
        """Hold exactly these account partitions (and the firm log with partition 0) from now on."""
        wanted = set(partitions)
        if 0 in wanted:
            wanted.add(self.sources.firm_partition)
        for partition in sorted(set(self.desks) - wanted):
            await self._let_go(partition)
        opened = [await self.opener.open(partition) for partition in sorted(wanted - set(self.desks))]
        for desk in opened:
            partition = desk.partition
            self.desks[partition] = desk
            self._tasks[partition] = [
                self._guarded(f"log {partition}", self._write(desk, opened)),
                self._guarded(f"checkpoints {partition}", desk.keep_checkpoints(self._checkpoint_seconds)),
            ]
            desk.wake()
        self._read_log()
        self._read_sources()

    async def _write(self, desk: Desk, opened: list[Desk]) -> None:
        """Claim and write, once all that were opened together have read their logs: if one of them must be
        refused, because it was applied by other rules, no partition changes hands."""
        for each in opened:
            await each.caught_up.wait()
        await desk.write(self._refuse, self.strays.home)

    async def _let_go(self, partition: int, seconds: float = LEAVE_SECONDS) -> None:
        """Leave a partition to somebody else, with a checkpoint after the last record of the log, so that it
        starts where this one stopped; `seconds` at most are spent on it."""
        desk = self.desks[partition]
        if desk.phase is Phase.ACTIVE:
            await desk.leave(seconds)
            self._tell("released", desk, "leaves")
        for task in self._tasks.pop(partition):
            task.cancel()
        desk.caught_up.set()
        self._reading.discard(partition)
        del self.desks[partition]
        logger.info("left partition %d of the log", partition)

    async def stop(self) -> None:
        """Leave every partition; after a failure nothing more is kept or sent."""
        failed = self.failed.done()
        loop = asyncio.get_running_loop()
        latest = loop.time() + STOP_SECONDS
        for partition in sorted(self.desks):
            if failed:
                for task in self._tasks.pop(partition):
                    task.cancel()
            else:
                await self._let_go(partition, latest - loop.time())
        if not failed:
            await self.outgoing.drained()
        self._sending.cancel()

    def _read_log(self) -> None:
        self._readers.log.read_from(
            {(SHARD_LOG, p): desk.unit.log_position for p, desk in self.desks.items()}
        )

    def _read_sources(self) -> None:
        """Read what the active desks want, each source from the oldest position that one of them needs.

        Who has become active waits for those that are still claiming: one after another they would send the
        readers back again and again, and a backlog would be read once for each of them.

        Reference data that was there at the last claim comes first: events that waited for the worker may
        name what it says, and between topics nothing else keeps their order.
        """
        if all(desk.phase is not Phase.CLAIMING for desk in self.desks.values()):
            self._reading = set(self.desks)
        positions: dict[Source, int] = {}
        for desk in (desk for partition, desk in self.desks.items() if partition in self._reading):
            for source, position in desk.unit.wanted().items():
                positions[source] = min(position, positions.get(source, position))
        if self._awaits_reference(positions):
            positions = {source: p for source, p in positions.items() if source[0] not in AFTER_REFERENCE}
        else:
            self._reference_first = {}
        for reader in (self._readers.inputs, self._readers.market):
            reader.read_from({s: p for s, p in positions.items() if self._readers.of(s) is reader})

    def _awaits_reference(self, positions: Mapping[Source, int]) -> bool:
        return any(positions.get(source, end) < end for source, end in self._reference_first.items())

    # -- batches --

    async def take_inputs(self, run: Run) -> None:
        """Market agent and account intake: validate, route and hand on to the sequencers."""
        self._pace.put(run, take_in(run, self.sources.partitions))

    def _deliver(self, run: Run, taken: Taken) -> None:
        pending = taken.pending()
        taken_by_all = [desk.take(taken.input, pending) for desk in self._readers_of(run.source)]
        if pending:
            self._send_edge(run.source, taken)
        if not all(taken_by_all) or (self._reference_first and run.source in self._reference_first):
            self._read_sources()
        self._hold_back(run.source)

    def _readers_of(self, source: Source) -> list[Desk]:
        return [desk for desk in self.desks.values() if desk.reads(source) and desk.phase is Phase.ACTIVE]

    def _send_edge(self, source: Source, taken: Taken) -> None:
        """Send dead letters and forwards; a record that caused several is released after the last of them."""
        items: list[tuple[int, Any]] = [
            *taken.letters,
            *((forward.offset, forward) for forward in taken.forwards),
        ]
        waiting: dict[int, int] = {}
        for offset, _ in items:
            waiting[offset] = waiting.get(offset, 0) + 1

        def released(offset: int) -> None:
            waiting[offset] -= 1
            if waiting[offset] == 0:
                for desk in self._readers_of(source):
                    desk.release(source, offset)

        for offset, item in items:
            self.outgoing.from_edge(item, partial(released, offset))

    def _refuse(self, desk: Desk, letter: Output, source: Source, offset: int) -> None:
        """A session record whose cut is impossible: its dead letter first, then the desk passes it."""
        self.outgoing.from_edge(letter, lambda: desk.release(source, offset))

    def _hold_back(self, source: Source) -> None:
        """Pause a source's reader while a desk has enough of it."""
        full = any(not desk.unit.has_room(source) for desk in self._readers_of(source))
        self._readers.of(source).pause(source, paused=full)

    async def take_log(self, run: Run) -> None:
        """Margin agent and financing agent: apply what is read back, and only that."""
        desk = self.desks.get(run.source[1])
        if desk is None or self.failed.done():
            return
        try:
            desk.read_log(run)
        except OtherRulesError as error:  # a person's to cure: no traceback of an agent
            self.fail(error)
            return
        self.outgoing.wake()
        if desk.fenced_anew():
            self._fenced(desk)
        if desk.restarted():
            newly = desk.newly_active()
            if newly:
                ends = await self.opener.ends()
                self._reference_first = {s: end for s, end in ends.items() if s[0].startswith("reference.")}
            self._read_sources()
            if newly:
                self._announce(desk)
        for reader in (self._readers.inputs, self._readers.market):
            for source in reader.paused():
                self._hold_back(source)

    async def _lost(self, source: Source, wanted: int, earliest: int) -> None:
        """Retention deleted input: every log passes it by an explicit record."""
        logger.error("%s-%d: records %d to %d are gone", *source, wanted, earliest - 1)
        for desk in self._readers_of(source):
            desk.unit.lose(source, earliest, self.opener.now())
            desk.wake()

    # -- ownership --

    def _announce(self, desk: Desk) -> None:
        """Tell who holds the partition, and where it answers."""
        logger.info("holds partition %d of the log since record %s", desk.partition, desk.unit.epoch)
        self._tell("claimed", desk, "holds", web=desk.unit.claim.web, rules=desk.unit.claim.rules)
        if all(held.phase is Phase.ACTIVE for held in self.desks.values()):
            logger.info("ready: %d partitions, http://%s/worker", len(self.desks), desk.unit.claim.web)

    def _tell(self, kind: str, desk: Desk, does: str, **figures: str) -> None:
        """A system event about a partition of the log."""
        name, epoch = desk.unit.claim.worker, desk.unit.epoch
        value = {
            "id": f"{kind}:{desk.partition}:{epoch}",
            "ts": self.opener.now(),
            "kind": kind,
            "shard": desk.partition,
            "worker": name,
            "text": f"{name} {does} partition {desk.partition} of the log",
            "figures": {"epoch": epoch, **figures},
        }
        self.outgoing.from_edge(Output("system.events", kind, value), lambda: None)

    def _fenced(self, desk: Desk) -> None:
        if self._in_group:
            logger.warning("another worker has claimed partition %d of the log", desk.partition)
            asyncio.get_running_loop().call_later(RECLAIM_SECONDS, self._reclaim, desk)
            return
        self.fail(
            DisplacedError(
                f"another worker has claimed partition {desk.partition} of the log",
                advice="Workers share partitions with --group; else give each --partitions of its own.",
            )
        )

    def _reclaim(self, desk: Desk) -> None:
        """The group still says that the partition is ours."""
        if self.desks.get(desk.partition) is desk and desk.phase is Phase.FENCED:
            desk.unit.reclaim(self.opener.nonce())
            desk.wake()
            self._read_log()

    # -- failure --

    def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """End the process because of this exception."""
        if not self.failed.done():
            self.failed.set_exception(error)
