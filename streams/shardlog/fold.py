"""The fold of one log: the only way in which a core's state changes.

State, positions and outputs are a pure function of a prefix of the log (design, protocol rules 1 to 4, 11,
12).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from agents.core import Core, Output, Segment
from schemas import decode
from schemas.market import Session
from streams.shardlog.positions import SESSION, Layout
from streams.shardlog.records import Claim, Events, Frame, Genesis, Lost, Marks, Record, SessionCut, Span

SYSTEM_EVENTS = "system.events"


class Effect(Enum):
    """What a record did to the fold."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It moved no position (or repeats a genesis or a claim): no effect at all."""
    IGNORED = "ignored"
    """A gap: it begins beyond the positions, or a session record's cut is not reached yet."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one record."""

    effect: Effect
    outputs: list[Output] = field(default_factory=list)


class ForeignLogError(ValueError):
    """The log belongs to another instance.

    Other partition counts, another prefix, or it does not begin with a genesis.
    """


class Fold:
    """One core with the positions, the genesis and the claims that its log has reached.

    ``offset`` is the log offset to apply next. ``expected`` describes this instance; a log whose genesis
    differs from it (the uuid apart) raises ForeignLogError.
    """

    def __init__(self, core: Core, layout: Layout, expected: Genesis | None = None) -> None:
        self.core = core
        self.layout = layout
        self.expected = expected
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
        return Applied(Effect.APPLIED)

    def _frame(self, record: Frame) -> Applied:
        self._need_genesis()
        moves = self._moves(record.span)
        if moves is None or not self._reached_cut(record):
            return Applied(Effect.IGNORED)
        if not moves:
            return Applied(Effect.REPEATED)
        outputs = self._apply(record)
        for slot, end in moves:
            self.positions[slot] = end
        return Applied(Effect.APPLIED, outputs)

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
                session = decode(SESSION, record.value)
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
