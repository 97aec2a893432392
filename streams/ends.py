"""Where partitions really end.

The embedded broker answers a question for end offsets with the offset after the *first* record of a
partition's last batch. A cut taken from that would leave out events that were acknowledged before it. So
the last batch is fetched, which tells the end on every broker.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from streams.errors import BrokerError

FETCH_MS = 200
TRIES = 50


async def end_offsets(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """The next offset of each partition, at the time of the call or later.

    The consumer must be started, without a group, and not be used by anybody else: its assignment and
    positions change. Raises BrokerError if the broker shows no record before an end that it named.
    """
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
    first = await consumer.beginning_offsets(list(ends))
    left = {partition for partition, end in ends.items() if end > first[partition]}
    if not left:
        return ends
    consumer.assign(list(left))
    for partition in left:
        consumer.seek(partition, ends[partition] - 1)
    for _ in range(TRIES):
        for partition, records in (await consumer.getmany(*left, timeout_ms=FETCH_MS)).items():
            if records:
                ends[partition] = max(ends[partition], records[-1].offset + 1)
                left.discard(partition)
        for partition in list(left):  # a transaction's marker is no record, but it has an offset
            if await consumer.position(partition) >= ends[partition]:
                left.discard(partition)
        if not left:
            return ends
        consumer.pause(*(set(ends) & consumer.assignment()) - left)
    names = ", ".join(f"{p.topic}-{p.partition}" for p in sorted(left))
    raise BrokerError(f"the broker shows no record at the end of {names}")
