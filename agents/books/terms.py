"""Presets of accounts as array rows: lines for kernels, rates for new contracts (rulebook 1.2, 1.3, 3).

Preset index 0 is "none named": the default of the day (A before 2015-07-02, C afterwards).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.books.columns import Snapshot, text_restore, text_snapshot
from agents.kernels.layout import (
    LINE_IMMEDIATE,
    LINE_MIN,
    LINE_REACHED,
    LINE_REARM,
    LINE_WARN,
    LINES_WIDTH,
)
from agents.rules.presets import BUILT_IN_SINCE, Preset, Presets
from agents.rules.schedule import Schedule, built_in
from schemas.errors import BadRecord
from schemas.reference import RulesReference

_GREATEST_LINE = 92_000
"""MONEY_MAX times it stays below 2^63."""


class Terms:
    """Which preset an account has, and what it says on the current day: `current` by preset index, in force
    `since` (day numbers).
    """

    def __init__(self, rules: Schedule | None = None) -> None:
        self.rules = built_in() if rules is None else rules
        self.presets = Presets(rules)
        self.names: list[str] = [""]
        self._index: dict[str, int] = {}
        self.current: list[Preset] = []
        self.since: list[int] = []
        self.lines = np.zeros((1, LINES_WIDTH), dtype=np.int64)
        self.rows: list[tuple[int, ...]] = []
        self.day = BUILT_IN_SINCE
        self.begin_day(self.day)

    def index(self, name: str) -> int:
        """Index of a preset; BadRecord for one nobody has described."""
        if name not in self.presets:
            raise BadRecord("preset", f"is not known: {name}")
        index = self._index.get(name)
        if index is None:
            index = self._index[name] = len(self.names)
            self.names.append(name)
            self.begin_day(self.day)
        return index

    def begin_day(self, day: int) -> list[int]:
        """Versions in force on `day`; returns the indices whose terms changed."""
        self.day = max(day, BUILT_IN_SINCE)
        before = self.current
        self.current = [self._version(name, self.day) for name in self.names]
        self.since = [self._since(name, self.day) for name in self.names]
        self.lines = np.zeros((len(self.current), LINES_WIDTH), dtype=np.int64)
        for row, preset in enumerate(self.current):
            self.lines[row, LINE_WARN] = preset.warn
            self.lines[row, LINE_MIN] = preset.min
            self.lines[row, LINE_IMMEDIATE] = preset.immediate or 0
            self.lines[row, LINE_REARM] = max(0, min(preset.rearm, _GREATEST_LINE - preset.warn))
            self.lines[row, LINE_REACHED] = int(self.rules.inclusive("call_below"))
        self.rows = [tuple(row) for row in self.lines.tolist()]
        return [i for i, preset in enumerate(self.current) if i >= len(before) or before[i] != preset]

    def rates_at(self, day: int) -> NDArray[np.int64]:
        """Annual rates in 1e-6 of every preset index on `day`, int64[2, n]: financing, lending."""
        versions = [self._version(name, day) for name in self.names]
        rates = [
            [version.financing_rate for version in versions],
            [version.lending_rate for version in versions],
        ]
        return np.array(rates, dtype=np.int64)

    def rate_days(self, after: int, until: int) -> list[int]:
        """Days after `after` up to `until` on which a preset of an account begins to say something else."""
        found = set()
        for name in self.names:
            day = until
            while after < (since := self._since(name, day)) <= day:
                found.add(since)
                day = since - 1
        return sorted(found)

    def _version(self, name: str, day: int) -> Preset:
        day = max(day, BUILT_IN_SINCE)
        return self.presets.at(name or self.presets.default_name(day), day)

    def _since(self, name: str, day: int) -> int:
        """The day since which the terms of a preset are what they are on `day`."""
        since = self._version(name, day).valid_from
        return since if name else max(since, self.rules.entry("default_preset", day).since)

    def update(self, reference: RulesReference) -> list[int]:
        """Takes a version from `reference.rules`; returns the indices whose terms changed. Raises
        BadRecord.
        """
        self.presets.update(reference)
        return self.begin_day(self.day)

    def snapshot(self) -> Snapshot:
        """The versions of presets that `reference.rules` brought, and the index of names."""
        return {
            "terms.presets": orjson.dumps(self.presets.dump()),
            "terms.names": text_snapshot(self.names),
            "terms.rows": np.array([len(self.names), self.day], dtype=np.int64),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        rows, day = np.asarray(snapshot["terms.rows"]).tolist()
        self.presets.load(orjson.loads(bytes(snapshot["terms.presets"])))
        self.names = text_restore(snapshot["terms.names"], rows)
        self._index = {name: index for index, name in enumerate(self.names) if name}
        self.current = []
        self.begin_day(day)
