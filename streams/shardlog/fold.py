"""The fold of one log: the only way in which a core's state changes.

State, positions and outputs are a pure function of a prefix of the log (design, protocol rules 1 to 4, 11,
12), given the rules in force: the broker's dated rules and the settings by which the core judges.

A change of rules. A claim says by which rules its worker judges, and from which offset it applies the log by
them. The rules in force at a record are those of the last claim before it that counts, and a claim with other
rules than those in force counts only if no frame had an effect between the offset it starts from and itself:
else its worker would apply those frames by other rules than they were applied by before, and records already
sent would come out again under the same ids with other content. Three things follow.

 - Every reader of the log agrees on the rules in force at each record, wherever it starts: they are a
   function of the prefix, and a checkpoint carries what of it is needed (`rules`, `moved`).
 - Nobody applies a frame by other rules than those in force at it: such a fold raises OtherRulesError before
   the frame reaches the core. So rules change exactly where nothing must be applied again: an orderly stop
   leaves a checkpoint after the last frame, and claims after it are no frames.
 - A claim that does not count changes nothing: it fences nobody, the rules in force stay, and whoever has
   them goes on. So a worker with other rules that takes a partition over in the middle of its work, at a
   rebalance or by mistake, ends, and the partition is as it was; however the records of two such workers
   mix, all who read them find the same, and no mixture makes a log that nobody may apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from agents.core import Core, Output, Segment
from schemas import decode
from schemas.market import Session
from schemas.topics import MARKET_SESSION, SYSTEM_EVENTS
from streams.errors import UsageError
from streams.shardlog.positions import Layout
from streams.shardlog.records import Claim, Events, Frame, Genesis, Lost, Marks, Record, SessionCut, Span


class Effect(Enum):
    """What a record did to the fold."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It moved no position (or repeats a genesis or a claim): no effect at all."""
    IGNORED = "ignored"
    """A gap: it begins beyond the positions, or a session record's cut is not reached yet; a claim whose
    rules may not take effect where it stands."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one record."""

    effect: Effect
    outputs: list[Output] = field(default_factory=list)


class ForeignLogError(ValueError):
    """The log belongs to another instance.

    Other partition counts, another prefix, or it does not begin with a genesis.
    """


class OtherRulesError(UsageError):
    """The log was applied by other rules or settings than this worker's, and would have to be again."""

    def __init__(self, partition: int, in_force: str, own: str) -> None:
        super().__init__(
            f"partition {partition} of shard.log must be applied by what was in force: {in_force}. "
            f"This worker has: {own}",
            advice="Start with the rules file and settings of before (LIANGRONG_RULES, _SCOPE, _LIQUIDATION, "
            "_CEILING_*), stop all workers in an orderly way (Ctrl-C or SIGTERM), then change them for all.",
        )


