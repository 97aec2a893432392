"""A sequencer and a fold joined without a broker: every record is applied as soon as it is composed.

The offline run and notebooks use it; the records, their order and what comes of them are those of a replay
through Kafka, because sequencer and fold are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents.core import Core, Source
from streams.shardlog.fold import Fold
from streams.shardlog.inputs import Input
from streams.shardlog.outbox import Outgoing
from streams.shardlog.positions import Layout
from streams.shardlog.records import Genesis
from streams.shardlog.sequencer import Sequencer


class LocalLog:
    """One log in memory of which only the fold is kept."""

    def __init__(self, core: Core, layout: Layout, genesis: Genesis) -> None:
        self.fold = Fold(core, layout, genesis)
        self.fold.apply(0, genesis)
        self.sequencer = Sequencer(layout, "local", self.fold.positions)

    def take(self, data: Input) -> None:
        """Buffer input that continues at the source's position. Raises ValueError if it leaves a gap."""
        if not self.sequencer.take(data):
            raise ValueError(
                f"{data.source[0]}-{data.source[1]} goes on at {data.start}: records are missing before it"
            )

    def drain(self, ends: Mapping[Source, int] | None = None) -> Iterable[Outgoing]:
        """Apply all that can be applied and yield the outputs.

        Without ``ends``, what was taken is all there is.
        """
        while True:
            if self.sequencer.needs_ends():
                refused = self.sequencer.meet(self.sequencer.wanted() if ends is None else ends)
                if refused is not None:
                    session = self.fold.layout.sources[self.fold.layout.session]
                    self.sequencer.release(session, refused.value["offset"])
                    yield Outgoing(self.fold.offset, 0, refused)
            record = self.sequencer.next_record()
            if record is None:
                return
            offset = self.fold.offset
            applied = self.fold.apply(offset, record)
            self.sequencer.acknowledged()
            for place, output in enumerate(applied.outputs):
                yield Outgoing(offset, place, output)
