"""What must be true after every history, whatever happened in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import orjson

from agents.core import Output, Source
from schemas.topics import MARKET_SESSION
from streams.shardlog.fold import Effect, Fold
from streams.shardlog.local import LocalLog
from streams.shardlog.records import Claim, Genesis, SessionCut
from tests.simulation.simulator import Simulation
from tests.simulation.world import SESSION_SOURCE, Broker, Event, events_of, record_of, take_in, with_cut

Found = tuple[int, int, str, bytes]
"""An output: log offset, place, id, canonical value."""


def faults_of(sim: Simulation) -> list[str]:
    """Every broken promise of the protocol, in words; empty when all is well."""
    found: list[str] = []
    for partition in sim.logs:
        found += [f"log {partition}: {fault}" for fault in _LogCheck(sim, partition).faults()]
    if sim.replay and not found:
        found += _replay_faults(sim)
    return found


def state_of(core: Any) -> list[tuple[str, str, bytes]]:
    """The rows of the state hash."""
    return sorted(core.state_rows())


def identity(output: Output) -> str:
    """The id an output carries, or for states without one (ratios, totals) all that it says."""
    return output.value.get("id") or f"{output.topic} {output.key} {canonical(output.value).decode()}"


def canonical(value: Any) -> bytes:
    """A value's bytes for comparison."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class _LogCheck:
    """The log of one partition, folded once more from its beginning."""

    def __init__(self, sim: Simulation, partition: int) -> None:
        self.sim, self.partition = sim, partition
        self.owner = sim.workers[sim.owner[partition]].units[partition]
        self.fold = Fold(sim.new_core(partition), sim.sources.of(partition))
        self.ends = sim.broker.ends(partition)
        self.outputs: list[Found] = []
        self.claims: dict[str, int] = {}
        self.sessions: list[tuple[SessionCut, dict[Source, int]]] = []
        for offset, data in enumerate(sim.broker.logs[partition]):
            record = record_of(data)
            if isinstance(record, Claim):
                self.claims.setdefault(record.nonce, offset)
            before = self.fold.layout.named(self.fold.positions)
            applied = self.fold.apply(offset, record)
            if isinstance(record, SessionCut) and applied.effect is Effect.APPLIED:
                self.sessions.append((record, before))
            for place, output in enumerate(applied.outputs):
                self.outputs.append((offset, place, identity(output), canonical(output.value)))

    def faults(self) -> list[str]:
        positions = self.fold.layout.named(self.fold.positions)
        if any(positions[source] < end for source, end in self.ends.items()):
            behind = {s: (positions[s], e) for s, e in self.ends.items() if positions[s] < e}
            return [f"stuck: inputs are not all applied {behind}"]
        if not self.owner.idle:
            return ["stuck: the assigned owner is fenced or does not read on"]
        found = []
        own = self.owner.unit.fold
        if state_of(own.core) != state_of(self.fold.core) or own.positions != self.fold.positions:
            found.append("the owner's state is not the fold of the log")
        epochs = {checkpoint.epoch for checkpoint in self.sim.checkpoints[self.partition]}
        if not epochs <= set(self.claims.values()):
            found.append("a checkpoint is not named by the first copy of a claim")
        return found + self._event_faults() + self._output_faults() + self._session_faults()

    def _event_faults(self) -> list[str]:
        history = getattr(self.fold.core, "history", None)
        if history is None:
            return []
        count = Counter(history)
        wanted = Counter(event for source in self.ends for event in self._good_events(source))
        found = []
        if any(count[event] > wanted[event] for event in wanted):
            found.append("an event was applied twice")
        if any(count[event] < wanted[event] for event in wanted):
            found.append("an event was lost")
        if len(count) > len(wanted):
            found.append("a bad or foreign event was applied")
        return found + self._id_faults() + self._mark_faults()

    def _good_events(self, source: Source) -> list[tuple[Source, int]]:
        if source[0] == MARKET_SESSION or source[0].startswith("market."):
            return []
        taken = take_in(self.sim.broker, source, 0, self.ends[source])
        return [(source, offset) for offset in taken.data.offsets.tolist()]

    def _id_faults(self) -> list[str]:
        ids = getattr(self.fold.core, "state", {}).get("ids")
        if ids is None:
            return []
        wanted = set()
        for source, records in self.sim.broker.topics.items():
            if source[0] == "account.events":
                wanted |= {
                    (event["account"], event["id"])
                    for record in records
                    if record.home == self.partition
                    for event in events_of(record)
                }
        return [] if wanted == set(ids) else ["an account event (by id) was lost or applied elsewhere"]

    def _mark_faults(self) -> list[str]:
        best: dict[str, tuple[tuple[int, int, int], int]] = {}
        for (topic, partition), records in list(self.sim.broker.topics.items()):
            if topic not in ("market.trades", "market.quotes"):
                continue
            data = take_in(self.sim.broker, (topic, partition), 0, len(records)).data
            for offset in data.offsets.tolist():
                event = orjson.loads(records[offset].value)
                price = event["price"] if topic == "market.trades" else event["last"]
                key = (event["ts"], int(topic == "market.trades"), offset)
                if price and (event["security"] not in best or key > best[event["security"]][0]):
                    best[event["security"]] = (key, price * 1000)
        marks = vars(self.fold.core)["marks"].price
        same = {name: price for name, (_, price) in best.items()} == {n: p for n, (_, p) in marks.items()}
        return [] if same else ["a mark is not the latest observation"]

    def _output_faults(self) -> list[str]:
        contents: dict[str, set[bytes]] = defaultdict(set)
        for outgoing in self.sim.broker.published[self.partition]:
            contents[identity(outgoing.output)].add(canonical(outgoing.output.value))
        expected = {ident: value for _, _, ident, value in self.outputs}
        if len(expected) != len(self.outputs) and hasattr(self.fold.core, "history"):
            return ["the fold gives one id to two outputs"]
        if any(len(values) > 1 for values in contents.values()):
            return ["one id was published with two contents"]
        got = {ident: next(iter(values)) for ident, values in contents.items()}
        if got != expected:
            return ["an output was lost" if set(expected) - set(got) else "outputs differ from the fold's"]
        return self._compacted_faults()

    def _compacted_faults(self) -> list[str]:
        """Of a compacted topic subscribers keep the greatest (log offset, place) of a key."""
        newest: dict[tuple[str, str], tuple[int, int, str]] = {}
        for o in self.sim.broker.published[self.partition]:
            key = (o.output.topic, o.output.key)
            newest[key] = max(newest.get(key, (-1, -1, "")), (o.offset, o.place, identity(o.output)))
        wanted = {ident for _, _, ident in newest.values()}
        last: dict[str, str] = {}
        published = {
            identity(o.output): f"{o.output.topic} {o.output.key}"
            for o in self.sim.broker.published[self.partition]
        }
        for _, _, ident, _ in self.outputs:
            last[published[ident]] = ident
        return [] if wanted == set(last.values()) else ["a compacted topic is stale"]

    def _session_faults(self) -> list[str]:
        found = []
        for record, positions in self.sessions:
            published = self.sim.session_ends[record.offset]
            for source, end in published.items():
                counts = source in positions and source != SESSION_SOURCE
                if counts and positions[source] < end and source[0] != "shard.totals":
                    found.append("a session record misses an event published before it")
            if self.sim.replay and any(
                self._has_events(source, end, positions.get(source, 0))
                for source, end in published.items()
                if source != SESSION_SOURCE and source[0] != "shard.totals"
            ):
                found.append("a session record of a replay contains an event published after it")
        return sorted(set(found))

    def _has_events(self, source: Source, first: int, end: int) -> bool:
        """Whether good events lie between two positions; bad records may be passed at any time."""
        return end > first and len(take_in(self.sim.broker, source, first, end - first).data) > 0


