"""Names of the Kafka headers that the processor reads and writes."""

from __future__ import annotations

CONTENT_TYPE = "content-type"
"""`application/json` (the default when absent) or the type of a binary frame (contract section 1)."""

WINDOW = "window"
"""Every record of a replay carries it: its source is held until the cut of a session record covers it."""

LOG_OFFSET = "log-offset"
"""Offset in the shard's log that caused an output, in decimal digits; the greatest of a key is the latest."""

Headers = list[tuple[str, bytes]]


def header(headers: Headers | tuple[tuple[str, bytes], ...], name: str) -> bytes | None:
    """The value of the last header of that name, which is the one that counts in Kafka; None without one."""
    found = None
    for key, value in headers:
        if key == name:
            found = value
    return found
