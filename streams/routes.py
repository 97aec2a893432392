"""Key and partition of a record: an account's home, a security's place, or the only partition there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.routing import home_partition, murmur2
from schemas.topics import TOPICS


class Routes:
    """Where records go, for the partition counts of a broker; remembers each key's place."""

    def __init__(self, partitions: Mapping[str, int]) -> None:
        """`partitions`: partition count by logical topic."""
        self._partitions = partitions
        self._places: dict[tuple[str, str], tuple[bytes, int]] = {}

    def place(self, topic: str, key: str) -> tuple[bytes, int]:
        """Kafka key and partition of a record of `topic` about `key`."""
        found = self._places.get((topic, key))
        if found is None:
            found = (key.encode(), self._partition(topic, key))
            self._places[topic, key] = found
        return found

    def _partition(self, topic: str, key: str) -> int:
        count = self._partitions[topic]
        if TOPICS[topic].partitions == "account":
            return home_partition(key, count)
        return murmur2(key.encode()) % count


def key_field(topic: str) -> str:
    """The field of a record's value that is its Kafka key."""
    return "account" if topic == "commands" else TOPICS[topic].key


def record_key(topic: str, value: Mapping[str, Any]) -> str | None:
    """The key of a JSON record; None when it names none, as only a bad record does."""
    key = value.get(key_field(topic))
    if isinstance(key, str) and key:
        return key
    return "*" if topic == "commands" else None
