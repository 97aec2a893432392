"""A Kafka client that knows nothing of ours: reads and writes bytes with bare aiokafka."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.structs import TopicPartition

from tests.brokers import Broker


async def read_all(broker: Broker, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic that exists, partition by partition."""
    options = {"bootstrap_servers": broker.bootstrap, "auto_offset_reset": "earliest"}
    consumer = AIOKafkaConsumer(broker.prefix + topic, **options)
    await consumer.start()
    try:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        found: dict[TopicPartition, list[ConsumerRecord]] = {partition: [] for partition in partitions}
        while [p for p in partitions if await consumer.position(p) < ends[p]]:
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                found[partition] += records
        return [record for records in found.values() for record in records]
    finally:
        await consumer.stop()


async def send(
    broker: Broker,
    topic: str,
    records: Sequence[tuple[bytes | None, bytes]],
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Publish (key, value) pairs with the client's own partitioner, and wait for the acknowledgements."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(broker.prefix + topic, value, key=key, headers=list(headers))
    finally:
        await producer.stop()
