"""Runs of events as a core is given them."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.core import Segment

Offsets = np.ndarray[Any, np.dtype[np.int64]]


def segment(topic: str, offsets: Offsets, **content: Any) -> Segment:
    """A run of events as a shard's log carries it; the events' own Kafka time is zero."""
    return Segment(
        source=(topic, 0),
        offsets=offsets,
        timestamps=np.zeros(len(offsets), np.int64),
        origin_partition=np.zeros(len(offsets), np.int32),
        origin_offset=offsets,
        **content,
    )
