"""Dead letters (contract section 3, topic ``dead.letters``): a bad record with its origin, field and reason.

A letter's id names the origin, topic/partition/offset (and the place in it, for a later event of a
published frame), so the same letter sent again after a crash is recognised.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.core import Output, Segment
from schemas.topics import DEAD_LETTERS

BAD_RECORD = "bad_record"
"""Value of ``error``: what was published breaks the contract."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was first published; ``ts`` is its own Kafka time in ms, ``row`` its place in a
    published frame."""

    topic: str
    partition: int
    offset: int
    ts: int
    row: int = 0

    @property
    def id(self) -> str:
        """Topic, partition and offset: the letter's id and key."""
        place = f"{self.topic}/{self.partition}/{self.offset}"
        return f"{place}/{self.row}" if self.row else place


def letter(
    origin: Origin,
    field: str,
    reason: str,
    value: bytes,
    key: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Output:
    """The letter of a record found bad at the edge. ``field`` is empty when the record as a whole is
    broken."""
    body: dict[str, Any] = {
        "id": origin.id,
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "ts": origin.ts,
        "error": BAD_RECORD,
    }
    if field:
        body["field"] = field
    body["reason"] = reason
    body["value_base64"] = base64.b64encode(value).decode("ascii")
    if key is not None:
        body["key_base64"] = base64.b64encode(key).decode("ascii")
    if headers:
        body["headers"] = dict(headers)
    return Output(DEAD_LETTERS, origin.id, body)


def dead_letter(segment: Segment, row: int, field: str, reason: str) -> Output:
    """The letter of event ``row`` of a segment, refused by a core; it names the origin of a forwarded event
    too."""
    origin = Origin(
        segment.topic,
        int(segment.origin_partition[row]),
        int(segment.origin_offset[row]),
        int(segment.timestamps[row]),
        row - int(np.searchsorted(segment.offsets, segment.offsets[row])),
    )
    return letter(origin, field, reason, segment.raw(row))
