"""What a state machine is here, and what goes in and out of it.

A core is pure and synchronous: it takes runs of events in one fixed order and answers with outputs as data.
It knows no clock, no randomness and no network; time is in the events. The worker, the offline run, the
random simulator and a notebook drive the very same cores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from schemas.batches import AccountBatch, MarkBatch
    from schemas.market import Session

Source = tuple[str, int]
"""Logical topic name (without the instance's prefix) and partition."""

Snapshot = dict[str, "bytes | NDArray[Any]"]
"""A core's whole state: named arrays and byte strings."""

StateRow = tuple[str, str, bytes]
"""One row of the state hash: ("account" | "security" | ..., name, canonical bytes without offsets and
partitions)."""


@dataclass(frozen=True, slots=True)
class Output:
    """One record a core wants published.

    ``topic`` is a logical name, ``key`` the record's key, ``value`` ready for JSON (strings, ints, lists,
    dicts, booleans, None). Values are pure functions of the state: a repetition after a crash is byte for
    byte the same.
    """

    topic: str
    key: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of events of one source in source order, trimmed to those the core has not seen.

    Row i of every column is event i. ``offsets`` int64[n], never falling (events of one published frame
    share an offset); ``timestamps`` int64[n], the records' own Kafka time in ms; ``origin_partition``
    int32[n] and ``origin_offset`` int64[n] differ from source and offsets for an event that reached this
    partition by forwarding. Account events come as ``batch``; every other topic as ``values``, raw JSON
    that the edge has validated.
    """

    source: Source
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    origin_partition: NDArray[np.int32]
    origin_offset: NDArray[np.int64]
    batch: AccountBatch | None = None
    values: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def topic(self) -> str:
        """Logical topic of the events."""
        return self.source[0]

    def raw(self, row: int) -> bytes:
        """The JSON bytes of event ``row`` as they were published."""
        if self.batch is None:
            return self.values[row]
        return self.batch.raw_of(row)


class Core(Protocol):
    """A state machine folded over one log (one shard of accounts, or the firm's financing figures)."""

    def apply_events(self, segment: Segment) -> list[Output]:
        """Apply events of one source in order. Expected faults become dead letters among the outputs."""
        ...

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:
        """Take newer observations (an older one never comes back); with ``evaluate``, evaluate what they
        touched."""
        ...

    def apply_session(self, session: Session) -> list[Output]:
        """Apply a session phase or a clock; a clock evaluates."""
        ...

    def snapshot(self) -> Snapshot:
        """The whole state, in copies that later events do not change."""
        ...

    def restore(self, snapshot: Mapping[str, bytes | NDArray[Any]]) -> None:
        """Become the state that ``snapshot`` describes."""
        ...

    def state_rows(self) -> Iterable[StateRow]:
        """Rows of the state hash. The same row may come from several shards (a mark): it counts once."""
        ...
