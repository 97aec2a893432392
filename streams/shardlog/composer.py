"""Composing records of a log from what is buffered: events, marks, session records, and mere moves of
positions.

The stages of a window are written in the order of design, protocol rule 5; each method here writes one
record of one stage, or answers None when more input is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.core import Segment
from agents.market.conflate import merge_marks
from streams.shardlog.merge import Head, Run, merge_heads, pieces_of
from streams.shardlog.positions import Layout, Role
from streams.shardlog.queue import Piece, SourceQueue, whole_records
from streams.shardlog.recent import Recent
from streams.shardlog.records import Events, Frame, Lost, Marks, SessionCut, Span


@dataclass(frozen=True, slots=True)
class Limits:
    """About how much one record carries; a published record is never split, so one record may carry more.

    ``events`` rows, ``size`` bytes of their JSON, ``ticks`` conflated into marks; ``buffered`` rows of one
    source are held at most before its reader should pause.
    """

    events: int = 2_048
    size: int = 512 * 1024
    ticks: int = 65_536
    buffered: int = 4 * 65_536


_merged_marks = Recent(merge_marks)

Cut = Mapping[int, int]
"""Positions by slot; a slot that is not in it is not constrained."""


@dataclass
class Collected:
    """Events on their way into one record."""

    rows: int
    size: int
    segments: list[Segment] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether the record should carry no more."""
        return self.rows <= 0 or self.size <= 0

    def add(self, piece: Piece) -> None:
        """Append a run of events."""
        self.segments.append(piece.input.segment(piece.first, piece.end))
        self.rows -= len(piece)
        self.size -= int(piece.input.sizes[piece.first : piece.end].sum())


