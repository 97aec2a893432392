"""The records of a shard's log. Their bytes are described in `streams.shardlog.encoding`.

Every record that carries input is a *frame*: it names, for every source of the log, the position it
continues from and the position it leads to (design, protocol rule 1). `writer` is the nonce of the claim it
was written under, `attempt` counts how often that writer went back to the fold's positions: by both a
writer recognises its own current frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.core import Segment, Source

if TYPE_CHECKING:
    from schemas.batches import MarkBatch

LOG_FORMAT = 3
"""Version of the records' bytes and of their meaning; part of the genesis."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """Names the log: only the first one counts (protocol rule 11)."""

    uuid: str
    partitions: int
    market_partitions: int
    prefix: str
    format: int = LOG_FORMAT


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker takes the partition: only the first copy of a nonce counts, its offset is the epoch (rule 7).

    ``web`` is the address at which the worker answers questions about the shard's accounts. ``rules`` says by
    which rules and settings its core judges, ``since`` from which log offset on it applies the log by them:
    the offset of the checkpoint it started from (see `streams.shardlog.fold` about a change of rules).
    """

    nonce: str
    worker: str
    web: str
    rules: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """What a frame moves: positions continued from and led to, aligned with ``sources``."""

    sources: tuple[Source, ...]
    start: tuple[int, ...]
    end: tuple[int, ...]
    writer: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one or more sources, in the order in which they apply.

    Without segments it only moves positions.
    """

    span: Span
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """Conflated market data. ``evaluate`` is set live; in a window of a replay the clock evaluates."""

    span: Span
    marks: MarkBatch
    evaluate: bool


@dataclass(frozen=True, slots=True)
class SessionCut:
    """One record of `market.session` and the positions its log must reach before it applies (rule 4)."""

    span: Span
    offset: int
    timestamp: int
    value: bytes
    cut: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Input of one source that retention deleted before it was read.

    Passed only in this explicit way (rule 11).
    """

    span: Span
    source: Source
    timestamp: int


Frame = Events | Marks | SessionCut | Lost
Record = Genesis | Claim | Frame
