"""Acknowledged sending in batches: many records become one request, and the amount under way is bounded.

Per partition at most one batch is on its way, one waits for it and one is being filled; who sends faster
waits. Records of a partition keep their order. The first refused batch stops everything after it: a hole
is never passed over in silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from streams.connections import client_options, producer, start
from streams.errors import PublishError
from streams.settings import Settings

BATCH_BYTES = 256 * 1024
LINGER_SECONDS = 0.005
_HeaderList = Sequence[tuple[str, bytes]]


class _Lane:
    """The records of one partition: the batch being filled, and how far the broker has acknowledged."""

    __slots__ = ("builder", "name", "next_offset", "number", "queue", "topic", "unacknowledged")

    def __init__(self, topic: str, name: str, number: int) -> None:
        self.topic = topic
        self.name = name
        self.number = number
        self.builder: BatchBuilder | None = None
        self.queue = asyncio.Lock()
        self.next_offset = 0
        self.unacknowledged = 0


class Sender:
    """Sends to partitions chosen by the caller, by logical topic names, with acks=all; a context manager."""

    def __init__(self, settings: Settings, *, linger: float = LINGER_SECONDS) -> None:
        self._settings = settings
        self._linger = linger
        self._producer: AIOKafkaProducer | None = None
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._dirty = asyncio.Event()
        self._pusher: asyncio.Task[None] | None = None
        self._pending: set[asyncio.Future[RecordMetadata]] = set()
        self._failure: PublishError | None = None

    async def __aenter__(self) -> Self:
        made = producer(self._settings, max_batch_size=BATCH_BYTES, max_request_size=8 * 1024 * 1024)
        await start(made, client_options(self._settings))
        self._producer = made
        self._pusher = asyncio.create_task(self._push_after_linger())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            if self._pusher is not None:
                self._pusher.cancel()
                with suppress(asyncio.CancelledError):
                    await self._pusher
            if self._producer is not None:
                await self._producer.stop()

    @property
    def acknowledged(self) -> dict[tuple[str, int], int]:
        """Next offset after the last acknowledged record, by (logical topic, partition) sent to here."""
        return {key: lane.next_offset for key, lane in self._lanes.items() if lane.next_offset}

    @property
    def unacknowledged(self) -> int:
        """Records sent or being filled that the broker has not acknowledged yet."""
        return sum(lane.unacknowledged for lane in self._lanes.values())

    async def send(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes,
        headers: _HeaderList = (),
        timestamp: int | None = None,
    ) -> None:
        """Queue one record, waiting only while the partition is full. `timestamp`: Kafka's, in ms (now).

        PublishError when an earlier record was refused. `flush` tells whether this one was accepted.
        """
        while not self.offer(topic, partition, key, value, headers, timestamp):
            await self._dispatch(self._lanes[topic, partition])

    def offer(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes,
        headers: _HeaderList = (),
        timestamp: int | None = None,
    ) -> bool:
        """The same without waiting: False, and nothing queued, while the partition's batch is full."""
        if self._failure is not None:
            raise self._failure
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = _Lane(topic, self._settings.topic(topic), partition)
            self._lanes[topic, partition] = lane
        if lane.builder is None:
            assert self._producer is not None, "the sender is used inside its context"
            lane.builder = self._producer.create_batch()
        added = lane.builder.append(timestamp=timestamp, key=key, value=value, headers=list(headers))
        if added is None:
            return False
        lane.unacknowledged += 1
        self._dirty.set()
        return True

    async def flush(self) -> None:
        """Return once all that was sent is acknowledged by all replicas; PublishError if something is not."""
        assert self._producer is not None, "the sender is used inside its context"
        await self._dispatch_all()
        if self._pending:
            await asyncio.wait(self._pending.copy())
        if self._failure is not None:
            raise self._failure

    async def _dispatch_all(self) -> None:
        self._dirty.clear()
        open_lanes = [
            lane for lane in self._lanes.values() if lane.builder is not None or lane.queue.locked()
        ]
        await asyncio.gather(*(self._dispatch(lane) for lane in open_lanes))

    async def _dispatch(self, lane: _Lane) -> None:
        """Hand the lane's batch to the producer, after those handed over before it."""
        builder, lane.builder = lane.builder, None
        try:
            async with lane.queue:
                if builder is None or self._failure is not None:
                    return
                await self._hand_over(lane, builder)
        except KafkaError as error:
            self._refused(lane, error)
        except asyncio.CancelledError as error:
            if builder is not None:  # what is behind it must not be sent past the hole
                self._refused(lane, error)
            raise

    async def _hand_over(self, lane: _Lane, builder: BatchBuilder) -> None:
        assert self._producer is not None
        builder.close()
        count = builder.record_count()
        future = await self._producer.send_batch(builder, lane.name, partition=lane.number)
        self._pending.add(future)
        future.add_done_callback(lambda done: self._done(lane, count, done))

    def _done(self, lane: _Lane, count: int, future: asyncio.Future[RecordMetadata]) -> None:
        self._pending.discard(future)
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._refused(lane, error)
            return
        lane.unacknowledged -= count
        lane.next_offset = max(lane.next_offset, future.result().offset + count)

    def _refused(self, lane: _Lane, error: BaseException) -> None:
        if self._failure is None:
            reason = "sending was interrupted" if isinstance(error, asyncio.CancelledError) else str(error)
            self._failure = PublishError(f"not published to {lane.name}, partition {lane.number}: {reason}")

    async def _push_after_linger(self) -> None:
        """Send batches that did not fill up within the linger time."""
        while True:
            await self._dirty.wait()
            await asyncio.sleep(self._linger)
            await self._dispatch_all()
