"""One worker's hold on one partition of `shard.log`: claim, append, read back, publish, checkpoint.

A unit is driven from outside and does no input or output itself. It applies only what it reads back from
the log. It is in one of three phases (design, protocol rules 6 and 7):

 - CLAIMING: it reads the log from its checkpoint on and waits for the first copy of its own claim. What it
   applies on the way is published again, all of it;
 - ACTIVE: its claim's offset is the epoch; it sequences, applies, publishes and checkpoints;
 - FENCED: it read a later claim of somebody else, and applies, publishes, appends and checkpoints nothing
   beyond it. Whoever knows that the partition is still assigned to this worker calls `reclaim`; else the
   unit is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from agents.core import Core, Output, Source
from streams.shardlog.checkpoint import Checkpoint, restore_fold, take_checkpoint
from streams.shardlog.composer import Limits
from streams.shardlog.encoding import decode_record, encode_record
from streams.shardlog.fold import Applied, Effect, Fold
from streams.shardlog.inputs import Input
from streams.shardlog.outbox import Outbox, Outgoing
from streams.shardlog.positions import Layout
from streams.shardlog.records import Claim, Frame, Genesis, Record
from streams.shardlog.sequencer import DEFAULT_LIMITS, Sequencer


class Phase(Enum):
    """Where a unit stands with its claim."""

    CLAIMING = "claiming"
    ACTIVE = "active"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Append:
    """Bytes to append to the log.

    Repeat them until they are acknowledged, then call `Unit.appended(token)`.
    """

    token: int
    data: bytes


class Unit:
    """The state machine of one partition at one worker.

    ``genesis`` describes this instance and is written if the log is found empty; its uuid must be fresh.
    ``claim`` carries a fresh nonce and the rules by which the core judges; the unit says since when.
    ``checkpoint`` is the newest valid one; the core must be empty and becomes its state. Raises
    ForeignLogError when the checkpoint belongs to another log or instance. Reading raises OtherRulesError
    where the log must be applied by other rules, or a claim of this unit does not count because of them.
    """

    def __init__(
        self,
        core: Core,
        layout: Layout,
        genesis: Genesis,
        claim: Claim,
        *,
        checkpoint: Checkpoint | None = None,
        log_is_empty: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.fold = Fold(core, layout, genesis, claim.rules)
        if checkpoint is not None:
            restore_fold(self.fold, checkpoint)
        self.claim = replace(claim, since=self.fold.offset)
        self.limits = limits
        self.phase = Phase.CLAIMING
        self.epoch: int | None = None
        self.outbox = Outbox()
        self._sequencer: Sequencer | None = None
        self._founding = genesis if log_is_empty else None
        self._to_append: list[Genesis | Claim] = self._first_records()
        self._in_flight: Append | None = None
        self._token = 0

    # -- the log --

    @property
    def log_position(self) -> int:
        """The log offset to read next."""
        return self.fold.offset

    def read(self, offset: int, data: bytes) -> Applied | None:
        """Apply the log's record at ``offset``. None when fenced: nothing is applied, stop reading."""
        return self.apply(offset, decode_record(data))

    def apply(self, offset: int, record: Record) -> Applied | None:
        """The same for a record that is decoded already."""
        if self.phase is Phase.FENCED:
            return None
        applied = self.fold.apply(offset, record)
        if isinstance(record, Claim):
            self._read_claim(offset, record, applied.effect)
        elif applied.effect is Effect.IGNORED:
            self._own_ignored(record)
        self.outbox.put(offset, applied.outputs)
        return applied

    def _read_claim(self, offset: int, record: Claim, effect: Effect) -> None:
        if effect is Effect.IGNORED and record.nonce == self.claim.nonce:
            raise self.fold.other_rules()
        if effect is not Effect.APPLIED:
            return
        if record.nonce == self.claim.nonce:
            self.epoch = offset
            self.phase = Phase.ACTIVE
            self._in_flight = None
            self._sequencer = Sequencer(self.fold.layout, self.claim.nonce, self.fold.positions, self.limits)
        elif self.epoch is not None:
            self.phase = Phase.FENCED
            self._drop_sequencer()

    def _own_ignored(self, record: Record) -> None:
        """A frame of ours met a gap: go back to the fold's positions, once for each attempt."""
        sequencer = self._sequencer
        if sequencer is None or isinstance(record, Genesis | Claim):
            return
        if record.span.writer == sequencer.writer and record.span.attempt == sequencer.attempt:
            self.restart()

    def next_append(self) -> Append | None:
        """What to append next; None when an append is in flight or there is nothing to write."""
        if self._in_flight is not None:
            return None
        record: Genesis | Claim | Frame | None = None
        if self._to_append:
            record = self._to_append.pop(0)
        elif self._sequencer is not None:
            record = self._sequencer.next_record()
        if record is None:
            return None
        self._token += 1
        self._in_flight = Append(self._token, encode_record(record))
        return self._in_flight

    def appended(self, token: int) -> None:
        """An append is acknowledged; a late word about one that was given up is ignored."""
        if self._in_flight is None or self._in_flight.token != token:
            return
        self._in_flight = None
        if self._sequencer is not None and self._sequencer.in_flight is not None:
            self._sequencer.acknowledged()

    def append_failed(self, token: int) -> None:
        """An append will not be repeated any more (it may be in the log all the same).

        Go back to the fold's positions.
        """
        if self._in_flight is None or self._in_flight.token != token:
            return
        if self._sequencer is not None:
            self.restart()
        else:
            self._in_flight = None
            self._to_append = self._first_records()

    def restart(self) -> None:
        """Sequence from the fold's positions again: the sources must be read again from `wanted`."""
        self._in_flight = None
        if self._sequencer is not None:
            self._sequencer.restart(self.fold.positions)

    def reclaim(self, nonce: str) -> None:
        """Claim again, going on from memory, unsent outputs included."""
        self.claim = replace(self.claim, nonce=nonce, since=self.fold.offset)
        self.phase = Phase.CLAIMING
        self.epoch = None
        self._drop_sequencer()
        self._to_append = self._first_records()

    def _first_records(self) -> list[Genesis | Claim]:
        """The claim, after a genesis as long as none has been seen in a log that was found empty."""
        if self._founding is None or self.fold.genesis is not None:
            return [self.claim]
        return [self._founding, self.claim]

    def _drop_sequencer(self) -> None:
        self._sequencer = None
        self._to_append = []
        self._in_flight = None

    # -- the sources --

    @property
    def attempt(self) -> int:
        """How often the sequencer went back to the fold's positions under this claim; -1 without one."""
        return -1 if self._sequencer is None else self._sequencer.attempt

    def wanted(self) -> dict[Source, int]:
        """The next offset to read of every source; empty unless active."""
        return {} if self._sequencer is None else self._sequencer.wanted()

    def has_room(self, source: Source) -> bool:
        """Whether more of a source may be read now; if not, pause its reader."""
        return self._sequencer is not None and self._sequencer.has_room(source)

    def take(self, data: Input, pending: Iterable[int] = ()) -> bool:
        """Buffer what was read (see `Sequencer.take`). False if not active or if the reader must go back."""
        return self._sequencer is not None and self._sequencer.take(data, pending)

    def release(self, source: Source, offset: int) -> None:
        """A record given as pending to `take` is forwarded, or its dead letter is out, and acknowledged."""
        if self._sequencer is not None:
            self._sequencer.release(source, offset)

    def lose(self, source: Source, earliest: int, timestamp: int) -> None:
        """Retention deleted a source's records before ``earliest``.

        ``timestamp`` in ms is that of the first one left.
        """
        if self._sequencer is not None:
            self._sequencer.lose(source, earliest, timestamp)

    def needs_ends(self) -> bool:
        """Whether a session record waits for `meet` with end offsets fetched from now on."""
        return self._sequencer is not None and self._sequencer.needs_ends()

    def given_cut(self) -> int | None:
        """Offset of the session record that waits, if it brings a cut of its own (see `needs_ends`)."""
        return None if self._sequencer is None else self._sequencer.given_cut()

    def live_settled(self) -> int | None:
        """Offset of the session record that waits, if it is a `settled` without a cut of its own."""
        return None if self._sequencer is None else self._sequencer.live_settled()

    def meet(self, ends: Mapping[Source, int]) -> Output | None:
        """Fix a session record's cut; a dead letter comes back for a bad one (see `Sequencer.meet`)."""
        return None if self._sequencer is None else self._sequencer.meet(ends)

    # -- outputs and checkpoints --

    def send(self, limit: int) -> list[Outgoing]:
        """The next outputs to publish, in order; nothing when fenced."""
        return [] if self.phase is Phase.FENCED else self.outbox.send(limit)

    def begin_checkpoint(self) -> Checkpoint | None:
        """The state now, if active. It must not become visible before `is_valid`."""
        if self.phase is not Phase.ACTIVE or self.epoch is None:
            return None
        return take_checkpoint(self.fold, self.epoch)

    def is_valid(self, checkpoint: Checkpoint) -> bool:
        """Whether every output of the checkpoint's prefix is acknowledged, and nobody fenced us."""
        return self.phase is not Phase.FENCED and self.outbox.acknowledged_before(checkpoint.offset)
