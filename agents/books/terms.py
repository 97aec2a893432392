"""Presets of accounts as array rows: lines for kernels, rates for new contracts (rulebook 1.2, 1.3, 3).

Preset index 0 is "none named": the default of the day (A before 2015-07-02, C afterwards).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from agents.books.columns import Snapshot, text_restore, text_snapshot
from agents.kernels.layout import LINE_IMMEDIATE, LINE_MIN, LINE_REARM, LINE_WARN, LINES_WIDTH
from agents.rules.presets import BUILT_IN_SINCE, Preset, Presets
from schemas.errors import BadRecord
from schemas.reference import RulesReference

_GREATEST_LINE = 92_000
"""MONEY_MAX times it stays below 2^63."""


class Terms:
    """Which preset an account has, and what it says on the current day."""

    def __init__(self) -> None:
        self.presets = Presets()
        self.names: list[str] = [""]
        self._index: dict[str, int] = {}
        self.current: list[Preset] = []
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
        self.current = [
            self.presets.at(name or self.presets.default_name(self.day), self.day) for name in self.names
        ]
        self.lines = np.zeros((len(self.current), LINES_WIDTH), dtype=np.int64)
        for row, preset in enumerate(self.current):
            self.lines[row, LINE_WARN] = preset.warn
            self.lines[row, LINE_MIN] = preset.min
            self.lines[row, LINE_IMMEDIATE] = preset.immediate or 0
            self.lines[row, LINE_REARM] = max(0, min(preset.rearm, _GREATEST_LINE - preset.warn))
        self.rows = [tuple(row) for row in self.lines.tolist()]
        return [i for i, preset in enumerate(self.current) if i >= len(before) or before[i] != preset]

    def update(self, reference: RulesReference) -> list[int]:
        """Takes a version from `reference.rules`; returns the indices whose terms changed. Raises
        BadRecord.
        """
        self.presets.update(reference)
        return self.begin_day(self.day)

    def snapshot(self) -> Snapshot:
        """All versions of all presets, and the index of names."""
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
