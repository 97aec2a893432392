"""Brokers: the embedded one as a child process, and finding the broker to use."""

from streams.brokers.announced import (
    announce,
    announced_address,
    bootstrap_address,
    checkpoints_of,
    latest_announcement,
)
from streams.brokers.embedded import EmbeddedBroker

__all__ = [
    "EmbeddedBroker",
    "announce",
    "announced_address",
    "bootstrap_address",
    "checkpoints_of",
    "latest_announcement",
]
