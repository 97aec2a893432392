"""Outputs on their way to their topics, in the order of the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from agents.core import Output


class Outgoing(NamedTuple):
    """An output with what caused it: the log offset and its place among that record's outputs.

    Both go into headers: of two records of a compacted topic the one with the greater (offset, place) is
    the newer.
    """

    offset: int
    place: int
    output: Output


class Outbox:
    """Outputs that wait to be sent, and those that are sent and not yet acknowledged, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Outgoing] = deque()
        self._sent: deque[Outgoing] = deque()

    def __len__(self) -> int:
        """How many are not acknowledged."""
        return len(self._waiting) + len(self._sent)

    def put(self, offset: int, outputs: Sequence[Output]) -> None:
        """Add the outputs of the log record at ``offset``."""
        self._waiting.extend(Outgoing(offset, place, output) for place, output in enumerate(outputs))

    def send(self, limit: int) -> list[Outgoing]:
        """Up to ``limit`` outputs, which count as sent from now on."""
        batch = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        self._sent.extend(batch)
        return batch

    def acknowledged(self, count: int) -> None:
        """The oldest ``count`` of the sent outputs are acknowledged (acks=all)."""
        for _ in range(count):
            self._sent.popleft()

    def failed(self) -> None:
        """Nothing is known of the sent outputs: they will be sent again."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()

    def acknowledged_before(self, offset: int) -> bool:
        """Whether every output of log records before ``offset`` is acknowledged."""
        oldest = self._sent[0] if self._sent else self._waiting[0] if self._waiting else None
        return oldest is None or oldest.offset >= offset
