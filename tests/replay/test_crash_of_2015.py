"""The crash of 2015 in small: few accounts, from contracts that mature to days locked at the limit.

The whole of it, 50,000 accounts and eleven weeks, is what README's commands run.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from pathlib import Path

import orjson
import pytest

from streams.books.crash_2015 import write_crash_2015
from streams.checking import check, published
from streams.days.reader import open_days
from streams.report import DayReport, report
from streams.results import Results
from streams.run import RunOptions, run_days

DAYS = 19
ACCOUNTS = 500


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summer")
    made = write_crash_2015(folder / "days", ACCOUNTS, seed=1)
    results = Results(folder / "out")
    options = RunOptions(window_ms=30 * 60_000, partitions=1, market_partitions=1, liquidation="simulate")
    days = open_days(list(made.directories[:DAYS]))
    results.close(run_days(days, options, results.keep, audit=True))
    return folder / "out"


def of(out: Path, topic: str) -> list[dict[str, object]]:
    return [value for day in sorted(out.glob("date=*")) for value in published(day, topic)]


@pytest.fixture(scope="module")
def days(out: Path) -> list[DayReport]:
    return list(report(out))


def test_every_alert_explains(out: Path) -> None:
    found = check(out)
    assert found.wrong == []
    assert found.explained["margin.calls"] > 1_000


def test_the_crash_brings_calls_then_forced_sales_then_days_on_which_nothing_can_be_sold(
    days: list[DayReport],
) -> None:
    calm, crash = days[:8], days[-8:]
    assert sum(day.called for day in crash) > 2 * sum(day.called for day in calm)
    assert sum(day.ordered for day in crash) > 2 * sum(day.ordered for day in calm)
    assert max(day.stuck for day in crash) > max(day.stuck for day in calm)
    assert days[-1].debt < days[0].debt


def test_contracts_mature_and_what_is_locked_at_the_limit_says_so(out: Path) -> None:
    reasons = Counter(call["reason"] for call in of(out, "margin.calls"))
    assert reasons["maturity"] > 0
    plans = [plan for plan in of(out, "liquidation.orders") if plan.get("event") == "plan"]
    whys = Counter(part["why"] for plan in plans for part in plan["residual"])  # type: ignore[attr-defined]
    assert {"limit_down", "suspended"} <= set(whys)


def test_dates_decide_the_preset_and_whether_a_contract_may_be_extended(out: Path) -> None:
    unnamed = [call for call in of(out, "margin.calls") if call["event"] == "called"]
    before = {call["preset"] for call in unnamed if str(call["date"]) < "2015-07-02"}
    after = {call["preset"] for call in unnamed if str(call["date"]) >= "2015-07-02"}
    assert "C" not in before
    assert "C" in after


def test_what_is_refused_are_payments_of_contracts_that_a_forced_sale_repaid(out: Path) -> None:
    sold = {order["account"] for order in of(out, "liquidation.orders") if "business" in order}
    letters = of(out, "dead.letters")
    assert {letter["reason"] for letter in letters} <= {
        "more than is owed",
        "the account has no such contract",
    }
    refused = {orjson.loads(b64decode(str(letter["value_base64"])))["account"] for letter in letters}
    assert refused
    assert refused <= sold