class Fold:
    """One core with the positions, the genesis, the claims and the rules in force that its log has reached.

    ``offset`` is the log offset to apply next. ``expected`` describes this instance; a log whose genesis
    differs from it (the uuid apart) raises ForeignLogError. ``own_rules`` are those by which the core
    judges; None takes whatever the log says for them.
    """

    def __init__(
        self, core: Core, layout: Layout, expected: Genesis | None = None, own_rules: str | None = None
    ) -> None:
        self.core = core
        self.layout = layout
        self.expected = expected
        self.own_rules = own_rules
        self.rules = ""
        self.moved = 0
        self.offset = 0
        self.genesis: Genesis | None = None
        self.nonces: set[str] = set()
        self.positions: list[int] = [0] * len(layout)

    def apply(self, offset: int, record: Record) -> Applied:
        """Apply the record at ``offset``; offsets must rise, holes are allowed."""
        if offset < self.offset:
            raise ValueError(f"record {offset} of the log again, expected {self.offset} or later")
        self.offset = offset + 1
        match record:
            case Genesis():
                return self._genesis(record)
            case Claim():
                return self._claim(record)
            case _:
                return self._frame(record)

    def _genesis(self, record: Genesis) -> Applied:
        if self.genesis is not None:
            return Applied(Effect.REPEATED)
        if self.expected is not None:
            check_genesis(record, self.expected)
        self.genesis = record
        return Applied(Effect.APPLIED)

    def _claim(self, record: Claim) -> Applied:
        self._need_genesis()
        if record.nonce in self.nonces:
            return Applied(Effect.REPEATED)
        self.nonces.add(record.nonce)
        if record.rules != self.rules and record.since < self.moved:
            return Applied(Effect.IGNORED)
        self.rules = record.rules
        return Applied(Effect.APPLIED)

    def _frame(self, record: Frame) -> Applied:
        self._need_genesis()
        moves = self._moves(record.span)
        if moves is None or not self._reached_cut(record):
            return Applied(Effect.IGNORED)
        if not moves:
            return Applied(Effect.REPEATED)
        if self.own_rules is not None and self.own_rules != self.rules:
            raise self.other_rules()
        outputs = self._apply(record)
        self.moved = self.offset
        for slot, end in moves:
            self.positions[slot] = end
        return Applied(Effect.APPLIED, outputs)

    def other_rules(self) -> OtherRulesError:
        """What to raise where the rules in force are not the core's."""
        return OtherRulesError(self.layout.partition, self.rules, self.own_rules or "")

    def _need_genesis(self) -> None:
        if self.genesis is None:
            raise ForeignLogError(
                f"partition {self.layout.partition} of the log does not begin with a genesis record"
            )

    def _moves(self, span: Span) -> list[tuple[int, int]] | None:
        """The slots a frame moves, with their new positions; None if it begins beyond a position."""
        moves = []
        slots: Iterable[int | None] = range(len(self.positions))
        if span.sources != self.layout.sources:
            slots = map(self.layout.slot, span.sources)
        for slot, start, end in zip(slots, span.start, span.end, strict=True):
            if slot is None:
                continue
            if start > self.positions[slot]:
                return None
            if end > self.positions[slot]:
                moves.append((slot, end))
        return moves

    def _reached_cut(self, record: Frame) -> bool:
        if not isinstance(record, SessionCut):
            return True
        for source, cut in zip(record.span.sources, record.cut, strict=True):
            slot = self.layout.slot(source)
            if slot is not None and slot != self.layout.session and self.positions[slot] < cut:
                return False
        return True

    def _apply(self, record: Frame) -> list[Output]:
        match record:
            case Events():
                outputs = []
                for segment in record.segments:
                    outputs += self._apply_segment(segment)
                return outputs
            case Marks():
                return self.core.apply_marks(record.marks, record.evaluate)
            case SessionCut():
                if record.offset < self.positions[self.layout.session]:
                    return []
                session = decode(MARKET_SESSION, record.value)
                if not isinstance(session, Session):
                    raise TypeError(f"a session record holds {type(session).__name__}")
                return self.core.apply_session(session)
            case Lost():
                return [_input_lost(record, self.layout.partition)]

    def _apply_segment(self, segment: Segment) -> list[Output]:
        slot = self.layout.slot(segment.source)
        if slot is None:
            return []
        seen = int(np.searchsorted(segment.offsets, self.positions[slot]))
        if seen == len(segment):
            return []
        return self.core.apply_events(trim(segment, seen) if seen else segment)


def trim(segment: Segment, first: int) -> Segment:
    """The segment without the events before row ``first``."""
    rest = slice(first, None)
    return Segment(
        segment.source,
        segment.offsets[rest],
        segment.timestamps[rest],
        segment.origin_partition[rest],
        segment.origin_offset[rest],
        None if segment.batch is None else segment.batch.take(slice(first, len(segment))),
        segment.values[first:],
    )


def check_genesis(found: Genesis, expected: Genesis) -> None:
    """Raise ForeignLogError if a log begun with ``found`` is not one of the instance ``expected``.

    The uuid may differ.
    """
    for name in ("format", "partitions", "market_partitions", "prefix"):
        if getattr(found, name) != getattr(expected, name):
            raise ForeignLogError(
                f"the log was begun with {name} {getattr(found, name)!r}, "
                f"this instance has {getattr(expected, name)!r}"
            )


def _input_lost(record: Lost, partition: int) -> Output:
    topic, number = record.source
    slot = record.span.sources.index(record.source)
    first, end = record.span.start[slot], record.span.end[slot]
    value = {
        "id": f"input_lost:{partition}:{topic}-{number}:{first}",
        "ts": record.timestamp,
        "kind": "input_lost",
        "shard": partition,
        "text": f"{topic}-{number}: records {first} to {end - 1} were deleted before they were read",
        "figures": {"topic": topic, "partition": number, "first": first, "next": end},
    }
    return Output(SYSTEM_EVENTS, "input_lost", value)
