"""A finished run day by day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from agents.core import Output
from schemas.units import parse_day
from streams.checking import check
from streams.cli import root
from streams.days.reader import open_days
from streams.errors import UserError
from streams.report import report
from streams.results import Results
from streams.run import RunOptions, run_days
from tests.replay.small_days import two_days

MONDAY = parse_day("2025-04-07")


def ratio(account: str, level: str, assets: str, debt: str, *, settled: bool = True) -> Output:
    record = {"account": account, "ts": 1, "date": "2025-04-07", "level": level, "settled": settled}
    return Output("margin.ratios", account, record | {"assets": assets, "debt": debt})


def step(account: str, event: str, reason: str = "ratio") -> Output:
    return Output("margin.calls", account, {"account": account, "event": event, "reason": reason})


def sale(account: str, qty: int, mark: str) -> Output:
    record = {"account": account, "business": "sell_to_repay", "qty": qty, "mark": mark}
    return Output("liquidation.orders", account, record)


def plan(account: str, *whys: str) -> Output:
    residual = [{"security": "600000.SH", "qty": 100, "why": why} for why in whys]
    return Output("liquidation.orders", account, {"account": account, "event": "plan", "residual": residual})


@pytest.fixture
def of(tmp_path: Path) -> Callable[..., dict[str, object]]:
    def made(*outputs: Output) -> dict[str, object]:
        results = Results(tmp_path / "out")
        for output in outputs:
            results.keep(MONDAY, output)
        results.close({})
        (day,) = report(tmp_path / "out")
        return day.json()

    return made


def test_debt_and_ratio_are_those_of_indebted_accounts_at_the_settlement(
    of: Callable[..., dict[str, object]],
) -> None:
    day = of(
        ratio("A1", "warn", "9000.00", "5000.00", settled=False),
        ratio("A1", "below_min", "1250.00", "1000.00"),
        ratio("A2", "normal", "3000.00", "1000.00"),
        ratio("A3", "no_debt", "7000.00", "0.00"),
    )
    assert (day["indebted"], day["under"], day["debt"], day["ratio"]) == (2, 1, "2000.00", "2.125000")


def test_calls_are_counted_by_what_they_are_for(of: Callable[..., dict[str, object]]) -> None:
    day = of(
        step("A1", "called"), step("A2", "called", "maturity"), step("A1", "expired"), step("A3", "closed")
    )
    assert (day["called"], day["matured"], day["expired"], day["cured"]) == (1, 1, 1, 1)


def test_an_account_is_stuck_when_nothing_of_its_plan_could_be_ordered(
    of: Callable[..., dict[str, object]],
) -> None:
    day = of(
        *(plan("A1", "limit_down"), sale("A1", 300, "12.50"), sale("A1", 100, "1.00")),
        *(plan("A2", "limit_down"), plan("A3", "suspended"), plan("A4", "frozen")),
    )
    assert (day["selling"], day["ordered"], day["stuck"]) == (1, "3850.00", 2)


def test_a_day_on_which_nothing_was_said_has_zeros(of: Callable[..., dict[str, object]]) -> None:
    day = of(Output("dead.letters", "x", {"id": "x"}))
    assert (day["indebted"], day["ratio"], day["selling"], day["dead_letters"]) == (0, None, 0, 1)


def test_a_directory_without_a_finished_run_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run"):
        next(report(tmp_path))


def test_every_alert_of_a_run_is_explained_and_a_changed_figure_is_found(tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = Results(out)
    options = RunOptions(window_ms=60_000, liquidation="simulate")
    results.close(run_days(open_days(two_days(tmp_path)), options, results.keep))
    found = check(out)
    assert found.explained["margin.calls"] > 0
    assert found.wrong == []

    path = next(out.glob("date=*/margin.calls.parquet"))
    table = pq.read_table(path)
    place = table.column_names.index("assets")
    table = table.set_column(place, "assets", pa.array(["1.00"] * len(table)))
    pq.write_table(table, path)
    assert len(check(out).wrong) == len(table)
    answer = CliRunner().invoke(root, ["report", str(out), "--check"])
    assert answer.exit_code == 1
    assert "do not add up" in answer.output


def test_the_picture_of_a_run_has_a_bar_for_every_figure(tmp_path: Path) -> None:
    out, picture = tmp_path / "out", tmp_path / "days.svg"
    results = Results(out)
    for day, under in ((MONDAY, 2), (MONDAY + 1, 4)):
        for number in range(under):
            results.keep(day, ratio(f"A{number}", "below_min", "1250.00", "1000.00"))
    results.close({})
    answer = CliRunner().invoke(root, ["report", str(out), "--picture", str(picture)])
    assert answer.exit_code == 0
    drawn = ET.parse(picture).getroot()
    bars = [bar for bar in drawn.iter("{http://www.w3.org/2000/svg}rect") if bar.get("fill") == "#f0a8a8"]
    first, second = (float(bar.get("height", "0")) for bar in bars)
    assert second == pytest.approx(2 * first, rel=0.01)


def test_a_run_without_days_and_a_picture_that_cannot_be_written_are_said_in_a_line(tmp_path: Path) -> None:
    empty, out = tmp_path / "empty", tmp_path / "out"
    Results(empty).close({})
    with pytest.raises(UserError, match="no finished run"):
        next(report(empty))
    results = Results(out)
    results.keep(MONDAY, ratio("A1", "warn", "1400.00", "1000.00"))
    results.close({})
    answer = CliRunner().invoke(root, ["report", str(out), "--picture", str(tmp_path / "none" / "x.svg")])
    assert isinstance(answer.exception, UserError)
    assert "cannot write" in str(answer.exception)
