"""Workers of the simulation.

Each drives real units, one small random step at a time, and may die at any step.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agents.core import Source
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.fold import Effect
from streams.shardlog.outbox import Outgoing
from streams.shardlog.positions import Role
from streams.shardlog.records import Claim, Genesis
from streams.shardlog.unit import Append, Phase, Unit
from tests.simulation.world import SESSION_SOURCE, Rec, record_of, take_in

if TYPE_CHECKING:
    from tests.simulation.simulator import Simulation


class CrashError(Exception):
    """The worker dies here."""


class SimUnit:
    """A real unit with the small part of a worker that serves one partition."""

    def __init__(self, sim: Simulation, worker: SimWorker, partition: int) -> None:
        self.sim, self.worker, self.partition = sim, worker, partition
        self.unit = Unit(
            sim.new_core(partition),
            sim.sources.of(partition),
            Genesis(f"uuid-{sim.next_number()}", sim.sources.partitions, sim.sources.market_partitions, ""),
            Claim(f"nonce-{sim.next_number()}", f"w{worker.number}", "", ""),
            checkpoint=sim.newest_checkpoint(partition),
            log_is_empty=not sim.broker.logs[partition],
            limits=sim.limits,
        )
        self.appending: Append | None = None
        self.ends: dict[Source, int] | None = None
        self.sent: list[Outgoing] = []
        self.pending: deque[tuple[Source, int, Callable[[], None]]] = deque()
        self.checkpoint: Checkpoint | None = None
        self.roles = dict(zip(self.unit.fold.layout.sources, self.unit.fold.layout.roles, strict=True))

    def step(self) -> None:
        """One random action of those a worker does for a partition."""
        x = self.sim.random.random()
        if x < 0.3:
            self.read()
        elif x < 0.55:
            self.fetch()
        elif x < 0.8:
            self.sequence()
        elif x < 0.87:
            self.send()
        elif x < 0.94:
            self.deliver()
        else:
            self.take_checkpoint()

    def read(self) -> None:
        """Apply a few records of the log."""
        log = self.sim.broker.logs[self.partition]
        for _ in range(self.sim.random.randint(1, 6)):
            offset = self.unit.log_position
            if offset >= len(log):
                return
            applied = self.unit.apply(offset, record_of(log[offset]))
            if applied is None:
                return
            self.sim.stats[applied.effect.value] += 1
            if applied.effect is not Effect.APPLIED:
                continue

    def fetch(self) -> None:
        """Read a little of one source; market data goes to every unit of the worker."""
        wanted = self.unit.wanted()
        topics = self.sim.broker.topics
        waiting = [source for source, offset in wanted.items() if offset < len(topics[source])]
        if not waiting:
            return
        source = self.sim.random.choice(waiting)
        count = self.sim.random.randint(1, self.sim.batch)
        if self.roles[source] is Role.MARKET:
            self.worker.fetch_market(source, count)
        else:
            self.take(source, wanted[source], count)

    def take(self, source: Source, start: int, count: int) -> bool:
        """Hand records to the unit; what must be acknowledged first is queued."""
        taken = take_in(self.sim.broker, source, start, count)
        if not self.unit.take(taken.data, taken.pending):
            return False
        for offset, home, copy in taken.forwards:
            self.pending.append((source, offset, partial(self.forward, home, copy)))
        for offset, letter in taken.letters:
            self.pending.append((source, offset, partial(self.sim.broker.letters.add, letter)))
        return True

    def forward(self, home: int, copy: Rec) -> None:
        """A copy of a stray event goes home, sometimes twice; the worker may die before it knows."""
        topic = self.sim.broker.topics[("account.events", home)]
        topic.append(copy)
        if self.sim.faults and self.sim.random.random() < 0.2:
            topic.append(copy)
        if self.sim.faults and self.sim.random.random() < 0.05:
            raise CrashError

    def sequence(self) -> None:
        """Acknowledge what sources wait for, fix a cut, or append one record."""
        if self.pending and self.sim.random.random() < 0.3:
            source, offset, act = self.pending.popleft()
            act()
            self.unit.release(source, offset)
            return
        if self.ends is not None:
            letter = self.unit.meet(self.ends)
            self.ends = None
            if letter is not None:
                self.sim.broker.letters.add(letter.value["id"])
                self.unit.release(SESSION_SOURCE, letter.value["offset"])
            return
        if self.unit.needs_ends() and self.sim.random.random() < 0.7:
            self.ends = self.sim.broker.ends(self.partition)  # the answer comes a while later
            return
        self.append()

    def append(self) -> None:
        """Append a record: it may be lost, or be written without an acknowledgement and so be repeated."""
        if self.unit.phase is Phase.FENCED:
            self.appending = None
        if self.appending is None:
            self.appending = self.unit.next_append()
        if self.appending is None:
            return
        x = self.sim.random.random() if self.sim.faults else 1.0
        log, current = self.sim.broker.logs[self.partition], self.appending
        if (
            self.sim.faults
            and self.sim.random.random() < self.sim.forgets
            and self.unit.phase is Phase.ACTIVE
        ):
            self.unit.appended(current.token)  # the broker forgets what it acknowledged
            self.appending = None
            self.sim.stats["forgotten"] += 1
            return
        if x > self.sim.append_faults / 2:
            log.append(current.data)
        if x > self.sim.append_faults:
            self.unit.appended(current.token)
            self.appending = None
            if self.sim.faults and self.sim.random.random() < 0.05:
                self.sim.delay(self.partition, current.data)  # the broker writes a repetition much later
        elif self.sim.random.random() < 0.5:
            self.unit.append_failed(current.token)  # given up; it may yet arrive
            self.appending = None
            self.sim.stats["given up"] += 1
            if self.sim.random.random() < 0.5:
                self.sim.delay(self.partition, current.data)

    def send(self) -> None:
        """Begin to publish outputs."""
        if len(self.unit.outbox):
            self.sent += self.unit.send(self.sim.random.randint(1, len(self.unit.outbox)))

    def deliver(self) -> None:
        """Outputs reach their topics; without an acknowledgement they are sent again."""
        if not self.sent:
            return
        count = self.sim.random.randint(1, len(self.sent))
        self.reach(count)
        x = self.sim.random.random() if self.sim.faults else 1.0
        if x < 0.05:
            self.unit.outbox.failed()
            self.sent = []
        elif x > 0.15:
            self.unit.outbox.acknowledged(count)
            self.sent = self.sent[count:]

    def reach(self, count: int) -> None:
        """The first ``count`` of the sent outputs are in their topics."""
        for outgoing in self.sent[:count]:
            self.sim.broker.publish(self.partition, outgoing)

    def take_checkpoint(self) -> None:
        """Begin a checkpoint, or make it visible once it is valid."""
        if self.checkpoint is None:
            self.checkpoint = self.unit.begin_checkpoint()
        elif self.unit.phase is Phase.FENCED:
            self.checkpoint = None
        elif self.unit.is_valid(self.checkpoint):
            self.sim.checkpoints[self.partition].append(self.checkpoint)
            self.checkpoint = None
            self.sim.stats["checkpoint"] += 1

    def reclaim(self) -> None:
        """Claim again from memory: the partition is still ours."""
        self.appending = None
        self.pending.clear()
        self.unit.reclaim(f"nonce-{self.sim.next_number()}")

    @property
    def idle(self) -> bool:
        """Nothing is left to do that has been begun."""
        done = self.unit.log_position >= len(self.sim.broker.logs[self.partition])
        waits = self.appending or self.pending or len(self.unit.outbox) or self.sent
        return self.unit.phase is Phase.ACTIVE and done and not waits


class SimWorker:
    """A process with its units, among them zombies that lost their partition and do not know it yet."""

    def __init__(self, sim: Simulation, number: int) -> None:
        self.sim, self.number = sim, number
        self.units: dict[int, SimUnit] = {}
        self.zombies: list[SimUnit] = []
        self.market: dict[Source, int] = {}
        self.paused_until = 0

    def fetch_market(self, source: Source, count: int) -> None:
        """Read market data once for all units; for one that is behind the reader goes back."""
        units = [unit for unit in (*self.units.values(), *self.zombies) if unit.unit.wanted()]
        start = self.market.setdefault(source, 0)
        count = min(count, len(self.sim.broker.topics[source]) - start)
        behind = [unit for unit in units if not unit.take(source, start, count)]
        self.market[source] = start + count
        if behind:
            self.market[source] = min(unit.unit.wanted()[source] for unit in behind)

    def all_units(self) -> list[SimUnit]:
        """Every unit that still runs."""
        return [*self.units.values(), *self.zombies]

    def die(self) -> None:
        """Outputs in flight may or may not arrive; all memory is gone."""
        for unit in self.all_units():
            unit.reach(random.Random(self.sim.next_number()).randint(0, len(unit.sent)))
        self.units, self.zombies, self.market, self.paused_until = {}, [], {}, 0
