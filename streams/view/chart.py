"""A run day by day as a picture: panels of bars over one axis of days, as SVG text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from streams.report import DayReport
from streams.view.words import YI

_WIDTH, _LEFT, _RIGHT = 1040, 76, 16
_TOP, _PANEL, _GAP, _BOTTOM = 52, 118, 44, 40
_FONT = "font-family='ui-sans-serif, Helvetica, Arial, sans-serif'"


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of bars: a value a day and, drawn over it, a part of it or another figure (or none)."""

    title: str
    values: Sequence[float]
    colour: str
    over: Sequence[float] = ()
    over_title: str = ""
    over_colour: str = ""


def chart(days: Sequence[DayReport], title: str) -> str:
    """The picture of a run's days; ValueError without any."""
    if not days:
        raise ValueError("there are no days to draw")
    panels = _panels(days)
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' {_FONT} font-size='12'>",
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>",
        f"<text x='{_LEFT}' y='26' font-size='17' font-weight='600' fill='#1f2328'>{escape(title)}</text>",
    ]
    for place, panel in enumerate(panels):
        parts += _drawn(panel, _TOP + place * (_PANEL + _GAP))
    parts += _dates(days, height - _BOTTOM + 16)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panels(days: Sequence[DayReport]) -> list[Panel]:
    return [
        Panel("debt of all accounts, hundred million yuan", [day.debt / YI for day in days], "#8c959f"),
        Panel(
            "accounts below the minimum line at the settlement", [day.under for day in days], "#f0a8a8",
            [day.called for day in days], "of these newly called", "#cf222e",
        ),
        Panel(
            "accounts with forced orders", [day.selling for day in days], "#79b8e8",
            [day.stuck for day in days], "accounts of which nothing could be sold", "#0a3069",
        ),
        Panel("forced orders, hundred million yuan", [day.ordered / YI for day in days], "#bf8700"),
    ]  # fmt: skip


def _drawn(panel: Panel, top: int) -> list[str]:
    most = max([*panel.values, *panel.over, 1e-9])
    base = top + _PANEL
    parts = [
        f"<text x='{_LEFT}' y='{top - 6}' fill='#424a53'>{escape(panel.title)}"
        + (f" <tspan fill='{panel.over_colour}'>■ {escape(panel.over_title)}</tspan>" if panel.over else "")
        + "</text>"
    ]
    for share in (0.0, 0.5, 1.0):
        y = base - share * _PANEL
        parts.append(
            f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='#d8dee4'/>"
        )
        label = (
            f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' text-anchor='end' fill='#6e7781'>{_number(most * share)}"
        )
        parts.append(f"{label}</text>")
    step = (_WIDTH - _LEFT - _RIGHT) / len(panel.values)
    for values, colour, thin in ((panel.values, panel.colour, 0.78), (panel.over, panel.over_colour, 0.36)):
        for place, value in enumerate(values):
            if value > 0:
                x, size = _LEFT + (place + (1 - thin) / 2) * step, value / most * _PANEL
                bar = f"x='{x:.1f}' y='{base - size:.1f}' width='{step * thin:.1f}' height='{size:.1f}'"
                parts.append(f"<rect {bar} fill='{colour}'/>")
    return parts


def _dates(days: Sequence[DayReport], y: int) -> list[str]:
    step = (_WIDTH - _LEFT - _RIGHT) / len(days)
    every = max(1, len(days) // 11)
    return [
        f"<text x='{_LEFT + (place + 0.5) * step:.1f}' y='{y}' text-anchor='middle' fill='#6e7781'>"
        f"{day.date[5:] if place else day.date}</text>"
        for place, day in enumerate(days)
        if place % every == 0
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2f}"
