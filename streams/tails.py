"""The last records of the logs, read from the broker by whoever does not fold them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from agents.core import Source
from streams.ends import end_offsets
from streams.settings import Settings
from streams.shardlog.encoding import decode_record


async def log_tails(
    settings: Settings, consumer: AIOKafkaConsumer, partitions: Iterable[int], count: int
) -> AsyncIterator[tuple[int, list[tuple[int, bytes]]]]:
    """The last `count` records, (timestamp, value), of these partitions of `shard.log`.

    Nobody else may use the consumer meanwhile: its assignment and positions change.
    """
    for number in partitions:
        partition = TopicPartition(settings.topic("shard.log"), number)
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await end_offsets(consumer, [partition]))[partition]
        consumer.assign([partition])
        consumer.seek(partition, max(first, end - count))
        records: list[tuple[int, bytes]] = []
        while await consumer.position(partition) < end:
            try:
                batches = await consumer.getmany(timeout_ms=500)
            except KafkaError:
                break
            records += [(r.timestamp, r.value or b"") for batch in batches.values() for r in batch]
        yield number, records


def newest_positions(values: Iterable[bytes]) -> dict[Source, int] | None:
    """Positions by source that the last frame of a log leads to; None when there is none among `values`."""
    for value in reversed(list(values)):
        span = getattr(decode_record(value), "span", None)
        if span is not None:
            return dict(zip(span.sources, span.end, strict=True))
    return None
