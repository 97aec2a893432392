"""Presets: a broker's contract-level lines and deadlines (rulebook 1.2, 1.3), by name and date.

A, B, C and D are built in (schedule.yaml); `reference.rules` adds versions of them or new names. Lines and
rearm are integers in 1e-4, commission and annual rates in 1e-6, dates day numbers, `cure_by` and
`liquidate_from` trading days after the day of the call.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agents.rules.schedule import Schedule, ScheduleError, built_in, rate_of, ratio_of
from schemas.errors import BadRecord
from schemas.units import RATIO_SCALE, format_day, parse_day

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
    )
    for field, wrong, reason in complaints:
        if wrong:
            raise BadRecord(field, reason)


def _built_in(name: str, raw: Mapping[str, Any]) -> Preset:
    where = f"presets.{name}"
    try:
        preset = Preset(
            name=name,
            valid_from=BUILT_IN_SINCE,
            warn=ratio_of(raw["warn"], where),
            min=ratio_of(raw["min"], where),
            immediate=None if raw["immediate"] is None else ratio_of(raw["immediate"], where),
            immediate_mode=raw["immediate_mode"],
            target=ratio_of(raw["target"], where),
            cure_by=raw["cure_by"],
            cure_at=raw["cure_at"],
            liquidate_from=raw["liquidate_from"],
            rearm=ratio_of(raw["rearm"], where),
            commission=rate_of(raw["commission"], where),
            financing_rate=0,
            lending_rate=0,
            auto_pay=False,
        )
        check(preset)
    except KeyError as missing:
        raise ScheduleError(f"{where}: {missing} is missing") from None
    except BadRecord as error:
        raise ScheduleError(f"{where}.{error.field}: {error.reason}") from None
    return preset


class Presets:
    """All versions of all presets. A later version of a name replaces the earlier one from its day on."""

    def __init__(self, schedule: Schedule | None = None) -> None:
        self._schedule = built_in() if schedule is None else schedule
        self._versions: dict[str, list[Preset]] = {
            name: [_built_in(name, raw)] for name, raw in self._schedule.presets.items()
        }

    def default_name(self, day: int) -> str:
        """The preset of an account that names none: A before 2015-07-02, C afterwards."""
        return self._schedule.text("default_preset", day)

    def __contains__(self, name: object) -> bool:
        return name in self._versions

    def at(self, name: str, day: int) -> Preset:
        """The version in force on `day`; before the first version's day, the first version.

        Raises KeyError for a name nobody has described.
        """
        versions = self._versions[name]
        return versions[max(0, bisect_right([version.valid_from for version in versions], day) - 1)]

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
        )
        check(preset)
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
        """Every version as plain values, ordered by name and day: for snapshots and the state hash."""
        return [asdict(version) for name in sorted(self._versions) for version in self._versions[name]]

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Become what `dump` described."""
        self._versions = {}
        for row in rows:
            self._insert(Preset(**row))
