"""What was read from one source and is not yet written to the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streams.shardlog.inputs import Input


@dataclass(slots=True)
class Chunk:
    """An input of which the rows before ``row`` are gone; ``arrival`` orders the chunks of all sources."""

    input: Input
    row: int
    arrival: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows ``first`` to ``end`` (exclusive) of an input: whole records."""

    input: Input
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


class SourceQueue:
    """Rows of one source between the position that was written and the position that was read.

    ``start`` is the position the log's next frame continues from, ``end`` the next offset to read.
    """

    def __init__(self, position: int) -> None:
        self.start = position
        self.end = position
        self.chunks: deque[Chunk] = deque()
        self.rows = 0
        self._holds: set[int] = set()

    def push(self, data: Input, arrival: int) -> bool:
        """Add what continues at ``end``.

        What lies before it is dropped. False if it begins beyond ``end``.
        """
        if data.start > self.end:
            return False
        if data.end <= self.end:
            return True
        first = int(np.searchsorted(data.offsets, self.end))
        if first < len(data):
            self.chunks.append(Chunk(data, first, arrival))
            self.rows += len(data) - first
        self.end = data.end
        return True

    def hold(self, offsets: Iterable[int]) -> None:
        """No frame passes these records until `release`: something of theirs is not acknowledged yet."""
        self._holds.update(offset for offset in offsets if offset >= self.start)

    def release(self, offset: int) -> None:
        """What the record waited for is acknowledged."""
        self._holds.discard(offset)

    def barrier(self, cut: int | None) -> int:
        """How far frames may go now.

        To the cut if there is one, else to the first row that waits for a cut.
        """
        limit = min(self._holds, default=self.end)
        if cut is not None:
            return min(limit, max(cut, self.start))
        return min(limit, self._first_windowed())

    def _first_windowed(self) -> int:
        for chunk in self.chunks:
            windows = chunk.input.windows[chunk.row :]
            if windows.any():
                return int(chunk.input.offsets[chunk.row + int(windows.argmax())])
        return self.end

    def next_offset(self) -> int | None:
        """Offset of the first row."""
        return int(self.chunks[0].input.offsets[self.chunks[0].row]) if self.chunks else None

    def has_rows(self, barrier: int) -> bool:
        """Whether a row lies before the barrier."""
        offset = self.next_offset()
        return offset is not None and offset < barrier

    def gather(self, barrier: int, rows: int) -> list[Piece]:
        """Pieces from the head up to the barrier, at least ``rows`` rows if there are as many.

        Nothing is taken.
        """
        pieces = []
        for chunk in self.chunks:
            end = int(np.searchsorted(chunk.input.offsets, barrier))
            if end > chunk.row:
                pieces.append(Piece(chunk.input, chunk.row, end))
                rows -= end - chunk.row
            if end < len(chunk.input) or rows <= 0:
                break
        return pieces

    def take(self, rows: int, barrier: int) -> None:
        """Remove ``rows`` rows from the head.

        ``start`` moves to the next row or, without one, to the barrier.
        """
        self.rows -= rows
        while rows:
            chunk = self.chunks[0]
            taken = min(rows, len(chunk.input) - chunk.row)
            chunk.row += taken
            rows -= taken
            if chunk.row == len(chunk.input):
                self.chunks.popleft()
        offset = self.next_offset()
        self.start = max(self.start, barrier if offset is None else min(offset, barrier))

    def count(self, barrier: int) -> int:
        """Number of rows before the barrier."""
        if self.end <= barrier:
            return self.rows
        rows = 0
        for chunk in self.chunks:
            end = int(np.searchsorted(chunk.input.offsets, barrier))
            rows += max(0, end - chunk.row)
            if end < len(chunk.input):
                break
        return rows

    def first_row(self) -> tuple[Input, int]:
        """The input and the row at the head; there must be one."""
        chunk = self.chunks[0]
        return chunk.input, chunk.row

    def skip_to(self, offset: int) -> None:
        """Go on reading at ``offset``; no frame passes the old end before it is released."""
        self._holds.add(self.end)
        self.end = offset

    def drop_row(self) -> None:
        """Remove the first row without passing its record, which is held from now on."""
        offset = self.next_offset()
        if offset is not None:
            self._holds.add(offset)
            start = self.start
            self.take(1, start)
            self.start = start


def whole_records(piece: Piece, rows: int, size: int) -> int:
    """How many rows of a piece to take so that it is about ``rows`` rows or ``size`` bytes.

    Whole records, at least one.
    """
    sizes = piece.input.sizes[piece.first : piece.end]
    end = min(len(piece), rows)
    if int(sizes[:end].sum()) > size:
        end = int(np.searchsorted(np.cumsum(sizes), size))
    end = max(end, 1)
    if end == len(piece):
        return end
    offsets = piece.input.offsets[piece.first : piece.end]
    return int(np.searchsorted(offsets, offsets[end - 1], side="right"))
