"""Contract lines of brokers, as rulebook 1.3 and section 20 tell them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tests.oracle.dated import CONTRACT_DECIDES_SINCE, OTHER_COLLATERAL_SINCE


@dataclass(frozen=True)
class Preset:
    name: str
    warn: Decimal
    min: Decimal
    immediate: Decimal | None
    realtime: bool
    target: Decimal
    cure_by: int
    liquidate_from: int
    cure_intraday: bool = False
    rearm: Decimal = Decimal("0.01")
    auto_pay: bool = False
    financing_rate: Decimal = Decimal(0)
    lending_rate: Decimal = Decimal(0)
    commission: Decimal = Decimal("0.00025")

    def lines(self) -> list[Decimal]:
        """Warn, min and, where there is one, immediate: level n is below line n - 1."""
        return [self.warn, self.min] + ([] if self.immediate is None else [self.immediate])


def _lines(name: str, warn: str, immediate: str | None, realtime: bool, cure_by: int) -> Preset:
    lowest = None if immediate is None else Decimal(immediate)
    return Preset(
        name, Decimal(warn), Decimal("1.30"), lowest, realtime, Decimal("1.50"), cure_by, cure_by + 1
    )


PRESETS = {
    "A": _lines("A", "1.50", None, False, 1),
    "B": _lines("B", "1.50", None, False, 2),
    "C": _lines("C", "1.40", "1.10", False, 1),
    "D": _lines("D", "1.50", "1.15", True, 1),
}


def default_name(day: date) -> str:
    """Preset A before 2015-07-02, preset C with target 1.50 afterwards."""
    return "A" if day < date(2015, 7, 2) else "C"


def from_reference(record: dict[str, object]) -> Preset:
    """A `reference.rules` record."""
    base = PRESETS["C"]

    def number(field: str, default: Decimal) -> Decimal:
        return Decimal(str(record[field])) if field in record else default

    immediate = record.get("immediate")
    return Preset(
        name=str(record["preset"]),
        warn=number("warn", base.warn),
        min=number("min", base.min),
        immediate=None if immediate is None else Decimal(str(immediate)),
        realtime=record.get("immediate_mode") == "realtime",
        target=number("target", base.target),
        cure_by=int(str(record.get("cure_by", 1))),
        liquidate_from=int(str(record.get("liquidate_from", 2))),
        cure_intraday=record.get("cure_at") == "intraday",
        rearm=number("rearm", base.rearm),
        auto_pay=bool(record.get("auto_pay", False)),
        financing_rate=number("financing_rate", Decimal(0)),
        lending_rate=number("lending_rate", Decimal(0)),
        commission=number("commission", Decimal("0.00025")),
    )


class Versions:
    """Every preset by the day it holds from; the first version also holds before its day."""

    def __init__(self) -> None:
        self.by_name: dict[str, dict[date, Preset]] = {
            name: {date(2006, 8, 21): preset} for name, preset in PRESETS.items()
        }

    def take(self, record: dict[str, object]) -> None:
        since = date.fromisoformat(str(record["from"]))
        self.by_name.setdefault(str(record["preset"]), {})[since] = from_reference(record)

    def at(self, name: str | None, day: date) -> Preset:
        """The named preset, or the default of the day."""
        versions = self.by_name[name or default_name(day)]
        return raised(
            versions[max((since for since in versions if since <= day), default=min(versions))], day
        )


def raised(preset: Preset, day: date) -> Preset:
    """What the exchange demands on a day holds whatever the contract says (rulebook 1.2, 1.3)."""
    floor = Decimal("1.30") if day < OTHER_COLLATERAL_SINCE else Decimal(0)
    least, longest = Decimal(0), preset.cure_by
    if day < CONTRACT_DECIDES_SINCE:
        least, longest = Decimal("1.50"), 2
    minimum = max(preset.min, floor)
    return replace(
        preset,
        min=minimum,
        warn=max(preset.warn, minimum),
        target=max(preset.target, minimum, least),
        cure_by=min(preset.cure_by, longest),
        liquidate_from=preset.liquidate_from - max(0, preset.cure_by - longest),
    )
