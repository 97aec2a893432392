"""Recognising what was published twice, as after a crash: by id, and by place in the log of a shard."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Any

from schemas.topics import TOPICS

REMEMBERED_IDS = 1_000_000
"""Repeats follow a crash within one checkpoint's distance; so many ids reach much further back."""


class Repeats:
    """Remembers the ids of alerts and, for compacted topics, the newest place in the log of each key."""

    def __init__(self, remembered: int = REMEMBERED_IDS) -> None:
        self._remembered = remembered
        self._ids: OrderedDict[bytes, None] = OrderedDict()
        self._newest: dict[tuple[str, str], tuple[int, set[bytes]]] = {}

    def seen(self, topic: str, key: str, value: dict[str, Any], raw: bytes, log_offset: bytes | None) -> bool:
        """Whether this record repeats one given before, or is older than one; remembers it if not.

        `topic` is logical, `raw` the value as published, `log_offset` its header in decimal digits.
        """
        if TOPICS[topic].compacted:
            return log_offset is not None and self._outdated((topic, key), int(log_offset), _digest(raw))
        name = value.get("id")
        return isinstance(name, str) and self._known(_digest(f"{topic}\0{name}".encode()))

    def _outdated(self, about: tuple[str, str], log_offset: int, digest: bytes) -> bool:
        newest, digests = self._newest.get(about, (-1, set()))
        if log_offset < newest or (log_offset == newest and digest in digests):
            return True
        # One place in the log may cause two states of a key: a change of level and the day's settlement.
        self._newest[about] = (log_offset, {digest} if log_offset > newest else digests | {digest})
        return False

    def _known(self, digest: bytes) -> bool:
        if digest in self._ids:
            return True
        self._ids[digest] = None
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        return False


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=12).digest()
