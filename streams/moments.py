"""Moments as people type them: a date, a time of day in Shanghai, a time ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from streams.errors import UsageError

SHANGHAI = ZoneInfo("Asia/Shanghai")
_AGO = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MILLISECONDS = re.compile(r"\d{12,13}")


def parse_moment(text: str, now: datetime) -> int:
    """Milliseconds since the epoch of `2025-04-07`, `2025-04-07T10:30`, `10:30`, `15m` (ago) or a number.

    Times without a zone are in Shanghai. Raises UsageError.
    """
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    if ago := _AGO.fullmatch(text):
        return _ms(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    today = now.astimezone(SHANGHAI).date().isoformat()
    try:
        moment = datetime.fromisoformat(
            f"{today}T{text}" if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text) else text
        )
    except ValueError as error:
        raise UsageError(
            f"{text} is no moment", advice="Write 2025-04-07, 2025-04-07T10:30, 10:30 or 15m (ago)."
        ) from error
    return _ms(moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI))


def shanghai_time(ts: int) -> str:
    """`2025-04-07 10:30:00.123` in Shanghai of milliseconds since the epoch."""
    moment = datetime.fromtimestamp(ts // 1000, UTC).astimezone(SHANGHAI)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{ts % 1000:03d}"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
