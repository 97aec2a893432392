"""What a check finds: an objection that no quantity overcomes, or a cap that a quantity must not pass.

Figures are kept as integers of a kind and written out for the one finding that a decision names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.units import RATE_SCALE, format_line, format_money

Figures = dict[str, Any]


class Money(int):
    """0.001 yuan."""


class Line(int):
    """A ratio or haircut, 1e-4."""


class Rate(int):
    """A share of a value, 1e-6."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a request is refused whatever its quantity. `rule` is a name and its date."""

    rule: str
    reason: str
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cap:
    """The most (shares, or milli of a request for money) that a rule lets pass, never below 0. `refused`:
    the wanted quantity does not pass, even where a larger one would.
    """

    most: int
    rule: str
    reason: str
    figures: Figures = field(default_factory=dict)
    refused: bool = False


def written(figures: Figures) -> Figures:
    """Figures as they are published: money, lines and rates as decimal strings, shares as integers."""
    return {name: _written(figure) for name, figure in figures.items()}


def _written(figure: Any) -> Any:
    if isinstance(figure, Money):
        return format_money(figure)
    if isinstance(figure, Line):
        return format_line(figure)
    if isinstance(figure, Rate):
        return f"{figure // RATE_SCALE}.{figure % RATE_SCALE:06d}"
    return figure
