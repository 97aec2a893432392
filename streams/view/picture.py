"""Accounts below their lines through a trading day, as a stacked picture made of half blocks.

A column is a stretch of trading time (09:15 to 11:30 and 13:00 to 15:00, the break left out); the lowest
band are accounts below the immediate line, then those below the minimum line, then the warn line.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

COLOURS = {"warn": "yellow", "below_min": "dark_orange3", "immediate": "red"}
MORNING = (9 * 60 + 15, 11 * 60 + 30)
AFTERNOON = (13 * 60, 15 * 60)
MINUTES = (MORNING[1] - MORNING[0]) + (AFTERNOON[1] - AFTERNOON[0])
_STACK = ("immediate", "below_min", "warn")
_MARKS = ((9 * 60 + 30, "09:30"), (10 * 60 + 30, "10:30"), (AFTERNOON[0], "13:00"), (14 * 60, "14:00"))

Counts = tuple[int, ...]
"""Accounts at warn, below_min, immediate."""


def trading_minute(minute: int) -> int:
    """Minutes of trading before `minute` of the day; what lies in the break counts to its start."""
    morning = min(max(minute - MORNING[0], 0), MORNING[1] - MORNING[0])
    return morning + min(max(minute - AFTERNOON[0], 0), AFTERNOON[1] - AFTERNOON[0])


def columns(history: Mapping[int, Counts], width: int) -> list[Counts | None]:
    """The last counts known in each of `width` equal stretches of the day; None for the future."""
    found: list[Counts | None] = [None] * width
    latest = -1
    for minute in sorted(history):
        place = min(trading_minute(minute) * width // MINUTES, width - 1)
        found[place] = history[minute]
        latest = max(latest, place)
    for place in range(1, latest + 1):
        if found[place] is None:
            found[place] = found[place - 1]
    return found


def picture(history: Mapping[int, Counts], width: int, height: int) -> list[Text]:
    """`height` lines of blocks with a scale on the left, and a line of times below; at least 20 wide."""
    room = max(width - 8, 12)
    day = columns(history, room)
    top = max((sum(counts) for counts in day if counts is not None), default=0)
    scale = max(top, 1)
    lines = []
    for row in range(height):
        line = Text()
        line.append(f"{_label(row, height, top):>7} ", style="dim")
        for counts in day:
            upper, lower = (_colour(counts, 2 * (height - row) - part, 2 * height, scale) for part in (1, 2))
            line.append(*_cell(upper, lower))
        lines.append(line)
    lines.append(_axis(room))
    return lines


def _label(row: int, height: int, top: int) -> str:
    if row == 0:
        return f"{top:,}"
    return "0" if row == height - 1 else ""


def _colour(counts: Counts | None, half: int, halves: int, scale: int) -> str | None:
    """Colour of half cell number `half` from below (0 is the lowest); None above the stack."""
    if counts is None:
        return None
    bands = dict(zip(("warn", "below_min", "immediate"), counts, strict=True))
    level = 0
    for band in _STACK:
        level += bands[band]
        # Half a cell is coloured when the stack reaches its middle, so a small band is not drawn as nothing.
        if level * 2 * halves >= (2 * half + 1) * scale:
            return COLOURS[band]
    return None


def _cell(upper: str | None, lower: str | None) -> tuple[str, str]:
    if upper is None:
        return ("▄", lower) if lower is not None else (" ", "")
    if lower is None:
        return "▀", upper
    return ("█", upper) if upper == lower else ("▀", f"{upper} on {lower}")


def _axis(room: int) -> Text:
    line = [" "] * (room + 8)
    for minute, label in _MARKS:
        start = 8 + trading_minute(minute) * room // MINUTES
        if start + len(label) <= len(line):
            line[start : start + len(label)] = label
    return Text("".join(line), style="dim")
