"""Merging sources by event time at their heads, never reordering a source (design, protocol rule 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.shardlog.queue import Piece

_NEVER = (np.iinfo(np.int64).max, 0)


@dataclass
class Head:
    """The rows of one source that may be merged.

    ``complete``: no further row of this source belongs to the window. Otherwise the merge must stop where
    the rows end.
    """

    pieces: Sequence[Piece]
    complete: bool
    row: int = 0
    ts: NDArray[np.int64] = field(init=False)
    offsets: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.ts = _column(self.pieces, "ts")
        self.offsets = _column(self.pieces, "offsets")

    @property
    def exhausted(self) -> bool:
        """Whether every row at hand is merged."""
        return self.row == len(self.ts)

    @property
    def between_records(self) -> bool:
        """Whether the next row begins a record: a position can only stand there."""
        if self.row == 0:
            return True
        if self.exhausted:
            return True
        return bool(self.offsets[self.row] != self.offsets[self.row - 1])


Run = tuple[int, int, int]
"""Head, first row, end row (exclusive)."""


def merge_heads(heads: Sequence[Head], rows: int) -> list[Run]:
    """The next about ``rows`` rows of the merge as runs, ending between records in every source.

    Ties of time go to the earlier head. Rows stay in the order of their source. May be empty: more input is
    needed.
    """
    runs: list[Run] = []
    whole = 0
    marks = [0] * len(heads)
    merged = 0
    while merged < rows or whole != len(runs):
        chosen = _choose(heads)
        if chosen is None:
            break
        first = heads[chosen].row
        end = _run_end(heads, chosen, rows - merged)
        heads[chosen].row = end
        merged += end - first
        runs.append((chosen, first, end))
        if all(head.between_records for head in heads):
            whole = len(runs)
            marks = [head.row for head in heads]
    for head, row in zip(heads, marks, strict=True):
        head.row = row
    return _joined(runs[:whole])


def pieces_of(head: Head, first: int, end: int) -> list[Piece]:
    """Rows ``first`` to ``end`` of a head as pieces of its inputs."""
    found = []
    for piece in head.pieces:
        a, b = max(first, 0), min(end, len(piece))
        if a < b:
            found.append(Piece(piece.input, piece.first + a, piece.first + b))
        first -= len(piece)
        end -= len(piece)
    return found


def _column(pieces: Sequence[Piece], name: str) -> NDArray[np.int64]:
    parts = [getattr(piece.input, name)[piece.first : piece.end] for piece in pieces]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _choose(heads: Sequence[Head]) -> int | None:
    """The head with the least (ts, place); None if all are done or one must be waited for."""
    best, chosen = _NEVER, None
    for i, head in enumerate(heads):
        if head.exhausted:
            if not head.complete:
                return None
            continue
        key = (int(head.ts[head.row]), i)
        if chosen is None or key < best:
            best, chosen = key, i
    return chosen


def _run_end(heads: Sequence[Head], chosen: int, rows: int) -> int:
    """Where the run of the chosen head ends.

    At the first row that another head precedes, or after ``rows`` rows.
    """
    head = heads[chosen]
    others = [(int(h.ts[h.row]), i) for i, h in enumerate(heads) if i != chosen and not h.exhausted]
    end = min(len(head.ts), head.row + max(rows, 1))
    if others:
        ts, place = min(others)
        ahead = head.ts[head.row : end]
        later = ahead > ts if chosen < place else ahead >= ts
        if later.any():
            end = head.row + int(later.argmax())
    return end


def _joined(runs: Sequence[Run]) -> list[Run]:
    joined: list[Run] = []
    for head, first, end in runs:
        if joined and joined[-1][0] == head and joined[-1][2] == first:
            joined[-1] = (head, joined[-1][1], end)
        else:
            joined.append((head, first, end))
    return joined
