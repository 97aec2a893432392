"""Planted faults: each breaks one rule of the protocol, and the simulation must notice.

A fault is a function that patches the real code by pytest's monkeypatch. `MODES` names the histories in
which it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas import decode
from schemas.topics import MARKET_SESSION
from streams.shardlog import composer, merge, queue, sequencer
from streams.shardlog.fold import Applied, Effect, Fold
from streams.shardlog.records import Claim, SessionCut
from streams.shardlog.unit import Phase, Unit
from tests.simulation import toy

Plant = Callable[[pytest.MonkeyPatch], None]


def early_checkpoint(patch: pytest.MonkeyPatch) -> None:
    """A checkpoint becomes visible before the outputs of its prefix are acknowledged (decision 4)."""
    patch.setattr(Unit, "is_valid", lambda self, checkpoint: True)


def nothing_skipped(patch: pytest.MonkeyPatch) -> None:
    """The fold applies events before its positions again (rule 2)."""
    patch.setattr(Fold, "_apply_segment", lambda self, segment: self.core.apply_events(segment))


def repeated_frames_count(patch: pytest.MonkeyPatch) -> None:
    """A frame that moves no position is applied all the same and evaluates once more (rule 2)."""
    original = Fold._frame

    def apply_frame(self: Fold, record: Any) -> Applied:
        applied = original(self, record)
        if applied.effect is not Effect.REPEATED:
            return applied
        if isinstance(record, SessionCut):
            return Applied(Effect.APPLIED, self.core.apply_session(decode(MARKET_SESSION, record.value)))
        return Applied(Effect.APPLIED, self._apply(record))

    patch.setattr(Fold, "_frame", apply_frame)


def gaps_applied(patch: pytest.MonkeyPatch) -> None:
    """A frame that begins beyond the positions is applied (rule 3)."""
    original = Fold._moves

    def moves(self: Fold, span: Any) -> Any:
        return original(
            self, type(span)(span.sources, (0,) * len(span.start), span.end, span.writer, span.attempt)
        )

    patch.setattr(Fold, "_moves", moves)


def no_way_back(patch: pytest.MonkeyPatch) -> None:
    """A writer whose frame was ignored does not go back to the fold's positions (rule 3)."""
    patch.setattr(Unit, "_own_ignored", lambda self, record: None)


def marks_by_arrival(patch: pytest.MonkeyPatch) -> None:
    """The last observation to arrive wins, not the latest one (contract section 3)."""
    patch.setattr(
        toy.Marks, "take_price", lambda self, name, key, price: self.price.update({name: (key, price)})
    )


def sorted_window(patch: pytest.MonkeyPatch) -> None:
    """A window is merged without waiting for the heads of all sources (rule 5)."""
    original = merge.Head.__post_init__

    def complete(self: merge.Head) -> None:
        original(self)
        self.complete = True

    patch.setattr(merge.Head, "__post_init__", complete)


def windows_on_arrival(patch: pytest.MonkeyPatch) -> None:
    """Events of a replay are sequenced before a cut covers them (rule 5)."""
    patch.setattr(queue.SourceQueue, "_first_windowed", lambda self: self.end)


def windows_evaluate(patch: pytest.MonkeyPatch) -> None:
    """The marks of a window evaluate, however they are split (rule 5)."""
    patch.setattr(composer, "_windowed", lambda piece: False)


def holes_in_the_market(patch: pytest.MonkeyPatch) -> None:
    """The market reader does not go back for a shard that is behind (rule 6)."""
    original = queue.SourceQueue.push

    def push(self: queue.SourceQueue, data: Any, arrival: int) -> bool:
        if (
            data.start > self.end
            and data.source[0].startswith("market.")
            and data.source[0] != "market.session"
        ):
            self.end = data.start
        return original(self, data, arrival)

    patch.setattr(queue.SourceQueue, "push", push)


def silent_recovery(patch: pytest.MonkeyPatch) -> None:
    """What lies between checkpoint and claim is applied without being published again (rule 6)."""
    original = Unit.apply

    def apply(self: Unit, offset: int, record: Any) -> Applied | None:
        waiting = len(self.outbox._waiting)
        applied = original(self, offset, record)
        while self.epoch is None and len(self.outbox._waiting) > waiting:
            self.outbox._waiting.pop()
        return applied

    patch.setattr(Unit, "apply", apply)


def every_copy_of_a_claim_counts(patch: pytest.MonkeyPatch) -> None:
    """A late copy of an old claim fences the owner, who does not look at nonces (rule 7)."""

    def claim(self: Fold, record: Claim) -> Applied:
        self._need_genesis()
        return Applied(Effect.APPLIED)

    patch.setattr(Fold, "_claim", claim)


def fenced_worker_goes_on(patch: pytest.MonkeyPatch) -> None:
    """A fenced worker applies on, unpublished, and takes the partition up again from there (rule 7)."""
    original = Unit.apply

    def apply(self: Unit, offset: int, record: Any) -> Applied | None:
        if self.phase is Phase.FENCED:
            return self.fold.apply(offset, record)
        return original(self, offset, record)

    patch.setattr(Unit, "apply", apply)


def forwarded_too_late(patch: pytest.MonkeyPatch) -> None:
    """A frame passes a stray event before its copy is acknowledged (rule 9)."""
    patch.setattr(queue.SourceQueue, "hold", lambda self, offsets: None)


def cut_of_what_was_read(patch: pytest.MonkeyPatch) -> None:
    """A live cut is what the worker happens to have read, not the end offsets (rule 4)."""
    original = sequencer.Sequencer.meet

    def meet(self: sequencer.Sequencer, ends: Any) -> Any:
        return original(self, self.wanted())

    patch.setattr(sequencer.Sequencer, "meet", meet)


def positions_of_the_reader(patch: pytest.MonkeyPatch) -> None:
    """After a failure sequencing goes on from what was read, not from the fold (rules 3 and 6)."""

    def restart(self: Unit) -> None:
        self._in_flight = None
        if self._sequencer is not None:
            self._sequencer.restart(list(self._sequencer.wanted().values()))

    patch.setattr(Unit, "restart", restart)


def published_frames_split(patch: pytest.MonkeyPatch) -> None:
    """Events of one published record end up in two log records, of which the first passes its offset."""
    patch.setattr(composer, "whole_records", lambda piece, rows, size: min(rows, len(piece)))


LIVE: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        early_checkpoint,
        nothing_skipped,
        gaps_applied,
        no_way_back,
        marks_by_arrival,
        holes_in_the_market,
        silent_recovery,
        every_copy_of_a_claim_counts,
        fenced_worker_goes_on,
        forwarded_too_late,
        cut_of_what_was_read,
        positions_of_the_reader,
        published_frames_split,
    )
}
REPLAY: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (repeated_frames_count, sorted_window, windows_on_arrival, windows_evaluate)
}
