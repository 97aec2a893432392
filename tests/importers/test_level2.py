"""Level-2 files in three vendors' layouts, by rows of the real files (tests/data/vendors)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from schemas import decode
from schemas.units import parse_day
from streams.days.reader import RecordedDay
from streams.errors import UserError
from streams.importers.assemble import import_files
from streams.importers.codes import board_of, kind_of, security_name, tick_of
from streams.importers.level2 import sides_by_order_number

VENDORS = Path(__file__).parent.parent / "data" / "vendors"


def imported(form: str, *names: str, to: Path, **more: Any) -> RecordedDay:
    (directory,) = import_files(form, [VENDORS / name for name in names], to, **more)
    return RecordedDay(directory)


def events(day: RecordedDay, topic: str) -> list[dict[str, Any]]:
    return [orjson.loads(value) for value in day.json_topic(topic).values]


def source_rows(name: str) -> list[dict[str, str]]:
    lines = (VENDORS / name).read_text().splitlines()
    head = lines[0].split(",")
    return [dict(zip(head, line.split(","), strict=True)) for line in lines[1:]]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("mdtime", ["mdtime_trades.csv"]),
        ("mdtime", ["mdtime_snapshots.csv"]),
        ("datayes", ["datayes_trades_20230202.csv", "datayes_snapshots_20230202.csv"]),
        ("datayes", ["datayes_szse_snapshots_20230201.csv"]),
        ("dolphindb", ["dolphindb_szse_trades.csv"]),
        ("dolphindb", ["dolphindb_sse_trades.csv"]),
        ("dolphindb", ["dolphindb_snapshots.csv"]),
        ("level1", ["level1.csv"]),
    ],
)
def test_every_imported_record_is_valid_by_the_schema(form: str, names: list[str], tmp_path: Path) -> None:
    day = imported(form, *names, to=tmp_path)
    for topic in day.topics:
        records = day.json_topic(topic)
        assert len(records) > 0
        for value in records.values:
            decode(topic, value)
        assert (np.diff(records.ts) >= 0).all()


def test_trades_keep_price_quantity_time_side_and_number(tmp_path: Path) -> None:
    day = imported("mdtime", "mdtime_trades.csv", to=tmp_path)
    trades = events(day, "market.trades")
    assert day.date == parse_day("2023-07-11")
    assert len(trades) == 150
    # 09:25:00.180 in Shanghai, the opening call, no taker.
    auction = next(t for t in trades if t["security"] == "605580.SH")
    assert auction == {
        "security": "605580.SH",
        "ts": 1689038700180,
        "price": "14.560",
        "qty": 200,
        "side": "N",
        "seq": 187467,
    }
    assert {trade["side"] for trade in trades} == {"B", "S", "N"}


def test_trades_add_up_to_the_volume_of_the_next_snapshot(tmp_path: Path) -> None:
    day = imported("datayes", "datayes_trades_20230202.csv", "datayes_snapshots_20230202.csv", to=tmp_path)
    trades, quotes = events(day, "market.trades"), events(day, "market.quotes")
    auction = sum(trade["qty"] for trade in trades if trade["side"] == "N")
    opened = [quote for quote in quotes if quote.get("last") and quote["ts"] < 1675301400000]
    assert opened
    assert {quote["volume"] for quote in opened} == {auction}
    assert {quote["last"] for quote in opened} == {"1848.380"}
    turnover = sum(
        int(trade["price"].replace(".", "")) * trade["qty"] for trade in trades if trade["side"] == "N"
    )
    assert {int(quote["amount"].replace(".", "")) for quote in opened} == {turnover}


def test_float_noise_of_the_source_is_rounded_to_the_tick(tmp_path: Path) -> None:
    assert any("8.179999999999999" in row["PreClosePx"] for row in source_rows("mdtime_snapshots.csv"))
    day = imported("mdtime", "mdtime_snapshots.csv", to=tmp_path)
    assert {quote["prev_close"] for quote in events(day, "market.quotes")} >= {"8.180"}


def test_a_price_that_is_no_multiple_of_the_tick_is_refused_by_name_and_row(tmp_path: Path) -> None:
    text = (VENDORS / "mdtime_trades.csv").read_text().splitlines()
    head = text[0].split(",")
    row = text[1].split(",")
    row[head.index("TradePrice")] = "14.563"
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([text[0], ",".join(row)]))
    with pytest.raises(UserError, match=r"TradePrice: row 1 holds .*14\.563"):
        import_files("mdtime", [bad], tmp_path / "days")


def test_published_limits_and_previous_close_go_into_the_reference_data(tmp_path: Path) -> None:
    day = imported("mdtime", "mdtime_snapshots.csv", to=tmp_path)
    facts = {record["security"]: record for record in events(day, "reference.securities")}
    assert facts["300918.SZ"]["prev_close"] == "8.180"
    assert (facts["300918.SZ"]["limit_up"], facts["300918.SZ"]["limit_down"]) == ("9.820", "6.540")
    assert (facts["300918.SZ"]["board"], facts["000400.SZ"]["board"]) == ("chinext", "main")


def test_a_snapshot_before_the_first_trade_has_no_last_price(tmp_path: Path) -> None:
    quotes = events(imported("mdtime", "mdtime_snapshots.csv", to=tmp_path), "market.quotes")
    zeros = [row for row in source_rows("mdtime_snapshots.csv") if float(row["LastPx"]) == 0]
    assert zeros
    assert sum("last" not in quote for quote in quotes) == len(zeros)


def test_levels_without_price_or_quantity_are_no_levels(tmp_path: Path) -> None:
    quotes = events(imported("mdtime", "mdtime_snapshots.csv", to=tmp_path), "market.quotes")
    levels = [level for quote in quotes for side in ("bid", "ask") for level in quote[side]]
    assert levels
    assert all(float(price) > 0 and qty > 0 for price, qty in levels)
    assert any(quote["bid"] == [] for quote in quotes)


def test_shenzhen_cancels_are_left_out(tmp_path: Path) -> None:
    rows = source_rows("dolphindb_szse_trades.csv")
    kept = [row for row in rows if row["ExecType"] == "F"]
    assert len(kept) < len(rows)
    trades = events(imported("dolphindb", "dolphindb_szse_trades.csv", to=tmp_path), "market.trades")
    assert sorted(trade["seq"] for trade in trades) == sorted(int(row["ApplSeqNum"]) for row in kept)
    assert {trade["security"] for trade in trades} == {"000001.SZ"}


def test_the_later_order_is_the_taker_as_the_flag_says_where_there_is_one() -> None:
    rows = [row for row in source_rows("dolphindb_sse_trades.csv") if row["TradeBSFlag"] != "N"]
    assert len(rows) > 50
    buy, sell = (np.array([int(row[name]) for row in rows]) for name in ("BuyNo", "SellNo"))
    noon = np.full(len(rows), 1609725600000)
    assert sides_by_order_number(noon, buy, sell).tolist() == [row["TradeBSFlag"] for row in rows]


def test_nobody_takes_in_the_opening_call() -> None:
    ts = np.array([1609723500630])  # 2021-01-04 09:25:00.630
    assert sides_by_order_number(ts, np.array([2]), np.array([1])).tolist() == ["N"]


def test_a_layout_without_dates_takes_the_date_of_the_file_name(tmp_path: Path) -> None:
    day = imported("datayes", "datayes_szse_snapshots_20230201.csv", to=tmp_path)
    assert day.date == parse_day("2023-02-01")
    nameless = tmp_path / "snapshots.csv"
    nameless.write_bytes((VENDORS / "datayes_szse_snapshots_20230201.csv").read_bytes())
    with pytest.raises(UserError, match="says no date"):
        import_files("datayes", [nameless], tmp_path / "none")
    (other,) = import_files("datayes", [nameless], tmp_path / "days", dates=[parse_day("2023-02-03")])
    assert other.name == "date=2023-02-03"


def test_a_file_of_another_form_is_named_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mdtime_trades\.csv has the columns of neither"):
        import_files("datayes", [VENDORS / "mdtime_trades.csv"], tmp_path, dates=[parse_day("2023-07-11")])


def test_level1_volumes_become_those_of_the_day_in_shares(tmp_path: Path) -> None:
    day = imported("level1", "level1.csv", to=tmp_path)
    quotes = [quote for quote in events(day, "market.quotes") if quote["security"] == "000001.SZ"]
    rows = [row for row in source_rows("level1.csv") if row["symbol"] == "SZ000001"]
    assert len(quotes) == len(rows)
    assert quotes[-1]["volume"] == sum(int(float(row["Volume"])) for row in rows) * 100
    assert quotes[-1]["bid"][0][1] == int(rows[-1]["BV1"]) * 100


def test_an_index_is_kept_apart_from_the_stock_of_the_same_code(tmp_path: Path) -> None:
    facts = {
        r["security"]: r
        for r in events(imported("level1", "level1.csv", to=tmp_path), "reference.securities")
    }
    assert facts["000001.SH"]["kind"] == "index"
    assert facts["000001.SZ"]["kind"] == "stock"


@pytest.mark.parametrize(
    ("code", "name", "kind", "board", "tick"),
    [
        ("600519", "600519.SH", "stock", "main", 10),
        ("688293.SH", "688293.SH", "stock", "star", 10),
        ("300750", "300750.SZ", "stock", "chinext", 10),
        ("510300", "510300.SH", "etf", "main", 1),
        ("159915", "159915.SZ", "etf", "main", 1),
        ("920023", "920023.BJ", "stock", "bse", 10),
        ("000001.SH", "000001.SH", "index", "main", 1),
    ],
)
def test_a_code_says_exchange_kind_board_and_tick(
    code: str, name: str, kind: str, board: str, tick: int
) -> None:
    assert security_name(code) == name
    assert (kind_of(name), board_of(name), tick_of(name)) == (kind, board, tick)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(UserError, match="no code of"):
        security_name("12")
