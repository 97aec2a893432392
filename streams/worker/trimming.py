"""Deleting the part of `shard.log` that no checkpoint needs any more.

The topic has no retention by time: a record may go only once a kept checkpoint stands behind it. The
embedded broker does not know the request and drops the connection, so this is asked for, not done by
default.
"""

from __future__ import annotations

from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from streams.connections import admin
from streams.errors import BrokerError
from streams.settings import Settings


async def trim_log(settings: Settings, partition: int, before: int) -> None:
    """Delete the records of a partition of the log before an offset; BrokerError if the broker refuses."""
    place = TopicPartition(settings.topic("shard.log"), partition)
    async with admin(settings) as client:
        try:
            await client.delete_records({place: RecordsToDelete(before_offset=before)})
        except (KafkaError, OSError) as error:
            raise BrokerError(
                f"the broker does not delete records of {place.topic}-{partition}: {error}",
                advice="Start the worker without --trim-log; the embedded broker keeps everything.",
            ) from error
