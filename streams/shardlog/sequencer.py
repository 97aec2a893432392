"""The sequencer of one log: what comes next, live on arrival, in a replay window by window.

There is no switch between the two. A source whose head carries the header `window` is held until the cut of
a session record covers it; everything else goes out as it arrives. Under a cut the sources it names go only
up to it, in the order of a window: reference data, merged sources, market, then the session record (design,
protocol rules 3 to 5).

One append is in flight: `next_record` answers None until `acknowledged`. After `restart` everything goes on
from the positions given (the fold's), and the caller reads its sources again from `wanted`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from agents.core import Output, Source
from agents.dead_letters import Origin, letter
from schemas.topics import MARKET_SESSION
from streams.shardlog.composer import Composer, Limits
from streams.shardlog.inputs import Input
from streams.shardlog.positions import Layout, parse_cut
from streams.shardlog.queue import SourceQueue
from streams.shardlog.records import Frame, SessionCut

DEFAULT_LIMITS = Limits()


class Sequencer:
    """Turns what was read from a log's sources into records of the log, one at a time."""

    def __init__(
        self, layout: Layout, writer: str, positions: Sequence[int], limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.layout = layout
        self.writer = writer
        self.limits = limits
        self.attempt = -1
        self.restart(positions)

    def restart(self, positions: Sequence[int]) -> None:
        """Forget what is buffered and in flight and go on from ``positions``."""
        self.attempt += 1
        self._composer = Composer(self.layout, self.writer, self.attempt, positions, self.limits)
        self._queues = self._composer.queues
        self._lost: dict[int, tuple[int, int, int]] = {}
        self._cut: dict[int, int] | None = None
        self._asked: int | None = None
        self._window_begun = False
        self._arrivals = 0
        self.in_flight: Frame | None = None

    # -- what is read --

    def wanted(self) -> dict[Source, int]:
        """The next offset to read of every source."""
        return {source: queue.end for source, queue in zip(self.layout.sources, self._queues, strict=True)}

    def has_room(self, source: Source) -> bool:
        """Whether more of a source may be read now; if not, pause its reader.

        What waits for a cut is not enough until the cut is known and reached, however much it is.
        """
        slot = self._slot(source)
        queue = self._queues[slot]
        if queue.rows < self.limits.buffered:
            return True
        cut = self._cut
        if cut is None:
            if queue.has_rows(queue.barrier(None)):
                return False
            explicit = self._explicit_cut() if self._session_ready() else None
            cut = explicit if isinstance(explicit, dict) else {}
        return queue.end < cut.get(slot, queue.end + 1)

    def take(self, data: Input, pending: Iterable[int] = ()) -> bool:
        """Buffer what was read; what lies before `wanted` is dropped.

        ``pending`` are offsets of records that were forwarded or dead-lettered and are not acknowledged
        yet: no frame passes them before `release`. False if the input begins beyond `wanted`: the reader
        must go back.
        """
        queue = self._queue(data.source)
        before = queue.end
        self._arrivals += 1
        if not queue.push(data, self._arrivals):
            return False
        queue.hold(offset for offset in pending if offset >= before)
        return True

    def release(self, source: Source, offset: int) -> None:
        """A forwarded or dead-lettered record is acknowledged."""
        self._queue(source).release(offset)

    def lose(self, source: Source, earliest: int, timestamp: int) -> None:
        """Retention deleted what lies between `wanted` and ``earliest``: pass it with an explicit record."""
        slot = self._slot(source)
        queue = self._queues[slot]
        if earliest > queue.end:
            self._lost[slot] = (queue.end, earliest, timestamp)
            queue.skip_to(earliest)

    # -- cuts --

    def needs_ends(self) -> bool:
        """Whether a session record waits for end offsets: to take its cut from, or to check it."""
        if self._cut is not None or not self._session_ready() or self._covered():
            return False
        self._asked = self._queues[self.layout.session].next_offset()
        return True

    def _covered(self) -> bool:
        """Take the cut that the session record brings, if what was read covers it."""
        explicit = self._explicit_cut()
        if not isinstance(explicit, dict):
            return False
        if any(self._queues[slot].end < cut for slot, cut in explicit.items()):
            return False
        self._cut = explicit
        return True

    def given_cut(self) -> int | None:
        """Offset of the session record at the head if it brings a cut of its own, else None."""
        if self._cut is not None or not self._session_ready() or self._explicit_cut() is None:
            return None
        return self._queues[self.layout.session].next_offset()

    def live_settled(self) -> int | None:
        """Offset of the session record at the head if it is a `settled` that brings no cut, else None."""
        if self._cut is not None or not self._session_ready():
            return None
        data, row = self._queues[self.layout.session].first_row()
        session = orjson.loads(data.values[row])
        if session["phase"] != "settled" or session.get("cut") is not None:
            return None
        return int(data.offsets[row])

    def meet(self, ends: Mapping[Source, int]) -> Output | None:
        """Fix the cut of the session record at the head, given end offsets fetched after `needs_ends`.

        Live the end offsets are the cut. A cut of its own beyond them is a bad record: its dead letter is
        returned, and the record is passed once `release` says that the letter is acknowledged. If another
        record has come to the head since, the ends may be too old for it and are ignored.
        """
        if self._cut is not None or not self._session_ready():
            return None
        asked, self._asked = self._asked, None
        if asked != self._queues[self.layout.session].next_offset():
            return None
        explicit = self._explicit_cut()
        if explicit is None:
            named = ((self.layout.slot(source), end) for source, end in ends.items())
            self._cut = {slot: end for slot, end in named if slot is not None and slot != self.layout.session}
            return None
        if isinstance(explicit, dict):
            beyond = [s for s, cut in explicit.items() if cut > ends.get(self.layout.sources[s], cut)]
            if not beyond:
                self._cut = explicit
                return None
            topic, partition = self.layout.sources[beyond[0]]
            explicit = f"{topic}-{partition} is beyond the end of the partition"
        return self._refuse_session(explicit)

    def _slot(self, source: Source) -> int:
        slot = self.layout.slot(source)
        if slot is None:
            raise KeyError(
                f"partition {self.layout.partition} of the log does not read {source[0]}-{source[1]}"
            )
        return slot

    def _queue(self, source: Source) -> SourceQueue:
        return self._queues[self._slot(source)]

    def _session_ready(self) -> bool:
        queue = self._queues[self.layout.session]
        return queue.has_rows(queue.barrier(queue.end))

    def _explicit_cut(self) -> dict[int, int] | str | None:
        data, row = self._queues[self.layout.session].first_row()
        cut = orjson.loads(data.values[row]).get("cut")
        if cut is None:
            return None
        try:
            named = parse_cut(cut)
        except ValueError as error:
            return str(error)
        slots = ((self.layout.slot(source), offset) for source, offset in named.items())
        return {slot: offset for slot, offset in slots if slot is not None and slot != self.layout.session}

    def _refuse_session(self, reason: str) -> Output:
        data, row = self._queues[self.layout.session].first_row()
        origin = Origin(
            MARKET_SESSION,
            int(data.origin_partition[row]),
            int(data.origin_offset[row]),
            int(data.timestamps[row]),
        )
        self._queues[self.layout.session].drop_row()
        return letter(origin, "cut", reason, data.values[row])

    # -- what is written --

    def next_record(self) -> Frame | None:
        """The next record to append, or None: one is in flight, or there is nothing to write yet."""
        if self.in_flight is not None:
            return None
        self.in_flight = self._choose()
        if isinstance(self.in_flight, SessionCut):
            self._window_begun = False
        return self.in_flight

    def acknowledged(self) -> None:
        """The record in flight is in the log."""
        self.in_flight = None

    def _choose(self) -> Frame | None:
        for slot, (first, end, timestamp) in self._lost.items():
            if self._queues[slot].start == first:
                del self._lost[slot]
                self._queues[slot].release(first)
                return self._composer.lost(slot, end, timestamp)
        if self._cut is None and self._session_ready():
            self._covered()
        if self._cut is None:
            return self._composer.on_arrival({})
        if not self._window_begun:
            # Once a window, so that a stream of windows cannot starve what no cut names.
            self._window_begun = True
            record = self._composer.on_arrival(self._cut)
            if record is not None:
                return record
        record = self._composer.window(self._cut)
        if isinstance(record, SessionCut):
            self._cut = None
        return record or self._composer.on_arrival(self._cut or {})
