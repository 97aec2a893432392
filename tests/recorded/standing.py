"""Books as their openings say, and where they stand: assets, debt and ratio by rulebook 1.1 in decimals.

Nothing of the project is used here: the openings are read from the recorded day with pyarrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.recorded.observations import Ladder

Opening = dict[str, Any]
ZERO = Decimal(0)
MILLI = Decimal("0.001")
SHOWN = Decimal("0.000001")
DAYS_OF_A_YEAR = 360


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account has and owes; `ratio` as shown, None without a debt or with something unpriced."""

    assets: Decimal
    debt: Decimal
    ratio: str | None
    unpriced: tuple[str, ...]


def read_openings(day: Path) -> dict[str, Opening]:
    """The openings of a recorded day by account."""
    rows = pq.read_table(day / "account.events.parquet", partitioning=None).to_pylist()
    return {row["account"]: row for row in rows if row["kind"] == "opening"}


def standing(opening: Opening, ladder: Ladder) -> Standing:
    """V = cash + sum(qty * price); Dt = financed + sum(short qty * price) + interest."""
    shorts = [item for item in opening["contracts"] if item["type"] == "lending"]
    needed = {item["security"] for item in [*opening["positions"], *shorts]}
    unpriced = tuple(sorted(name for name in needed if ladder.mark(name) is None))
    assets = opening["cash"] + value(opening["positions"], ladder)
    financed = sum((item["principal"] for item in opening["contracts"] if item["type"] == "financing"), ZERO)
    owed = sum((interest(item, ladder.day) for item in opening["contracts"]), ZERO)
    debt = financed + value(shorts, ladder) + owed
    ratio = None
    if debt and not unpriced:
        ratio = str((assets / debt).quantize(SHOWN, rounding=ROUND_HALF_UP))
    return Standing(assets, debt, ratio, unpriced)


def value(items: list[dict[str, Any]], ladder: Ladder) -> Decimal:
    return sum((Decimal(item["qty"]) * (ladder.mark(item["security"]) or ZERO) for item in items), ZERO)


def interest(contract: dict[str, Any], day: date) -> Decimal:
    """Base * rate / 360 * days (rulebook 9): the first day counts, the present one does not, one day at
    least. What `accrued` names covers every day before this one."""
    base = contract["qty"] * contract["price"] if contract["type"] == "lending" else contract["principal"]
    age = (day - contract["opened"]).days
    days = max(1, age) - (age if contract["accrued"] is not None else 0)
    of_days: Decimal = base * Decimal(contract["rate"]) * days / DAYS_OF_A_YEAR
    accrued: Decimal = contract["accrued"] or ZERO
    return accrued + of_days.quantize(MILLI, rounding=ROUND_HALF_UP)
