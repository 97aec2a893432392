"""Which sources a log is made of, and vectors of positions over them.

A position is the consumer's: the next offset to read. Rejected records and holes in the offsets count as
read. `shard.log` has N + 1 partitions: partition k < N is the log of the accounts of shard k, partition N
the *firm log* that the financing core folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from agents.core import Source
from schemas.topics import (
    ACCOUNT_EVENTS,
    ACCOUNT_ORDERS,
    FIRM_TOTALS,
    MARKET_SESSION,
    SECURITY_SIGNALS,
    SHARD_TOTALS,
    TOPICS,
)

MARKET_TOPICS = ("market.trades", "market.quotes")
ROUTED_REFERENCE = "reference.custody"
"""Routed by account like account events: shard k reads partition k."""


class Role(IntEnum):
    """How a source takes part in a window; windows are written in this order (design, protocol rule 5)."""

    REFERENCE = 0
    """Topic by topic in the registry's order, each in offset order."""
    MERGED = 1
    """Merged with the other merged sources by event time at their heads."""
    MARKET = 2
    """Conflated to marks."""
    SESSION = 3
    """The cuts themselves."""
    ARRIVAL = 4
    """Sequenced on arrival, between windows too."""


ACCOUNT_SOURCES = (ACCOUNT_EVENTS, ACCOUNT_ORDERS)
"""Topics of which shard k reads partition k."""
RETURNED_SOURCES = (SECURITY_SIGNALS, FIRM_TOTALS)
"""What the financing core says to every shard: of one partition, acknowledged before a day's `day_final`."""
SHARED_SOURCES = ("commands", *RETURNED_SOURCES)
"""Topics of one partition that every shard reads and merges with its account events."""


@dataclass(frozen=True)
class Layout:
    """The sources of one log in a fixed order, with their roles. Vectors of positions follow this order."""

    partition: int
    sources: tuple[Source, ...]
    roles: tuple[Role, ...]

    @cached_property
    def _index(self) -> dict[Source, int]:
        return {source: i for i, source in enumerate(self.sources)}

    @cached_property
    def session(self) -> int:
        """Slot of `market.session`."""
        return self.roles.index(Role.SESSION)

    def __len__(self) -> int:
        return len(self.sources)

    def slot(self, source: Source) -> int | None:
        """The place of a source in the vectors; None if this log does not read it."""
        return self._index.get(source)

    def with_role(self, role: Role) -> tuple[int, ...]:
        """The slots of one role, in order."""
        return tuple(i for i, own in enumerate(self.roles) if own is role)

    def vector(self, positions: Mapping[Source, int]) -> tuple[int, ...]:
        """Positions as a vector; a source that is not named stands at 0."""
        return tuple(positions.get(source, 0) for source in self.sources)

    def named(self, vector: Sequence[int]) -> dict[Source, int]:
        """A vector as positions by source."""
        return dict(zip(self.sources, vector, strict=True))


def _reference() -> list[Source]:
    return [(name, 0) for name in TOPICS if name.startswith("reference.") and name != ROUTED_REFERENCE]


def _market(partitions: int) -> list[Source]:
    return [(topic, p) for topic in MARKET_TOPICS for p in range(partitions)]


def _layout(partition: int, parts: Sequence[tuple[Role, Sequence[Source]]]) -> Layout:
    sources = tuple(source for _, group in parts for source in group)
    roles = tuple(role for role, group in parts for _ in group)
    return Layout(partition, sources, roles)


@dataclass(frozen=True)
class Sources:
    """The logs of an instance with so many account and so many market partitions."""

    partitions: int
    market_partitions: int

    @property
    def firm_partition(self) -> int:
        """The partition of `shard.log` that is the firm log."""
        return self.partitions

    def of(self, partition: int) -> Layout:
        """The layout of a partition of `shard.log`, a shard's or the firm's."""
        return self.of_firm() if partition == self.firm_partition else self.of_shard(partition)

    def of_shard(self, shard: int) -> Layout:
        """What can change the accounts of one shard."""
        merged = [(topic, shard) for topic in ACCOUNT_SOURCES] + [(topic, 0) for topic in SHARED_SOURCES]
        return _layout(
            shard,
            [
                (Role.REFERENCE, [*_reference(), (ROUTED_REFERENCE, shard)]),
                (Role.MERGED, merged),
                (Role.MARKET, _market(self.market_partitions)),
                (Role.SESSION, [(MARKET_SESSION, 0)]),
            ],
        )

    def of_firm(self) -> Layout:
        """What the financing core folds: reference data, the market and the totals of every shard."""
        totals = [(SHARD_TOTALS, p) for p in range(self.partitions)]
        return _layout(
            self.firm_partition,
            [
                (Role.REFERENCE, _reference()),
                (Role.MARKET, _market(self.market_partitions)),
                (Role.SESSION, [(MARKET_SESSION, 0)]),
                (Role.ARRIVAL, totals),
            ],
        )


def parse_cut(cut: Mapping[str, int]) -> dict[Source, int]:
    """A cut's ``{"topic-partition".

    Next offset}`` by source. Raises ValueError for a name without a partition.
    """
    positions = {}
    for name, offset in cut.items():
        topic, dash, partition = name.rpartition("-")
        if not dash or not partition.isdecimal():
            raise ValueError(f"{name!r} does not name a topic and a partition")
        positions[(topic, int(partition))] = offset
    return positions


def format_cut(positions: Mapping[Source, int]) -> dict[str, int]:
    """Positions as a session record's ``cut``."""
    return {f"{topic}-{partition}": offset for (topic, partition), offset in positions.items()}
