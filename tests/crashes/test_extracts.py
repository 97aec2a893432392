"""How the prices that the package carries were taken from their sources, on sources of a few rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.crashes.carried import carried_label, carried_table
from streams.crashes.extracts import EXTRACTS, extract_crash_2015, main

HEAD = "symbol,bar_end,open_fen,high_fen,low_fen,close_fen,volume,amount"
QUARTERS = (
    "600000,2025-03-31 09:45,1,1,1,1,1,1",
    "600000,2025-04-03 09:45,1000,1010,990,1005,400,1",
    "600000,2025-04-03 10:00,1005,1030,1000,1020,600,1",
    "600001,2025-04-03 15:00,200,200,200,200,100,1",
    "600000,2025-04-07 09:45,918,930,918,920,300,1",
    "600000,2025-04-07 10:00,920,920,918,918,200,1",
    "600001,2025-04-07 09:45,190,195,190,190,100,1",
    "600999,2025-04-08 09:45,1,1,1,1,1,1",
)
_DAYS = (date(2015, 6, 12), date(2015, 6, 15), date(2015, 8, 31), date(2015, 9, 1))


def table_of(folder: Path, name: str, source: Path) -> pa.Table:
    main([name, str(source), str(folder / f"{name}.parquet")], standalone_mode=False)
    return pq.read_table(folder / f"{name}.parquet")


def test_the_days_before_the_crash_of_2025_are_one_bar_and_the_day_itself_quarters(tmp_path: Path) -> None:
    source = tmp_path / "bars.csv"
    source.write_text("\n".join([HEAD, *QUARTERS]) + "\n")
    table = table_of(tmp_path, "crash_2025_04_07", source)
    days = (date(2025, 4, 3), date(2025, 4, 7))
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("600000.SH", days[0], 570, 900, 1000, 1030, 990, 1020, 1000, 10),
        ("600001.SH", days[0], 570, 900, 200, 200, 200, 200, 100, 5),
        ("600000.SH", days[1], 570, 585, 918, 930, 918, 920, 300, 10),
        ("600000.SH", days[1], 585, 600, 920, 920, 918, 918, 200, 10),
        ("600001.SH", days[1], 570, 585, 190, 195, 190, 190, 100, 5),
    ]
    assert table["security"].combine_chunks().dictionary.to_pylist() == ["600000.SH", "600001.SH"]
    assert table.schema == carried_table("crash_2025_04_07").schema


def daily_bars(folder: Path) -> Path:
    """Three stocks from the evening before to a day too late: one large, one small, one with an unknown
    price.
    """
    stocks = (("600001.SH", 500, 1), ("600002.SH", 900, 1), ("600003.SH", 9_000, 3))
    rows = [
        {
            "date": day, "code": code, "open_fen": 100, "high_fen": 120, "low_fen": 90, "close_fen": 110,
            "preclose_fen": 100, "volume": 7, "float_shares_est": thousands * 1000.4, "price_flag": flag,
            "suspended": code == "600001.SH" and day == _DAYS[1], "is_st": False,
        }
        for code, thousands, flag in stocks
        for day in _DAYS
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "daily.parquet")
    return folder / "daily.parquet"


def test_the_crash_of_2015_keeps_the_largest_stocks_whose_price_is_always_known(tmp_path: Path) -> None:
    source = daily_bars(tmp_path)
    table = extract_crash_2015(source, stocks=1)
    assert table["security"].to_pylist() == ["600002.SH"] * 3
    assert table["date"].to_pylist() == list(_DAYS[:3])
    assert table["float_shares"].to_pylist() == [900_000] * 3
    both = extract_crash_2015(source, stocks=2)
    assert both["security"].to_pylist() == ["600001.SH", "600002.SH"] * 3
    assert both["volume"].to_pylist() == [7, 7, 0, 7, 7, 7], "none while suspended"
    assert both.schema == carried_table("crash_2015").schema


@pytest.mark.parametrize("name", sorted(EXTRACTS))
def test_what_is_carried_says_where_it_comes_from(name: str) -> None:
    label = carried_label(name)
    assert "github.com/" in label.origin
    assert "not covered by this project's licence" in label.licence
    assert carried_table(name).num_rows > 10_000
