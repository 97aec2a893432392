"""Presets: a broker's contract-level lines and deadlines (rulebook 1.2, 1.3), by name and date.

A, B, C and D are built in (schedule.yaml); `reference.rules` adds versions of them or new names. Lines and rearm are
integers in 1e-4, commission and annual rates in 1e-6, dates day numbers, `cure_by` and `liquidate_from` trading days after
the day of the call.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agents.rules.schedule import Schedule, built_in
from schemas.errors import BadRecord
from schemas.units import RATIO_SCALE

REALTIME = "realtime"
BY_SETTLED = "by_settled"
INTRADAY = "intraday"
AT_SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Preset:
    """One version of a preset, in force from `valid_from` (day number) until the next version of the same name."""

    name: str
    valid_from: int
    warn: int
    min: int
    immediate: int | None
    immediate_mode: str
    target: int
    cure_by: int
    cure_at: str
    liquidate_from: int
    rearm: int
    commission: int
    financing_rate: int
    lending_rate: int
    auto_pay: bool
