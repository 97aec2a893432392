"""Hours of continuous auction (连续竞价) by market, kind and date, rulebook 7.5. Minutes since midnight in
Shanghai.

Shanghai had no closing call for stocks until 2018-08-17 and for funds until 2026-07-03: there continuous
auction lasts to 15:00, elsewhere to 14:57.
"""

from agents.rules.schedule import Schedule, built_in
from agents.rules.values import Window


def continuous_windows(
    security: str, kind: str, day: int, schedule: Schedule | None = None
) -> tuple[Window, ...]:
    """When a security (`600000.SH`) of a kind is traded continuously on `day`, halts apart. Bonds of Shanghai
    keep the hours of its funds.
    """
    market = security[-2:].lower()
    name = market if market != "sh" else "stock_sh" if kind == "stock" else "fund_sh"
    value = (built_in() if schedule is None else schedule).entry(f"continuous_{name}", day).value
    if not isinstance(value, tuple):
        raise TypeError(f"continuous_{name} is not a list of windows")
    return tuple(window for window in value if isinstance(window, Window))


def trades_at(security: str, kind: str, day: int, minute: int, schedule: Schedule | None = None) -> bool:
    """Whether a security is in continuous auction in a minute of `day`, halts apart."""
    return any(minute in window for window in continuous_windows(security, kind, day, schedule))


def minutes_traded(windows: tuple[Window, ...], minute: int) -> int:
    """Minutes of trading before `minute`."""
    return sum(max(0, min(minute, window.end) - window.start) for window in windows)


def minutes_in(windows: tuple[Window, ...]) -> int:
    """Minutes of trading in a whole day."""
    return sum(window.end - window.start for window in windows)
