"""How events move: brokers, topics, the log of each shard, publishing, subscribing, replaying, commands.

from streams import Publisher, Subscriber, replay
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.publisher import Publisher
    from streams.subscriber import Subscriber

__all__ = ["Publisher", "Subscriber", "replay"]

_HOMES = {"Publisher": "streams.publisher", "Subscriber": "streams.subscriber", "replay": "streams.replaying"}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first asked for: `liangrong --help` loads no Kafka client."""
    if name not in _HOMES:
        raise AttributeError(f"module 'streams' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
