"""Moments of a trading day in Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta


def at(day: date, clock: str) -> int:
    """Milliseconds since the epoch of a Shanghai time such as "09:31" or "10:15:30.5"."""
    hours, minutes, seconds = [*clock.split(":"), "0"][:3]
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    since = int(hours) * 3_600_000 + int(minutes) * 60_000 + round(float(seconds) * 1000)
    return int(midnight.timestamp()) * 1000 + since