class Composer:
    """Writes records of one log; every record moves the queues' positions."""

    def __init__(
        self, layout: Layout, writer: str, attempt: int, positions: Sequence[int], limits: Limits
    ) -> None:
        self.layout = layout
        self.writer = writer
        self.attempt = attempt
        self.limits = limits
        self.queues = [SourceQueue(position) for position in positions]
        self.reference = layout.with_role(Role.REFERENCE)
        self.merged = layout.with_role(Role.MERGED)
        self.market = layout.with_role(Role.MARKET)
        self.others = layout.with_role(Role.ARRIVAL)
        self._market_turn = False

    def window(self, cut: Cut) -> Frame | None:
        """The next record of the window up to the cut, its session record last."""
        stages = (
            (self.reference, self._reference),
            (self.merged, self._merged),
            (self.market, self._market),
            (self.others, self._others),
        )
        for slots, write in stages:
            if any(self.queues[slot].start < cut.get(slot, 0) for slot in slots):
                return write(cut)
        return self._session(cut)

    def on_arrival(self, cut: Cut) -> Frame | None:
        """Whatever the cut does not name and no window holds; events and market in turn."""
        turns = [self._arrived_events, self._arrived_marks]
        if self._market_turn:
            turns.reverse()
        for turn in turns:
            record = turn(cut)
            if record is not None:
                self._market_turn = isinstance(record, Events)
                return record
        before = self.positions()
        for slot, queue in enumerate(self.queues):
            if slot not in cut:
                queue.take(0, queue.barrier(None))  # records without events: rejected, forwarded, missing
        return self._events(before, [])

    def lost(self, slot: int, end: int, timestamp: int) -> Lost:
        """Pass input that does not exist any more."""
        before = self.positions()
        self.queues[slot].take(0, end)
        return Lost(self._span(before), self.layout.sources[slot], timestamp)

    def positions(self) -> tuple[int, ...]:
        """Where the next record continues from."""
        return tuple(queue.start for queue in self.queues)

    def _collected(self) -> Collected:
        return Collected(self.limits.events, self.limits.size)

    def _span(self, before: tuple[int, ...]) -> Span:
        return Span(self.layout.sources, before, self.positions(), self.writer, self.attempt)

    def _events(self, before: tuple[int, ...], segments: Iterable[Segment]) -> Events | None:
        span = self._span(before)
        return Events(span, tuple(segments)) if span.start != span.end else None

    # -- a window --

    def _reference(self, cut: Cut) -> Frame | None:
        before, collected = self.positions(), self._collected()
        for slot in self.reference:
            self._take_to(slot, cut, collected)
            if self.queues[slot].start < cut.get(slot, 0):
                break  # the next topic waits for this one
        return self._events(before, collected.segments)

    def _others(self, cut: Cut) -> Frame | None:
        before, collected = self.positions(), self._collected()
        for slot in self.others:
            self._take_to(slot, cut, collected)
        return self._events(before, collected.segments)

    def _take_to(self, slot: int, cut: Cut, collected: Collected) -> None:
        queue = self.queues[slot]
        if queue.start >= cut.get(slot, 0):
            return
        barrier = queue.barrier(cut[slot])
        while not collected.full and queue.has_rows(barrier):
            self._take_head(queue, barrier, collected)
        if not queue.has_rows(barrier):
            queue.take(0, barrier)

    def _take_head(self, queue: SourceQueue, barrier: int, collected: Collected) -> None:
        piece = queue.gather(barrier, 1)[0]
        rows = whole_records(piece, collected.rows, collected.size)
        collected.add(Piece(piece.input, piece.first, piece.first + rows))
        queue.take(rows, barrier)

    def _merged(self, cut: Cut) -> Frame | None:
        before = self.positions()
        queues = {slot: self.queues[slot] for slot in self.merged if slot in cut}
        barriers = {slot: queue.barrier(cut[slot]) for slot, queue in queues.items()}
        heads, runs = self._merge(cut, barriers)
        collected = self._collected()
        for place, first, end in runs:
            for piece in pieces_of(heads[place], first, end):
                collected.add(piece)
        for (slot, queue), head in zip(queues.items(), heads, strict=True):
            queue.take(head.row, barriers[slot])
        return self._events(before, collected.segments)

    def _merge(self, cut: Cut, barriers: Mapping[int, int]) -> tuple[list[Head], list[Run]]:
        """About a record's worth of the merge.

        Events of a published frame stay together, so if others come between them more must be looked at.
        """
        rows = self.limits.events
        while True:
            heads, partial = [], False
            for slot, barrier in barriers.items():
                queue = self.queues[slot]
                pieces = queue.gather(barrier, rows)
                whole = sum(len(piece) for piece in pieces) == queue.count(barrier)
                heads.append(Head(pieces, whole and barrier >= cut[slot]))
                partial = partial or not whole
            runs = merge_heads(heads, min(_rows_within(head.pieces, self.limits) for head in heads))
            waiting = any(head.exhausted and not head.complete for head in heads)
            if runs or waiting or not partial:
                return heads, runs
            rows *= 4

    def _market(self, cut: Cut) -> Frame | None:
        barriers = {slot: self.queues[slot].barrier(cut[slot]) for slot in self.market if slot in cut}
        pieces = self._market_pieces(barriers)
        windowed = any(_windowed(piece) for run in pieces.values() for piece in run)
        whole = all(barrier >= cut[slot] for slot, barrier in barriers.items())
        rows = sum(self.queues[slot].count(barrier) for slot, barrier in barriers.items())
        if windowed and not whole and rows < min(self.limits.ticks, self.limits.buffered):
            return None  # fewer and larger records; marks may be split, so this is only thrift
        return self._marks(barriers, pieces, evaluate=not windowed)

    def _session(self, cut: Cut) -> Frame | None:
        queue = self.queues[self.layout.session]
        if not queue.has_rows(queue.barrier(queue.end)):
            return None
        before = self.positions()
        data, row = queue.first_row()
        offset = int(data.offsets[row])
        queue.take(1, offset + 1)
        vector = tuple(cut.get(slot, 0) for slot in range(len(self.layout)))
        return SessionCut(self._span(before), offset, int(data.timestamps[row]), data.values[row], vector)

    # -- on arrival --

    def _arrived_events(self, cut: Cut) -> Frame | None:
        before, collected = self.positions(), self._collected()
        slots = [slot for slot in (*self.reference, *self.merged, *self.others) if slot not in cut]
        barriers = {slot: self.queues[slot].barrier(None) for slot in slots}
        while not collected.full:
            ready = [slot for slot in slots if self.queues[slot].has_rows(barriers[slot])]
            if not ready:
                break
            first = min(ready, key=lambda slot: self.queues[slot].chunks[0].arrival)
            self._take_head(self.queues[first], barriers[first], collected)
        return self._events(before, collected.segments)

    def _arrived_marks(self, cut: Cut) -> Frame | None:
        barriers = {slot: self.queues[slot].barrier(None) for slot in self.market if slot not in cut}
        pieces = self._market_pieces(barriers)
        return self._marks(barriers, pieces, evaluate=True) if any(pieces.values()) else None

    # -- marks --

    def _market_pieces(self, barriers: Mapping[int, int]) -> dict[int, list[Piece]]:
        share = max(1, self.limits.ticks // max(1, len(barriers)))
        return {slot: self.queues[slot].gather(barrier, share) for slot, barrier in barriers.items()}

    def _marks(
        self, barriers: Mapping[int, int], pieces: Mapping[int, list[Piece]], evaluate: bool
    ) -> Frame | None:
        before = self.positions()
        parts = []
        for slot, run in pieces.items():
            parts += [piece.input.marks(piece.first, piece.end) for piece in run]
            self.queues[slot].take(sum(len(piece) for piece in run), barriers[slot])
        if not parts:
            return self._events(before, [])
        return Marks(self._span(before), _merged_marks(parts), evaluate)


def _windowed(piece: Piece) -> bool:
    return bool(piece.input.windows[piece.first : piece.end].any())


def _rows_within(pieces: Sequence[Piece], limits: Limits) -> int:
    """How many rows from the head of a source make one record."""
    sizes = [piece.input.sizes[piece.first : piece.end] for piece in pieces]
    if not sizes:
        return limits.events
    total = np.cumsum(np.concatenate(sizes)[: limits.events])
    within = int(np.searchsorted(total, limits.size, side="right"))
    return limits.events if within == len(total) else max(1, within)
