"""Open episodes: one row per account in trouble (contract section 3, `margin.calls`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agents.books.columns import ReusedRows, Snapshot, numbers
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


class Episodes(ReusedRows):
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

    account: memoryview = numbers("i4", -1)
    date: memoryview = numbers("i4", -1)
    number: memoryview = numbers("i4")
    state: memoryview = numbers("i1", NOTICE)
    step: memoryview = numbers("i4")
    batch: memoryview = numbers("i4")
    called_index: memoryview = numbers("i4", -1)
    cure_by: memoryview = numbers("i4", -1)
    liquidate_from: memoryview = numbers("i4", -1)
    extra_days: memoryview = numbers("i4")
    at_once: memoryview = numbers("i1")
    reason: memoryview = numbers("i1")
    pursued: memoryview = numbers("i1", NOT_PURSUED)
    obliged: memoryview = numbers("i1")
    obliged_index: memoryview = numbers("i4", -1)
    obliged_date: memoryview = numbers("i4", -1)
    snapshots: memoryview = numbers("i4")
    held: memoryview = numbers("i1")
    capped: memoryview = numbers("i1")
    approved: memoryview = numbers("i1")
    acknowledged: memoryview = numbers("i1")

    def __init__(self) -> None:
        super().__init__()
        self.commands: dict[int, tuple[str, str]] = {}

    def open(self, account: int, date: int, number: int) -> int:
        """A new episode."""
        row = self.take()
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
        self.give_back(row)

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
            f"{prefix}.commands": orjson.dumps([[row, *self.commands[row]] for row in sorted(self.commands)]),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self.commands = {
            row: (name, by) for row, name, by in orjson.loads(bytes(snapshot[f"{prefix}.commands"]))
        }
