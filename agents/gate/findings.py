"""What a check finds: an objection that no quantity overcomes, or a cap that a quantity must not pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a request is refused whatever its quantity. `rule` is a name and its date."""

    rule: str
    reason: str
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cap:
    """The most (shares, or milli of a request for money) that a rule lets pass, never below 0."""

    most: int
    rule: str
    reason: str
    figures: Figures = field(default_factory=dict)
