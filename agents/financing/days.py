"""Totals of a day: what each shard reported, whether all have, and what was published of it.

A shard's totals are absolute for its day, so the last report of a shard replaces its earlier ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.financing.figures import Balances
from schemas.units import parse_day

NOT_SETTLED = -1


@dataclass(frozen=True, slots=True)
class Report:
    """One shard's totals of a day; `ts` is that of the session record which closed the day in the shard."""

    shard: int
    day: int
    ts: int
    securities: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Report":
        """From a value of `shard.totals`. Raises KeyError, TypeError, ValueError for anything else."""
        return cls(int(value["shard"]), parse_day(value["date"]), int(value["ts"]), value["securities"])


@dataclass(slots=True)
class DayTotals:
    """The reports of one day. `settled_at`: ts of the last `settled` of the day, 0 when a later day began
    without one, -1 before either. `closes`: marks (milli) at that moment. `published`: what went out of
    each security. `finals`: how often the day was published as final.
    """

    reports: dict[int, Report] = field(default_factory=dict)
    settled_at: int = NOT_SETTLED
    closes: dict[str, int] = field(default_factory=dict)
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    finals: int = 0

    def settle(self, ts: int, closes: dict[str, int]) -> None:
        """The day is over, at these closing prices."""
        self.settled_at = ts
        self.closes = closes

    def complete(self, shards: int) -> bool:
        """Whether the day is settled and every shard has reported it since."""
        if self.settled_at == NOT_SETTLED:
            return False
        return all(
            shard in self.reports and self.reports[shard].ts >= self.settled_at for shard in range(shards)
        )

    def balances(self) -> dict[str, Balances]:
        """The sum over all shards, by security in order of its name."""
        sums: dict[str, Balances] = {}
        for shard in sorted(self.reports):
            for security, row in self.reports[shard].securities.items():
                own = Balances.of(row)
                sums[security] = sums[security] + own if security in sums else own
        return dict(sorted(sums.items()))

    def dump(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "reports": [[r.shard, r.day, r.ts, dict(r.securities)] for _, r in sorted(self.reports.items())],
            "settled_at": self.settled_at,
            "closes": self.closes,
            "published": self.published,
            "finals": self.finals,
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> "DayTotals":
        """From what `dump` gave."""
        reports = [Report(*row) for row in value["reports"]]
        own = {report.shard: report for report in reports}
        return cls(own, value["settled_at"], value["closes"], value["published"], value["finals"])
