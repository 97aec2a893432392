"""A desk: one unit of the protocol at this worker, with its appends, its cuts and its checkpoints as tasks.

The unit itself is pure; the desk repeats its appends until they are acknowledged, fetches the end offsets
that a session record needs, and makes a checkpoint visible once it is valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from agents.core import Core, Output, Source
from schemas.topics import ACCOUNT_EVENTS
from streams.checkpoints import CheckpointStore
from streams.shardlog.inputs import Input
from streams.shardlog.unit import Phase, Unit
from streams.worker.intake import Run

POLL_SECONDS = 0.02
GIVEN_CUT_SECONDS = 1.0

Log = Callable[[int, bytes], Awaitable[int]]
"""Appends a record to a partition of `shard.log`; once all replicas have it, its offset."""
Ends = Callable[[], Awaitable[Mapping[Source, int]]]
"""End offsets of every input partition, fetched after the call."""
Trim = Callable[[int, int], Awaitable[None]]
"""Deletes the records of a partition of `shard.log` before an offset."""


class Desk:
    """Drives the unit of one partition of `shard.log`; `core` is the state machine it folds.

    `end` is the next offset of the log when it was opened; `caught_up` is set once the unit has read to it.
    """

    def __init__(
        self,
        unit: Unit,
        core: Core,
        append: Log,
        ends: Ends,
        store: CheckpointStore,
        trim: Trim | None,
        end: int,
    ) -> None:
        self.caught_up = asyncio.Event()
        self._end = end
        self.unit = unit
        self.core = core
        self.partition = unit.fold.layout.partition
        self._append = append
        self._ends = ends
        self._store = store
        self._trim = trim
        self._wake = asyncio.Event()
        self._leaving = False
        self._silent = asyncio.Event()
        self._appended = -1
        self._keeping = asyncio.Lock()
        self._attempt: tuple[int, int] | None = None
        self._epoch_told = -1
        self._fenced_told = False
        self._waits_for: tuple[int, float] | None = None
        self._gathering: tuple[int, asyncio.Future[None]] | None = None
        self._note_position()

    @property
    def phase(self) -> Phase:
        """Where the unit stands with its claim."""
        return self.unit.phase

    def wake(self) -> None:
        """Something came in that may give the sequencer a record to write."""
        self._wake.set()

    def reads(self, source: Source) -> bool:
        """Whether the unit's log is made of this source."""
        return self.unit.fold.layout.slot(source) is not None

    def take(self, data: Input, pending: set[int]) -> bool:
        """Buffer input; False if its reader must go back for this desk."""
        taken = self.unit.take(data, pending)
        self.wake()
        return taken

    def release(self, source: Source, offset: int) -> None:
        """A record that was held is forwarded, or its dead letter is out."""
        self.unit.release(source, offset)
        self.wake()

    def read_log(self, run: Run) -> None:
        """Apply records of the log in order."""
        for record in run.records:
            if (
                record.offset >= self.unit.log_position
                and self.unit.read(record.offset, record.value) is None
            ):
                break
        self._note_position()
        self.wake()

    def _note_position(self) -> None:
        if self.unit.log_position >= self._end:
            self.caught_up.set()

    # -- what changed since it was last asked --

    def restarted(self) -> bool:
        """Whether the unit became active, or went back to the fold's positions."""
        if self.phase is not Phase.ACTIVE or self.unit.epoch is None:
            return False
        now = (self.unit.epoch, self.unit.attempt)
        before, self._attempt = self._attempt, now
        return now != before

    def newly_active(self) -> bool:
        """Whether the unit became active under a new claim."""
        if self.unit.epoch is None or self.unit.epoch == self._epoch_told:
            return False
        self._epoch_told = self.unit.epoch
        return True

    def fenced_anew(self) -> bool:
        """Whether the unit read a foreign claim."""
        before, self._fenced_told = self._fenced_told, self.phase is Phase.FENCED
        return self._fenced_told and not before

    # -- tasks --

    async def write(
        self, refuse: Callable[[Desk, Output, Source, int], None], strays_home: Callable[[], Awaitable[None]]
    ) -> None:
        """Append what the unit has to append, one record at a time, until the partition is left.

        `refuse` is given the dead letter of a session record whose cut is impossible; `strays_home` returns
        once a live `settled` of a shard may take its cut (see `streams.worker.strays`).
        """
        try:
            await self._write(refuse, strays_home)
        finally:
            if self._gathering is not None:
                self._gathering[1].cancel()

    async def _write(
        self, refuse: Callable[[Desk, Output, Source, int], None], strays_home: Callable[[], Awaitable[None]]
    ) -> None:
        while not self._leaving:
            await self._wake.wait()
            self._wake.clear()
            while not self._leaving:
                append = self.unit.next_append()
                if append is not None:
                    self._appended = await self._append(self.partition, append.data)
                    self.unit.appended(append.token)
                elif not self.unit.needs_ends() or self._gathers(strays_home):
                    break
                elif not await self._reading_on():
                    await self._meet(refuse)
        self._silent.set()

    def _gathers(self, strays_home: Callable[[], Awaitable[None]]) -> bool:
        """Whether a live `settled` waits for the strays published before it; the log goes on meanwhile."""
        settled = self.unit.live_settled()
        if settled is None or not self.reads((ACCOUNT_EVENTS, self.partition)):
            return False
        if self._gathering is None or self._gathering[0] != settled:
            self._gathering = (settled, asyncio.ensure_future(strays_home()))
            self._gathering[1].add_done_callback(lambda _: self.wake())
        gathered = self._gathering[1]
        if gathered.done():
            gathered.result()
        return not gathered.done()

    async def _reading_on(self) -> bool:
        """Whether a session record that brings its own cut has had little time: what was read may cover it
        soon.

        Only a cut that stays out of reach has to be checked against the end offsets.
        """
        loop = asyncio.get_running_loop()
        given = self.unit.given_cut()
        if given is None:
            return False
        if self._waits_for is None or self._waits_for[0] != given:
            self._waits_for = (given, loop.time() + GIVEN_CUT_SECONDS)
        left = self._waits_for[1] - loop.time()
        if left <= 0:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), left)
        self._wake.clear()
        return True

    async def _meet(self, refuse: Callable[[Desk, Output, Source, int], None]) -> None:
        refused = self.unit.meet(await self._ends())
        if refused is not None:
            value = refused.value
            refuse(self, refused, (value["topic"], value["partition"]), value["offset"])

    async def keep_checkpoints(self, seconds: float) -> None:
        """A checkpoint every so often, if the log has moved, for ever."""
        kept = self.unit.log_position
        while True:
            await asyncio.sleep(seconds)
            position = self.unit.log_position
            if position > kept and await self._checkpoint():
                kept = position

    async def leave(self, seconds: float) -> None:
        """Append nothing more, and keep a checkpoint after the last record appended.

        If that takes longer than `seconds` there is none: a successor then has more of the log to read, and
        may not have other rules.
        """
        task = asyncio.ensure_future(self._last_checkpoint())
        await asyncio.wait([task], timeout=max(seconds, 0.0))
        task.cancel()

    async def _last_checkpoint(self) -> None:
        self._leaving = True
        self.wake()
        await self._silent.wait()
        while self.phase is Phase.ACTIVE and self.unit.log_position <= self._appended:
            self._wake.clear()
            await self._wake.wait()
        await self._checkpoint()

    async def _checkpoint(self) -> bool:
        """Keep the state as it is now, visible once every output it caused is acknowledged; False if
        fenced."""
        async with self._keeping:
            return await self._kept()

    async def _kept(self) -> bool:
        taken = self.unit.begin_checkpoint()
        if taken is None:
            return False
        prepared = await asyncio.to_thread(self._store.prepare, taken)
        while not self.unit.is_valid(taken):
            if self.unit.epoch != taken.epoch or self.phase is not Phase.ACTIVE:
                await asyncio.to_thread(self._store.discard, prepared)
                return False
            await asyncio.sleep(POLL_SECONDS)
        await asyncio.to_thread(self._store.publish, prepared)
        oldest = await asyncio.to_thread(self._store.prune, self.partition)
        if self._trim is not None and oldest is not None:
            await self._trim(self.partition, oldest)
        return True
