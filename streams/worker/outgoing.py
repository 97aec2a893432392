"""What leaves a worker: outputs of the folds in log order, dead letters and forwarded events of the edge.

Everything goes out in rounds. A round takes what waits, sends it in batches and waits for all
acknowledgements; only then the outboxes are told and held source records are released. A refused record
ends the worker: nothing is passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import orjson

from agents.core import Output
from schemas.topics import SHARD_TOTALS
from streams.headers import LOG_OFFSET
from streams.routes import Routes
from streams.sending import Sender
from streams.worker.desk import Desk
from streams.worker.intake import Forward

ROUND = 20_000
"""Outputs of one desk in one round."""
DRAIN_SECONDS = 5.0

_OFFSET = attrgetter("offset")

Released = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Edge:
    """Something the edge sends (None: nothing, only the word), and what to do once it is acknowledged."""

    item: Output | Forward | None
    released: Released


class Outgoing:
    """Sends in rounds through one `Sender`."""

    def __init__(self, sender: Sender, routes: Routes) -> None:
        self._sender = sender
        self._routes = routes
        self._edge: list[_Edge] = []
        self._wake = asyncio.Event()
        self.sent = 0

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def from_edge(self, item: Output | Forward, released: Released) -> None:
        """Send a dead letter or a forwarded event; `released` is called once it is acknowledged."""
        self._edge.append(_Edge(item, released))
        self.wake()

    async def drained(self) -> None:
        """Return once everything from the edge is acknowledged."""
        done = asyncio.get_running_loop().create_future()
        self._edge.append(_Edge(None, lambda: done.set_result(None)))
        self.wake()
        await asyncio.wait([done], timeout=DRAIN_SECONDS)

    async def run(self, desks: Mapping[int, Desk]) -> None:
        """Send for ever what the desks and the edge have; PublishError when the broker refuses a record."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while await self._round(list(desks.values())):
                pass

    async def _round(self, desks: list[Desk]) -> bool:
        edge, self._edge = self._edge, []
        for entry in edge:
            if entry.item is not None:
                await self._send_edge(entry.item)
        counts = []
        for desk in desks:
            batch = desk.unit.send(ROUND)
            if batch:
                counts.append((desk.unit.outbox, len(batch)))
            for offset, caused in groupby(batch, _OFFSET):
                headers = [(LOG_OFFSET, b"%d" % offset)]
                for outgoing in caused:
                    await self._send(outgoing.output, headers)
        if not edge and not counts:
            return False
        await self._sender.flush()
        for outbox, count in counts:
            outbox.acknowledged(count)
            self.sent += count
        for entry in edge:
            entry.released()
        return True

    async def _send(self, output: Output, headers: list[tuple[str, bytes]]) -> None:
        if output.topic == SHARD_TOTALS:
            key, partition = output.key.encode(), int(output.key)
        else:
            key, partition = self._routes.place(output.topic, output.key)
        value = orjson.dumps(output.value)
        if not self._sender.offer(output.topic, partition, key, value, headers):
            await self._sender.send(output.topic, partition, key, value, headers)

    async def _send_edge(self, item: Output | Forward) -> None:
        if isinstance(item, Output):
            await self._send(item, [])
        else:
            await self._sender.send(
                item.topic, item.partition, item.key, item.value, item.headers, item.timestamp
            )