def _replay_faults(sim: Simulation) -> list[str]:
    """The same windows without any disturbance end in the same state and the same outputs."""
    logs, outputs = undisturbed(sim)
    found = []
    for partition in sim.logs:
        own = sim.workers[sim.owner[partition]].units[partition].unit.fold.core
        if state_of(own) != state_of(logs[partition].fold.core):
            found.append(f"log {partition}: replay: the state differs from the undisturbed run")
        got = {identity(o.output): canonical(o.output.value) for o in sim.broker.published[partition]}
        if got != outputs[partition]:
            found.append(f"log {partition}: replay: the outputs differ from the undisturbed run")
    return found


def undisturbed(sim: Simulation) -> tuple[list[LocalLog], list[dict[str, bytes]]]:
    """The windows one after another through `LocalLog`: what the same day is without a broker."""
    broker = Broker(sim.sources)
    genesis = Genesis("undisturbed", sim.sources.partitions, sim.sources.market_partitions, "")
    logs = [LocalLog(sim.new_core(k), sim.sources.of(k), genesis) for k in sim.logs]
    outputs: list[dict[str, bytes]] = [{} for _ in sim.logs]
    for window in sim.windows:
        for event in window.events:
            broker.topics[event.source].append(event.record(True))
        session = Event(SESSION_SOURCE, with_cut(window.session, broker))
        broker.topics[SESSION_SOURCE].append(session.record(True))
        for partition in [*sim.logs, sim.sources.firm_partition]:  # the firm log once more, for the totals
            _feed(broker, logs[partition], partition, outputs)
    return logs, outputs


def _feed(broker: Broker, log: LocalLog, partition: int, outputs: list[dict[str, bytes]]) -> None:
    for source, start in log.sequencer.wanted().items():
        log.take(take_in(broker, source, start, len(broker.topics[source]) - start).data)
    for outgoing in log.drain():
        outputs[partition][identity(outgoing.output)] = canonical(outgoing.output.value)
        broker.publish(partition, outgoing)
