"""Open episodes: one row per account in trouble (contract section 3, `margin.calls`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import orjson

from agents.books.columns import Columns, Snapshot, Spec
from agents.rules.presets import Preset
from schemas.alerts import CALL_REASONS

NOTICE = 0
"""`warned` or `below_min`, not yet a call."""
CALLED = 1
"""The formal call is open."""
EXPIRED = 2
"""The deadline has passed; liquidation waits for its day."""
AT_ONCE = 3
"""`immediate`: a plan is made as soon as trading is continuous."""
LIQUIDATING = 4

STATE_NAMES = ("notice", "called", "expired", "immediate", "liquidating")

RATIO, MATURITY, FREEZE, CREDIT = range(4)
assert CALL_REASONS == ("ratio", "maturity", "freeze", "credit")

NOT_PURSUED = 0
"""Liquidation does not aim at the ratio's target (yet)."""
PURSUED = 1
"""The call expired: from its day on the ratio is to be brought back to the target."""
PURSUED_AT_ONCE = 2
"""Below the immediate line: at once."""


class Episodes(Columns):
    """Rows of open episodes. `step` counts records, `batch` plans, `snapshots` the evidence taken between
    records; `reason` (index of CALL_REASONS) is the latest trigger's. `held` by an operator, `capped` by the
    ceiling of one evaluation.

    Two demands run beside each other, each with its clock. The ratio's: `called_index` is the trading day
    (counted from 0) of the call, -1 before it, `cure_by` and `liquidate_from` the trading days after it that
    the preset gave then, `pursued` whether liquidation aims at the target. The
    obligations': `obliged` is their reason (index of CALL_REASONS, 0 = none), `obliged_index` the trading day
    of maturity, `obliged_date` the date up to which what matured has been called. `extra_days` is what
    operators added to both; `at_once` says the deadline is T.
    """

    SPEC: ClassVar[Spec] = {
        "account": ("i4", -1, 1),
        "date": ("i4", -1, 1),
        "number": ("i4", 0, 1),
        "state": ("i1", NOTICE, 1),
        "step": ("i4", 0, 1),
        "batch": ("i4", 0, 1),
        "called_index": ("i4", -1, 1),
        "cure_by": ("i4", -1, 1),
        "liquidate_from": ("i4", -1, 1),
        "extra_days": ("i4", 0, 1),
        "at_once": ("i1", 0, 1),
        "reason": ("i1", 0, 1),
        "pursued": ("i1", NOT_PURSUED, 1),
        "obliged": ("i1", 0, 1),
        "obliged_index": ("i4", -1, 1),
        "obliged_date": ("i4", -1, 1),
        "snapshots": ("i4", 0, 1),
        "held": ("i1", 0, 1),
        "capped": ("i1", 0, 1),
        "approved": ("i1", 0, 1),
        "acknowledged": ("i1", 0, 1),
    }
    account: memoryview
    date: memoryview
    number: memoryview
    state: memoryview
    step: memoryview
    batch: memoryview
    called_index: memoryview
    cure_by: memoryview
    liquidate_from: memoryview
    extra_days: memoryview
    at_once: memoryview
    reason: memoryview
    pursued: memoryview
    obliged: memoryview
    obliged_index: memoryview
    obliged_date: memoryview
    snapshots: memoryview
    held: memoryview
    capped: memoryview
    approved: memoryview
    acknowledged: memoryview

    def __init__(self) -> None:
        super().__init__()
        self.free: list[int] = []
        self.commands: dict[int, tuple[str, str]] = {}

    def open(self, account: int, date: int, number: int) -> int:
        """A new episode."""
        row = self.free.pop() if self.free else self.append()
        self.account[row] = account
        self.date[row] = date
        self.number[row] = number
        return row

    def call(self, row: int, index: int, preset: Preset) -> None:
        """The formal call on trading day `index`; with the preset's deadline of that day."""
        self.called_index[row] = index
        self.cure_by[row], self.liquidate_from[row] = preset.cure_by, preset.liquidate_from

    def end(self, row: int) -> None:
        """The episode is over."""
        self.commands.pop(row, None)
        self.reset(row)
        self.free.append(row)

    def told(self, row: int) -> tuple[int, int, int] | None:
        """Which record was the latest of the episode, None for no row."""
        return (self.date[row], self.number[row], self.step[row]) if row >= 0 else None

    def living(self) -> list[int]:
        """Accounts with an open episode, in no particular order."""
        accounts: list[int] = self.used("account").tolist()
        return [account for account in accounts if account >= 0]

    def snapshot(self, prefix: str) -> Snapshot:
        """Everything."""
        return {
            **super().snapshot(prefix),
            f"{prefix}.free": np.asarray(self.free, dtype=np.int32),
            f"{prefix}.commands": orjson.dumps([[row, *self.commands[row]] for row in sorted(self.commands)]),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self.free = np.asarray(snapshot[f"{prefix}.free"]).tolist()
        self.commands = {
            row: (name, by) for row, name, by in orjson.loads(bytes(snapshot[f"{prefix}.commands"]))
        }
