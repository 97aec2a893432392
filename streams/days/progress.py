"""What an offline run and a replay say about how far they are, and the header both put on their records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streams.headers import WINDOW


@dataclass(frozen=True, slots=True)
class Progress:
    """How far: day number, market time (ms), phase of the last cut, and the day's events done so far, of
    how many."""

    date: int
    ts: int
    phase: str
    events: int
    total: int


Watch = Callable[[Progress], None]


def window_headers(number: int) -> tuple[tuple[str, bytes], ...]:
    """The header of every record of window ``number`` of a day (protocol rule 5)."""
    return ((WINDOW, b"%d" % number),)
