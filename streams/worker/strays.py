"""Strays: account events, orders and custody statements that a client put into another partition than their
account's home, and what a live `settled` has to do with them.

The owner of the partition where a stray landed sends a copy home, and no frame of its log passes the
original before that copy is acknowledged (design, protocol rule 9). So a log that has passed an offset of
such a source says that every stray before it is home, whoever wrote the log. A live `settled` therefore takes
its cut in two steps: the ends of all partitions of these sources are asked for, and the logs of all shards
are waited for to pass them, this worker's in memory and other workers' by the last records on the broker;
only then are the ends asked for that become the cut. What was published before `settled` is inside, wherever
it was put and however long it waited for a worker.

A shard that nobody holds passes nothing. The others wait for it so long as a takeover may need, and then go
on: what strayed into it comes after their `settled`. Phases other than `settled` do not wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from agents.core import Source
from schemas.topics import ACCOUNT_EVENTS, ACCOUNT_ORDERS
from streams.shardlog.positions import ROUTED_REFERENCE
from streams.worker.desk import Desk, Ends
from streams.worker.single_flight import SingleFlight

logger = logging.getLogger(__name__)

ROUTED_TOPICS = (ACCOUNT_EVENTS, ACCOUNT_ORDERS, ROUTED_REFERENCE)
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.02

Tails = Callable[[frozenset[int]], Awaitable[Mapping[Source, int]]]
"""Positions by source that the newest frames of these partitions of `shard.log` lead to."""


class Strays:
    """The way home of all strays, seen by one worker; `desks` are its own, by partition, as they change."""

    def __init__(self, shards: int, desks: Mapping[int, Desk], ends: Ends, tails: Tails) -> None:
        self._shards = shards
        self._desks = desks
        self._ends = ends
        self._tails = tails
        self._elsewhere = SingleFlight(self._ask_elsewhere)

    async def home(self) -> None:
        """Return once every stray published before the call is at home, or after PATIENCE_SECONDS."""
        ends = await self._ends()
        loop = asyncio.get_running_loop()
        latest = loop.time() + PATIENCE_SECONDS
        while behind := await self._behind(ends):
            if loop.time() > latest:
                logger.warning(
                    "`settled` goes on although partitions %s of shard.log have not read all that was "
                    "published before it: does a worker hold them?",
                    behind,
                )
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _behind(self, ends: Mapping[Source, int]) -> list[int]:
        """The shards whose logs have not passed these ends; other workers' are asked last."""
        held = {p: desk for p, desk in self._desks.items() if p < self._shards}
        own: dict[Source, int] = {}
        for desk in held.values():
            own |= desk.unit.fold.layout.named(desk.unit.fold.positions)
        behind = [p for p in held if _is_behind(p, own, ends)]
        if behind or len(held) == self._shards:
            return behind
        others = await self._elsewhere.fresh()
        return [p for p in range(self._shards) if p not in held and _is_behind(p, others, ends)]

    async def _ask_elsewhere(self) -> Mapping[Source, int]:
        return await self._tails(frozenset(range(self._shards)) - frozenset(self._desks))


def _is_behind(shard: int, positions: Mapping[Source, int], ends: Mapping[Source, int]) -> bool:
    sources = [(topic, shard) for topic in ROUTED_TOPICS]
    return any(positions.get(source, 0) < ends.get(source, 0) for source in sources)
