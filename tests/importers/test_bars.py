"""Bars as ticks: what is taken from the bar, and when it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import decode
from schemas.units import parse_day, shanghai_ms
from streams.days.reader import RecordedDay
from streams.errors import UserError
from streams.importers.assemble import import_files

HEAD = "symbol,bar_end,open_fen,high_fen,low_fen,close_fen,volume,amount"
DAY = "2025-04-07"


def bars_file(folder: Path, *rows: str) -> Path:
    path = folder / "bars.csv"
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def one_day(folder: Path, *rows: str) -> RecordedDay:
    source = bars_file(folder, *rows)
    (directory,) = import_files("bars15", [source], folder / "days", dates=[parse_day(DAY)])
    return RecordedDay(directory)


def events(day: RecordedDay, topic: str) -> list[dict[str, Any]]:
    return [orjson.loads(value) for value in day.json_topic(topic).values]


YESTERDAY = "600000,2025-04-03 15:00,1000,1000,1000,1000,100,1000"


def test_a_rising_bar_goes_through_its_low_first(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,980,1010,970,1000,4000,1000")
    assert [trade["price"] for trade in events(day, "market.trades")] == [
        "9.800",
        "9.700",
        "10.100",
        "10.000",
    ]


def test_a_falling_bar_goes_through_its_high_first(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,1000,1010,970,980,4000,1000")
    assert [trade["price"] for trade in events(day, "market.trades")] == [
        "10.000",
        "10.100",
        "9.700",
        "9.800",
    ]


def test_the_trades_carry_the_volume_of_the_bar_and_lie_inside_it(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,980,1010,970,1000,1237,1000")
    trades = events(day, "market.trades")
    assert sum(trade["qty"] for trade in trades) == 1237
    moments = [shanghai_ms(trade["ts"]) for trade in trades]
    assert moments == sorted(moments)
    assert 9 * 60 + 45 <= moments[0] / 60_000 <= moments[-1] / 60_000 <= 600


def test_the_days_first_open_is_the_opening_call_and_its_last_close_three_oclock(tmp_path: Path) -> None:
    day = one_day(
        tmp_path,
        YESTERDAY,
        f"600000,{DAY} 09:45,980,1010,970,1000,4000,1000",
        f"600000,{DAY} 15:00,1000,1010,970,990,4000,1000",
    )
    moments = [shanghai_ms(trade["ts"]) for trade in events(day, "market.trades")]
    assert moments[0] == (9 * 60 + 25) * 60_000
    assert moments[-1] == 15 * 60 * 60_000


def test_a_bar_locked_at_the_lower_limit_has_no_bid(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,900,900,900,900,4000,1000")
    for quote in events(day, "market.quotes"):
        assert quote["bid"] == []
        assert quote["ask"] == [["9.000", 100]]
        assert (quote["limit_down"], quote["limit_up"]) == ("9.000", "11.000")


def test_a_bar_locked_at_the_upper_limit_has_no_ask(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,1100,1100,1100,1100,4000,1000")
    assert {(str(q["bid"]), str(q["ask"])) for q in events(day, "market.quotes")} == {
        ("[['11.000', 100]]", "[]")
    }


def test_a_stock_that_only_touches_its_limit_still_has_a_bid(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,950,950,900,900,4000,1000")
    assert all(quote["bid"] for quote in events(day, "market.quotes"))


def test_a_bar_without_volume_gives_quotes_only(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,900,900,900,900,0,0")
    assert "market.trades" not in day.topics
    assert {quote["last"] for quote in events(day, "market.quotes")} == {"9.000"}


def test_a_suspended_stock_gives_one_quote_that_says_so(tmp_path: Path) -> None:
    day = one_day(tmp_path, YESTERDAY, f"600000,{DAY} 10:00,0,0,0,0,0,0")
    (quote,) = events(day, "market.quotes")
    assert quote["halted"] is True
    assert "last" not in quote
    assert quote["prev_close"] == "10.000"
    (facts,) = events(day, "reference.securities")
    assert facts["suspended"] is True


def test_a_date_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no bars of 2025-04-08"):
        import_files(
            "bars15", [bars_file(tmp_path, YESTERDAY)], tmp_path / "d", dates=[parse_day("2025-04-08")]
        )


def test_daily_bars_carry_the_exchanges_previous_close_st_and_suspension(tmp_path: Path) -> None:
    day = np.array(["2015-08-24"] * 3, dtype="datetime64[D]")
    table = {
        "date": pa.array(day).cast(pa.date32()),
        "code": ["600000.SH", "600001.SH", "600002.SH"],
        "open_fen": [1000, 500, 800],
        "high_fen": [1000, 510, 800],
        "low_fen": [900, 475, 800],
        "close_fen": [900, 475, 800],
        "preclose_fen": [1000, 500, 800],
        "volume": [4000, 4000, 0],
        "float_shares_est": [10_000, None, 30_000],
        "suspended": [False, False, True],
        "is_st": [False, True, False],
        "price_flag": pa.array([1, 1, 2], pa.int8()),
    }
    pq.write_table(pa.table(table), tmp_path / "daily.parquet")
    with pytest.raises(UserError, match="many dates"):
        import_files("daily", [tmp_path / "daily.parquet"], tmp_path / "days")
    (directory,) = import_files(
        "daily",
        [tmp_path / "daily.parquet"],
        tmp_path / "days",
        dates=[parse_day("2015-08-24")],
        licence="CC0",
    )
    label = orjson.loads((directory / "day.json").read_bytes())
    assert (label["origin"], label["licence"]) == ("imported from daily.parquet (daily)", "CC0")
    recorded = RecordedDay(directory)
    facts = {record["security"]: record for record in events(recorded, "reference.securities")}
    assert facts["600000.SH"]["limit_down"] == "9.000"
    assert facts["600001.SH"]["limit_down"] == "4.750"
    assert facts["600001.SH"]["st"] is True
    assert facts["600002.SH"]["suspended"] is True
    assert (facts["600000.SH"]["float_shares"], "float_shares" in facts["600001.SH"]) == (10_000, False)
    for topic in recorded.topics:
        for value in recorded.json_topic(topic).values:
            decode(topic, value)
    phases = [(session["phase"], session["market"]) for session in events(recorded, "market.session")]
    assert ("closing_call", "SZ") in phases  # Shanghai has had a closing call since 2018-08-20 only
    assert phases[0] == ("pre_open", "ALL")
    assert phases[-1] == ("settled", "ALL")
