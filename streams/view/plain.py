"""The board without a terminal: one plain line for each quarter of an hour of market time."""

from __future__ import annotations

from schemas.units import format_day, shanghai_minute
from streams.view.board import BELOW, Board
from streams.view.words import clock

QUARTER = 15


class PlainLines:
    """Says when a line is due, and what it reads."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._last: tuple[int, int] | None = None

    def due(self) -> str | None:
        """The line of the quarter that market time has entered since the last one; None otherwise."""
        progress = self.board.progress
        if progress is None:
            return None
        quarter = (progress.date, shanghai_minute(progress.ts) // QUARTER)
        if quarter == self._last:
            return None
        self._last = quarter
        return self.line()

    def line(self) -> str:
        """Market time, how far, levels, calls and orders so far."""
        board = self.board
        progress = board.progress
        if progress is None:
            return board.status
        done = progress.events * 100 // max(progress.total, 1)
        levels = "  ".join(f"{level} {board.levels[level]:,}" for level in BELOW)
        when = f"{format_day(progress.date)} {clock(progress.ts)[:5]}"
        return (
            f"{when} {done:3d} %  {levels}  |  called {board.steps['called']:,}  immediate calls "
            f"{board.steps['immediate']:,}  orders {sum(board.order_count.values()):,}"
            f"  |  {board.in_rate.per_second():,} events/s"
        )
