"""Presets: a broker's contract-level lines and deadlines (rulebook 1.2, 1.3), by name and date.

A, B, C and D are built in (schedule.yaml); a broker's file and `reference.rules` add versions of them or new
names. Lines and rearm are integers in 1e-4, commission and annual rates in 1e-6, dates day numbers, `cure_by`
and `liquidate_from` trading days after the day of the call.

Where the exchange has a floor, a least target or a longest deadline, it holds whatever the contract says
(rulebook 1.2 `line.adjustable`): a version is raised to it on the days it is in force, and is itself again
afterwards.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

from agents.rules.schedule import Schedule, built_in
from agents.rules.values import ScheduleError, count_of, day_of, flag_of, rate_of, ratio_of, text_of
from schemas.errors import BadRecord
from schemas.units import RATE_SCALE, RATIO_SCALE, format_day, parse_day

REALTIME = "realtime"
BY_SETTLED = "by_settled"
INTRADAY = "intraday"
AT_SETTLED = "settled"

BUILT_IN_SINCE = parse_day("2006-08-21")
"""First day of the business: the built-in presets are in force from it."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One version of a preset, in force from `valid_from` (day number) until the next version of the same
    name.
    """

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
    slippage: int = 0

    @property
    def rule(self) -> str:
        """Name and date, as alerts cite it: `preset C@2015-07-02`."""
        return f"preset {self.name}@{format_day(self.valid_from)}"


class RulesReference(Protocol):
    """What `reference.rules` says, decoded (`schemas.reference.RulesReference`)."""

    @property
    def preset(self) -> str: ...
    @property
    def from_(self) -> int: ...
    @property
    def warn(self) -> int: ...
    @property
    def min(self) -> int: ...
    @property
    def immediate(self) -> int | None: ...
    @property
    def immediate_mode(self) -> str: ...
    @property
    def target(self) -> int: ...
    @property
    def cure_by(self) -> int: ...
    @property
    def cure_at(self) -> str: ...
    @property
    def liquidate_from(self) -> int: ...
    @property
    def rearm(self) -> int: ...
    @property
    def commission(self) -> int: ...
    @property
    def financing_rate(self) -> int | None: ...
    @property
    def lending_rate(self) -> int | None: ...
    @property
    def auto_pay(self) -> bool | None: ...
    @property
    def slippage(self) -> int | None: ...


def check(preset: Preset) -> None:
    """Refuse lines and deadlines that contradict each other. Raises BadRecord naming the field of the
    contract.
    """
    complaints = (
        ("min", preset.min > preset.warn, "must not lie above warn"),
        ("min", preset.min <= 0, "must be positive"),
        ("immediate", (preset.immediate or 0) > preset.min, "must not lie above min"),
        (
            "immediate_mode",
            preset.immediate_mode not in {REALTIME, BY_SETTLED},
            "must be realtime or by_settled",
        ),
        ("target", preset.target < preset.min, "must not lie below min"),
        ("target", preset.target <= RATIO_SCALE, "must lie above 1.00, else no sale can reach it"),
        ("cure_at", preset.cure_at not in {AT_SETTLED, INTRADAY}, "must be settled or intraday"),
        ("cure_by", preset.cure_by < 0, "must not be negative"),
        ("liquidate_from", preset.liquidate_from <= preset.cure_by, "must come after cure_by"),
        ("rearm", preset.rearm < 0, "must not be negative"),
        ("slippage", not 0 <= preset.slippage < RATE_SCALE // 2, "must lie below 0.5"),
    )
    for field, wrong, reason in complaints:
        if wrong:
            raise BadRecord(field, reason)


_OPTIONAL = {"from", "financing_rate", "lending_rate", "auto_pay", "slippage"}
_NEEDED = {
    "warn", "min", "immediate", "immediate_mode", "target", "cure_by", "cure_at", "liquidate_from", "rearm",
    "commission", "source",
}  # fmt: skip


def preset_of(name: str, raw: Any, where: str) -> Preset:
    """One version from YAML, in force from its `from`, else from the first day of the business. Raises
    ScheduleError with the place.
    """
    if not isinstance(raw, dict):
        raise ScheduleError(f"{where}: a preset is a mapping, got {raw!r}")
    missing, unknown = _NEEDED - set(raw), set(raw) - _NEEDED - _OPTIONAL
    if missing or unknown:
        raise ScheduleError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    preset = Preset(
        name=name,
        valid_from=day_of(raw["from"], f"{where}.from") if "from" in raw else BUILT_IN_SINCE,
        warn=ratio_of(raw["warn"], f"{where}.warn"),
        min=ratio_of(raw["min"], f"{where}.min"),
        immediate=None if raw["immediate"] is None else ratio_of(raw["immediate"], f"{where}.immediate"),
        immediate_mode=text_of(raw["immediate_mode"], f"{where}.immediate_mode"),
        target=ratio_of(raw["target"], f"{where}.target"),
        cure_by=count_of(raw["cure_by"], f"{where}.cure_by"),
        cure_at=text_of(raw["cure_at"], f"{where}.cure_at"),
        liquidate_from=count_of(raw["liquidate_from"], f"{where}.liquidate_from"),
        rearm=ratio_of(raw["rearm"], f"{where}.rearm"),
        commission=rate_of(raw["commission"], f"{where}.commission"),
        financing_rate=rate_of(raw.get("financing_rate", "0"), f"{where}.financing_rate"),
        lending_rate=rate_of(raw.get("lending_rate", "0"), f"{where}.lending_rate"),
        auto_pay=flag_of(raw.get("auto_pay", False), f"{where}.auto_pay"),
        slippage=rate_of(raw.get("slippage", "0"), f"{where}.slippage"),
    )
    try:
        check(preset)
    except BadRecord as error:
        raise ScheduleError(f"{where}.{error.field}: {error.reason}") from None
    return preset


def versions_of(name: str, raw: Any) -> list[Preset]:
    """All versions of one name in YAML, a mapping or a list of them, in the order of their days. Raises
    ScheduleError.
    """
    where = f"presets.{name}"
    if not isinstance(raw, list):
        return [preset_of(name, raw, where)]
    versions = [preset_of(name, part, f"{where}[{i}]") for i, part in enumerate(raw)]
    for i, (earlier, later) in enumerate(pairwise(versions), start=1):
        if later.valid_from <= earlier.valid_from:
            days = format_day(later.valid_from), format_day(earlier.valid_from)
            raise ScheduleError(f"{where}[{i}]: {days[0]} does not follow {days[1]}")
    return versions


class Presets:
    """All versions of all presets. A later version of a name replaces the earlier one from its day on."""

    def __init__(self, schedule: Schedule | None = None) -> None:
        self._schedule = built_in() if schedule is None else schedule
        self._told: dict[tuple[str, int], Preset] = {}
        self._versions = self._written()

    def _written(self) -> dict[str, list[Preset]]:
        return {name: versions_of(name, raw) for name, raw in self._schedule.presets.items()}

    def default_name(self, day: int) -> str:
        """The preset of an account that names none: A before 2015-07-02, C afterwards."""
        return self._schedule.text("default_preset", day)

    def __contains__(self, name: object) -> bool:
        return name in self._versions

    def at(self, name: str, day: int) -> Preset:
        """The version in force on `day`, with what the exchange demands on that day; before the first
        version's day, the first version.

        Raises KeyError for a name nobody has described.
        """
        versions = self._versions[name]
        found = versions[max(0, bisect_right([version.valid_from for version in versions], day) - 1)]
        return self._as_exchanges_demand(found, day)

    def _as_exchanges_demand(self, preset: Preset, day: int) -> Preset:
        """Lines raised and deadline shortened to what the exchanges demand; liquidation begins as much
        earlier.
        """
        rules = self._schedule
        floor = rules.number_or_none("mmr_floor_exchange", day) or 0
        target = rules.number_or_none("topup_target_min", day) or 0
        longest = rules.number_or_none("topup_deadline_trading_days_max", day)
        minimum = max(preset.min, floor)
        sooner = 0 if longest is None else max(0, preset.cure_by - longest)
        return replace(
            preset,
            min=minimum,
            warn=max(preset.warn, minimum),
            target=max(preset.target, minimum, target),
            cure_by=preset.cure_by - sooner,
            liquidate_from=preset.liquidate_from - sooner,
        )

    def update(self, reference: RulesReference) -> Preset:
        """Take a version from `reference.rules`; the same name and day again replaces it. Raises
        BadRecord.
        """
        preset = Preset(
            name=reference.preset,
            valid_from=reference.from_,
            warn=reference.warn,
            min=reference.min,
            immediate=reference.immediate,
            immediate_mode=reference.immediate_mode,
            target=reference.target,
            cure_by=reference.cure_by,
            cure_at=reference.cure_at,
            liquidate_from=reference.liquidate_from,
            rearm=reference.rearm,
            commission=reference.commission,
            financing_rate=reference.financing_rate or 0,
            lending_rate=reference.lending_rate or 0,
            auto_pay=bool(reference.auto_pay),
            slippage=reference.slippage or 0,
        )
        check(preset)
        self._told[preset.name, preset.valid_from] = preset
        self._insert(preset)
        return preset

    def _insert(self, preset: Preset) -> None:
        others = [
            version
            for version in self._versions.get(preset.name, [])
            if version.valid_from != preset.valid_from
        ]
        self._versions[preset.name] = sorted([*others, preset], key=lambda version: version.valid_from)

    def dump(self) -> list[dict[str, Any]]:
        """Every version that `reference.rules` brought as plain values, ordered by name and day: for
        snapshots and the state hash. What the schedule says is not state.
        """
        return [asdict(self._told[key]) for key in sorted(self._told)]

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Become what `dump` described, over what the schedule says."""
        self._told, self._versions = {}, self._written()
        for row in rows:
            preset = Preset(**row)
            self._told[preset.name, preset.valid_from] = preset
            self._insert(preset)
