"""Readers: aiokafka batch consumers run as services of the Faust app, without a group.

Where to read from is said by the folds' positions, never by committed offsets; offsets are never reset by
themselves. A reader puts whole runs of records into an in-memory channel; the channel is short, so a slow
agent slows the reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from agents.core import Source
from streams.connections import client_options, start, stop_consumer
from streams.errors import BrokerError
from streams.settings import Settings
from streams.worker.intake import Run

POLL_MS = 50
FETCH_WAIT_MS = 20
"""How long the broker may hold a fetch open. The embedded one does so even when records come in meanwhile, so
this is a delay of every hop there; Apache Kafka answers at once."""
FETCH_BYTES = 16 * 1024 * 1024
PARTITION_FETCH_BYTES = 8 * 1024 * 1024 + 1024 * 1024

Lost = Callable[[Source, int, int], Awaitable[None]]
"""Told of input that retention deleted: source, position wanted, earliest offset still there."""

Fail = Callable[[BaseException], None]


class Reader(faust.Service):
    """Reads the sources it is told to, from the positions it is told, into a channel."""

    def __init__(self, label: str, settings: Settings, channel: Any, batch: int) -> None:
        super().__init__()
        self._label = label
        self.channel = channel
        self._settings = settings
        self._batch = batch
        self._lost: Lost
        self._fail: Fail
        self._options = client_options(settings)
        self._consumer: AIOKafkaConsumer = None
        self._next: dict[TopicPartition, int] = {}
        self._request: dict[TopicPartition, int] | None = None
        self._paused: set[TopicPartition] = set()
        self._changed = asyncio.Event()

    @property
    def label(self) -> str:
        """Name in logs and on the web page."""
        return f"Reader: {self._label}"

    def report(self, lost: Lost, fail: Fail) -> None:
        """Whom to tell of lost input and of failures; before the start."""
        self._lost, self._fail = lost, fail

    def read_from(self, positions: Mapping[Source, int]) -> None:
        """Read exactly these sources from now on. A source goes on where it stands, or back to a smaller
        position."""
        known = self._next if self._request is None else self._request
        request = {}
        for source, position in positions.items():
            partition = self._partition(source)
            request[partition] = min(position, known.get(partition, position))
        if request != known:
            self._request = request
            self._changed.set()

    def pause(self, source: Source, *, paused: bool) -> None:
        """Hold back, or go on with, one source; its position stays."""
        partition = self._partition(source)
        if partition not in self._next or (partition in self._paused) is paused:
            return
        if paused:
            self._paused.add(partition)
            self._consumer.pause(partition)
        else:
            self._paused.discard(partition)
            self._consumer.resume(partition)

    def paused(self) -> list[Source]:
        """The sources that are held back now."""
        return [self._source(partition) for partition in self._paused]

    async def on_start(self) -> None:
        """Connect."""
        self._consumer = AIOKafkaConsumer(
            **self._options,
            auto_offset_reset="none",
            enable_auto_commit=False,
            check_crcs=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        await start(self._consumer, self._options)

    async def on_stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await stop_consumer(self._consumer)

    @faust.Service.task
    async def _read(self) -> None:
        try:
            await self._read_on()
        except Exception as error:
            self._fail(error)
            raise

    async def _read_on(self) -> None:
        while not self.should_stop:
            self._apply_request()
            if not self._next:
                await self._changed.wait()
                self._changed.clear()
                continue
            try:
                found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=self._batch)
            except OffsetOutOfRangeError as error:
                await self._out_of_range(error)
                continue
            if self._request is not None:
                continue
            # What came in one answer: reference data before events that may name what it says.
            for partition in sorted(found, key=self._is_no_reference):
                if found[partition]:
                    await self._deliver(partition, found[partition])
            if not found:
                await self._deliver_holes()

    def _apply_request(self) -> None:
        if self._request is None:
            return
        self._next, self._request = self._request, None
        self._paused.clear()
        self._changed.clear()
        if not self._next:
            self._consumer.unsubscribe()
            return
        self._consumer.assign(list(self._next))
        for partition, position in self._next.items():
            self._consumer.seek(partition, position)

    async def _deliver(self, partition: TopicPartition, records: list[Any]) -> None:
        begin, end = self._next[partition], records[-1].offset + 1
        self._next[partition] = end
        await self.channel.send(value=Run(self._source(partition), begin, end, records))

    async def _deliver_holes(self) -> None:
        """Move on over offsets without records (markers of a publisher's transactions), which no batch
        brings."""
        for partition, begin in list(self._next.items()):
            if partition in self._paused:
                continue
            end = await self._consumer.position(partition)
            if end > begin and self._request is None:
                self._next[partition] = end
                await self.channel.send(value=Run(self._source(partition), begin, end, []))

    async def _out_of_range(self, error: OffsetOutOfRangeError) -> None:
        for partition in error.args[0]:
            earliest = (await self._consumer.beginning_offsets([partition]))[partition]
            wanted = self._next[partition]
            if earliest <= wanted:
                end = (await self._consumer.end_offsets([partition]))[partition]
                raise BrokerError(
                    f"{partition.topic}-{partition.partition} ends at {end}, but {wanted} was read before",
                    advice="The broker lost records, or is another one. Check KAFKA_BOOTSTRAP, or begin anew "
                    "with another LIANGRONG_TOPIC_PREFIX and LIANGRONG_CHECKPOINTS.",
                )
            await self._lost(self._source(partition), wanted, earliest)
            self._next[partition] = earliest
            self._consumer.seek(partition, earliest)

    def _is_no_reference(self, partition: TopicPartition) -> bool:
        return not self._source(partition)[0].startswith("reference.")

    def _partition(self, source: Source) -> TopicPartition:
        return TopicPartition(self._settings.topic(source[0]), source[1])

    def _source(self, partition: TopicPartition) -> Source:
        return self._settings.logical(partition.topic) or partition.topic, partition.partition
