"""Deterministic random simulation of the protocol of a shard's log: real sequencers, folds and units, a
world of faults.

Workers crash at any step, are paused and wake up as zombies, lose and regain partitions; appends are lost,
repeated and arrive late; outputs go out twice; events go astray and are broken. Then everybody stays awake,
the owners finish, and `tests.simulation.checks` looks at what came of it. One seed is one history.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from agents.core import Source
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.composer import Limits
from streams.shardlog.positions import Sources
from streams.shardlog.unit import Phase
from tests.simulation.toy import ToyFirm, ToyShard
from tests.simulation.workers import CrashError, SimUnit, SimWorker
from tests.simulation.world import SESSION_SOURCE, Broker, Window, generate, interleaved, with_cut

STEPS = 1_500
SETTLING_STEPS = 40_000

WriteDay = Callable[[int, Sources, bool], list[Window]]
"""From seed, sources and whether it is a replay to a day's events."""

MakeCore = Callable[[int, int], Any]
"""From partition and number of shards to a fresh core."""


def toy_core(partition: int, shards: int) -> Any:
    """The small cores of the simulation."""
    return ToyFirm(shards) if partition == shards else ToyShard(partition)


class Simulation:
    """One history. ``replay``: windows with cuts; else live."""

    def __init__(
        self, seed: int, replay: bool, make_core: MakeCore = toy_core, write_day: WriteDay = generate
    ) -> None:
        self.random = r = random.Random(seed)
        self.replay, self.make_core = replay, make_core
        self.sources = Sources(r.randint(1, 3), r.randint(1, 2))
        self.broker = Broker(self.sources)
        self.logs = range(self.sources.partitions + 1)
        self.checkpoints: list[list[Checkpoint]] = [[] for _ in self.logs]
        self.stats: Counter[str] = Counter()
        self.late: list[tuple[int, int, bytes]] = []
        self.numbers = 0
        self.step = 0
        self.faults = True
        self.batch = r.choice([1, 3, 6, 9])
        self.limits = Limits(
            events=r.choice([1, 4, 100]), size=r.choice([300, 10_000]), ticks=r.choice([1, 4, 100])
        )
        self.append_faults = r.choice([0, 0.1, 0.4])
        self.forgets = r.choice([0, 0.03, 0.1])
        self.crashes, self.moves = r.choice([0, 0.01, 0.03]), r.choice([0, 0.01, 0.05])
        self.pauses = r.choice([0, 0.01, 0.03])
        self.windows = write_day(seed, self.sources, replay)
        self.to_publish = list(interleaved(self.windows, replay, r))
        self.published = 0
        self.session_ends: list[dict[Source, int]] = []
        self.workers = [SimWorker(self, number) for number in range(r.randint(1, 3))]
        self.owner = [r.randrange(len(self.workers)) for _ in self.logs]

    def next_number(self) -> int:
        """A number nobody has had before."""
        self.numbers += 1
        return self.numbers

    def new_core(self, partition: int) -> Any:
        """An empty core of a log."""
        return self.make_core(partition, self.sources.partitions)

    def newest_checkpoint(self, partition: int) -> Checkpoint | None:
        """What a worker that takes the partition finds."""
        return max(self.checkpoints[partition], key=lambda c: (c.offset, c.epoch), default=None)

    def delay(self, partition: int, data: bytes) -> None:
        """A record that the log gets some time later."""
        self.late.append((self.step + self.random.randint(0, 40), partition, data))

    # -- the history --

    def run(self) -> Simulation:
        """Faults first, then peace until everything is applied."""
        for partition in self.logs:
            self.assign(partition, self.owner[partition])
        while self.step <= STEPS and not (
            self.published == len(self.to_publish) and self.random.random() < 0.02
        ):
            self.step += 1
            self._faulty_step()
        while self.published < len(self.to_publish):
            self.publish()
        for _, partition, data in self.late:
            self.broker.logs[partition].append(data)
        self.late, self.faults = [], False
        self._settle()
        return self

    def publish(self) -> None:
        """The next event of the day reaches its topic."""
        event = self.to_publish[self.published]
        self.published += 1
        record = event.record(self.replay)
        if event.source == SESSION_SOURCE:
            assert event.value is not None
            ends = {source: len(records) for source, records in self.broker.topics.items()}
            self.session_ends.append(ends)
            if self.replay:
                record = type(event)(event.source, with_cut(event.value, self.broker)).record(True)
        self.broker.topics[event.source].append(record)

    def assign(self, partition: int, number: int) -> None:
        """The group gives a partition to a worker.

        Its former unit there may go on from memory, or as a zombie.
        """
        self.owner[partition] = number
        worker = self.workers[number]
        old = worker.units.get(partition)
        if old is not None and old.unit.epoch is not None and self.random.random() < 0.5:
            old.reclaim()
            self.stats["regained"] += 1
            return
        if old is not None and self.random.random() < 0.5:
            worker.zombies.append(old)
        worker.units[partition] = SimUnit(self, worker, partition)

    def _faulty_step(self) -> None:
        r = self.random
        if self.published < len(self.to_publish) and r.random() < 0.15:
            self.publish()
        for item in [item for item in self.late if item[0] <= self.step]:
            self.late.remove(item)
            self.broker.logs[item[1]].append(item[2])
        if r.random() < self.crashes:
            self._crash(r.choice(self.workers))
        if r.random() < self.pauses:
            self._pause(r.choice(self.workers))
        if r.random() < self.moves:
            self.assign(r.choice(self.logs), r.randrange(len(self.workers)))
        units = [
            unit for worker in self.workers if worker.paused_until <= self.step for unit in worker.all_units()
        ]
        if units:
            self._act(r.choice(units), 0.05)

    def _act(self, unit: SimUnit, reclaim_chance: float) -> None:
        try:
            unit.step()
        except CrashError:
            self._crash(unit.worker)
            return
        owns = (
            self.owner[unit.partition] == unit.worker.number and unit.worker.units.get(unit.partition) is unit
        )
        fenced = unit.unit.phase is Phase.FENCED
        if fenced and owns and self.random.random() < reclaim_chance:
            unit.reclaim()
            self.stats["reclaimed"] += 1

    def _crash(self, worker: SimWorker) -> None:
        self.stats["crashed"] += 1
        worker.die()
        for partition in self.logs:
            if self.owner[partition] == worker.number:
                self.assign(partition, self.random.randrange(len(self.workers)))

    def _pause(self, worker: SimWorker) -> None:
        self.stats["paused"] += 1
        worker.paused_until = self.step + self.random.randint(5, 80)
        for partition in self.logs:
            if self.owner[partition] == worker.number and self.random.random() < 0.7:
                self.assign(partition, self.random.randrange(len(self.workers)))

    def _settle(self) -> None:
        """Zombies have a last word, then the owners finish."""
        units = [unit for worker in self.workers for unit in worker.all_units()]
        for _ in range(150):
            self.step += 1
            self._act(self.random.choice(units), 1.0)
        owners = [self.workers[self.owner[partition]].units[partition] for partition in self.logs]
        for i in range(SETTLING_STEPS):
            self.step += 1
            self._act(self.random.choice(owners), 1.0)
            if i % 40 == 0 and all(unit.idle and self._caught_up(unit) for unit in owners):
                return

    def _caught_up(self, unit: SimUnit) -> bool:
        ends = self.broker.ends(unit.partition)
        fold = unit.unit.fold
        return all(fold.positions[slot] >= ends[source] for slot, source in enumerate(fold.layout.sources))
