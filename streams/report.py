"""A finished run day by day: debts, ratios, calls and forced liquidations, read from its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.units import format_money, format_ratio
from streams.days.decimals import milli_column
from streams.errors import UserError
from streams.results import REPORT

_UNDER = ("below_min", "immediate")
_CASH_BACK = ("sell_to_repay", "collateral_sell", "buy_to_return")
_LOCKED = frozenset({"limit_down", "limit_up", "suspended", "halted"})


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day of a run. Money in 0.001 yuan; `assets` and `debt` are those of the indebted accounts at
    `settled`, `under` how many of these are below the minimum line. `called` to `shortfalls` count steps of
    calls, `matured` those for contracts that fell due. `selling` accounts got orders worth `ordered` at mark;
    `stuck` accounts had a plan of which nothing could be sold, for a limit, a halt or a suspension.
    """

    date: str
    indebted: int
    assets: int
    debt: int
    financing_balance: int
    repayments: int
    under: int
    called: int
    matured: int
    expired: int
    immediate: int
    selling: int
    ordered: int
    stuck: int
    cured: int
    shortfalls: int
    dead_letters: int

    @property
    def ratio(self) -> str | None:
        """Maintenance ratio of all indebted accounts together, six places."""
        return format_ratio(self.assets, self.debt) if self.debt else None

    def json(self) -> dict[str, Any]:
        """As published: money in yuan."""
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        money = ("assets", "debt", "financing_balance", "repayments", "ordered")
        return shown | {name: format_money(shown[name]) for name in money} | {"ratio": self.ratio}


def report(results: Path) -> Iterator[DayReport]:
    """The days of a finished run in order. Raises UserError for a directory that holds none."""
    days = sorted(results.glob("date=*"))
    if not days or not (results / REPORT).is_file():
        raise UserError(
            f"{results} holds no finished run", advice="make one with: liangrong run DAY... --out DIR"
        )
    for day in days:
        yield _day(day)


def _day(day: Path) -> DayReport:
    ratios = _read(day, "margin.ratios")
    settled = ratios.filter(ratios["settled"]) if ratios is not None else None
    indebted = settled.filter(pc.not_equal(settled["level"], "no_debt")) if settled is not None else None
    levels = Counter(indebted["level"].to_pylist()) if indebted is not None else Counter()
    balances = _read(day, "financing.balances")
    letters = _read(day, "dead.letters")
    return DayReport(
        date=day.name.removeprefix("date="),
        indebted=indebted.num_rows if indebted is not None else 0,
        assets=_sum(indebted, "assets"),
        debt=_sum(indebted, "debt"),
        financing_balance=_sum(balances, "financing_balance"),
        repayments=_sum(balances, "repayments"),
        under=sum(levels[level] for level in _UNDER),
        dead_letters=letters.num_rows if letters is not None else 0,
        **_steps(day),
        **_liquidations(day),
    )


def _steps(day: Path) -> dict[str, int]:
    table = _read(day, "margin.calls")
    steps: Counter[tuple[str, bool]] = Counter()
    if table is not None:
        reasons = table["reason"].to_pylist()
        steps.update(zip(table["event"].to_pylist(), (why == "ratio" for why in reasons), strict=True))

    def both(event: str) -> int:
        return steps[event, True] + steps[event, False]

    return {
        "called": steps["called", True],
        "matured": steps["called", False],
        "expired": steps["expired", True],
        "immediate": both("immediate"),
        "cured": both("cured") + both("closed"),
        "shortfalls": both("shortfall"),
    }


def _liquidations(day: Path) -> dict[str, int]:
    table = _read(day, "liquidation.orders")
    selling: set[str] = set()
    stuck: set[str] = set()
    ordered = 0
    for row in [] if table is None else table.to_pylist():
        if row.get("business") in _CASH_BACK:
            selling.add(row["account"])
            ordered += row["qty"] * _milli(row["mark"])
        elif row.get("event") == "plan" and _locked(row["residual"]):
            stuck.add(row["account"])
    return {"selling": len(selling), "ordered": ordered, "stuck": len(stuck - selling)}


def _locked(residual: str) -> bool:
    return any(part["why"] in _LOCKED for part in orjson.loads(residual))


def _milli(money: str) -> int:
    return int(milli_column(pa.array([money]), 0)[0])


def _read(day: Path, topic: str) -> pa.Table | None:
    path = day / f"{topic}.parquet"
    return pq.read_table(path) if path.is_file() else None


def _sum(table: pa.Table | None, column: str) -> int:
    if table is None or column not in table.column_names:
        return 0
    return int(milli_column(table.column(column), 0).sum())
