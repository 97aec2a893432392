"""Windows of market time: how a recorded day is cut, the same for the offline run and for a replay
(contract section 2).

A day is a sequence of *cuts*. Each is a session record of the day (a phase, a halt) or a clock at the end
of a window with events. A session record at time t covers every event whose ``ts`` is at most t, whatever
its topic; events without ``ts`` (reference data) belong to the start of the day. So

- windows are the intervals (n*W, (n+1)*W] of market time; one without events is not made;
- what comes up to the day's first ``pre_open`` lies in that record's own window, because a clock before it
  would begin the day;
- before any other session record that follows events a clock of the same ``ts`` evaluates them.

Everything here is arithmetic on times: nothing is read or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from schemas.units import format_day
from streams.days.reader import RecordedDay
from streams.errors import UsageError

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """One cut: ``session`` is the record without its cut, ``starts`` and ``stops`` the events of each lane
    it adds."""

    ts: int
    session: dict[str, Any]
    starts: tuple[int, ...]
    stops: tuple[int, ...]

    @property
    def events(self) -> int:
        """Number of events that the window adds."""
        return sum(self.stops) - sum(self.starts)

    @property
    def phase(self) -> str:
        """The phase of the session record."""
        return str(self.session["phase"])


def session_records(day: RecordedDay) -> list[dict[str, Any]]:
    """The day's own session records in order of time, without their old cuts. UsageError for one without ts
    or phase."""
    if "market.session" not in day.topics:
        return []
    topic = day.json_topic("market.session")
    records = []
    for row, value in enumerate(topic.values):
        try:
            record = orjson.loads(value)
            ts, phase = record["ts"], record["phase"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            ts, phase = None, None
        if not isinstance(ts, int) or not isinstance(phase, str):
            raise UsageError(f"{day.directory}: session record {row + 1} has no ts or no phase")
        record.pop("cut", None)
        record.pop("key", None)
        records.append(record)
    return records


def plan_windows(
    date: int, lanes: Sequence[Ints], sessions: Sequence[dict[str, Any]], window_ms: int
) -> list[Window]:
    """The windows of ``date`` (a day number); ``lanes`` holds each lane's event times in order, in ms."""
    if window_ms <= 0:
        raise UsageError("a window must last at least a millisecond")
    cuts = _cuts(date, lanes, sessions, window_ms)
    times = np.array([ts for ts, _ in cuts], dtype=np.int64)
    stops = np.stack([lane.searchsorted(times, side="right") for lane in lanes], axis=1) if lanes else None
    before: tuple[int, ...] = (0,) * len(lanes)
    windows = []
    for row, (ts, session) in enumerate(cuts):
        after = tuple(stops[row].tolist()) if stops is not None else ()
        if session is None and after == before:
            continue
        windows.append(Window(ts, session or _clock(ts, date), before, after))
        before = after
    return windows


def _cuts(
    date: int, lanes: Sequence[Ints], sessions: Sequence[dict[str, Any]], window_ms: int
) -> list[tuple[int, dict[str, Any] | None]]:
    """Times at which to cut: with a session record, or with None where a clock is due if there are events."""
    ends = [np.unique(-(-lane[lane >= 0] // window_ms) * window_ms) for lane in lanes if len(lane)]
    due = set(np.concatenate(ends).tolist()) if ends else set()
    begins = min((s["ts"] for s in sessions if s["phase"] == "pre_open"), default=None)
    due |= {session["ts"] for session in sessions}
    clocks = {session["ts"] for session in sessions if session["phase"] == "clock"}
    cuts: list[tuple[int, int, dict[str, Any] | None]] = [
        (ts, -1, None) for ts in due - clocks if begins is None or ts > begins
    ]
    cuts += [(session["ts"], place, session) for place, session in enumerate(sessions)]
    if not sessions and not due and lanes:
        raise UsageError(f"the day {format_day(date)} has neither session records nor events with a time")
    return [(ts, session) for ts, _, session in sorted(cuts, key=lambda cut: cut[:2])]


def _clock(ts: int, date: int) -> dict[str, Any]:
    return {"ts": ts, "date": format_day(date), "market": "ALL", "phase": "clock"}


def parse_window(text: str) -> int:
    """``1s``, ``500ms``, ``15m`` as milliseconds; a bare number means seconds. UsageError for anything
    else."""
    for suffix, factor in (("ms", 1), ("s", 1000), ("m", 60_000), ("", 1000)):
        number = text.removesuffix(suffix)
        if text.endswith(suffix) and number.replace(".", "", 1).isdigit():
            milliseconds = float(number) * factor
            if milliseconds >= 1 and milliseconds == int(milliseconds):
                return int(milliseconds)
    raise UsageError(f"{text!r} is no window", advice="write for example 1s, 500ms or 15m")
