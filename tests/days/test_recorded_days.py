"""A recorded day on disk: what is written is read again, exactly, from Parquet and from JSON lines."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.batches import ABSENT
from schemas.units import parse_day
from streams.days.columns import column_type
from streams.days.decimals import MONEY_TYPE, milli_column, milli_from_noise, money_array
from streams.days.reader import START_OF_DAY, RecordedDay, open_days
from streams.days.rowjson import json_rows
from streams.days.tickbatches import quote_batch, trade_batch
from streams.days.writer import DayLabel, day_directory, write_day
from streams.errors import UsageError, UserError

DAY = parse_day("2025-04-07")
LABEL = DayLabel("made for a test", "none needed")
NINE = 1743987600000
MILLI = st.integers(-(10**14), 10**14)


def trades(*rows: tuple[int, str, int, int]) -> pa.Table:
    ts, names, price, qty = zip(*rows, strict=True)
    columns = {
        "security": pa.array(names),
        "ts": pa.array(ts),
        "price": money_array(np.array(price)),
        "qty": qty,
    }
    return pa.table({**columns, "key": columns["security"]})


def written(folder: Path, **tables: pa.Table) -> RecordedDay:
    named = {topic.replace("_", ".", 1): table for topic, table in tables.items()}
    return RecordedDay(write_day(day_directory(folder, DAY), DAY, named, LABEL))


@given(st.lists(MILLI | st.none()))
def test_money_goes_through_arrow_decimals_and_back_exactly(values: list[int | None]) -> None:
    milli = np.array([0 if value is None else value for value in values], dtype=np.int64)
    column = money_array(milli, np.array([value is None for value in values], dtype=bool))
    assert column.to_pylist() == [None if value is None else Decimal(value) / 1000 for value in values]
    back = milli_column(column, absent=-(10**15))
    assert back.tolist() == [-(10**15) if value is None else value for value in values]


@given(st.integers(0, 10**10))
def test_a_double_that_means_three_decimals_is_read_exactly(milli: int) -> None:
    assert milli_column(pa.array([milli / 1000]), ABSENT).tolist() == [milli]


@pytest.mark.parametrize("column", [pa.array([1.2345]), pa.array(["1.2345"]), pa.array([float("nan")])])
def test_a_fourth_decimal_is_refused_not_rounded(column: pa.Array) -> None:
    with pytest.raises(ValueError, match=r"three decimals|rescal|NaN|nan"):
        milli_column(column, ABSENT)


@given(st.integers(1, 10**7), st.sampled_from([1, 10]))
def test_float_noise_is_taken_off_and_more_than_noise_is_refused(steps: int, tick: int) -> None:
    price = steps * tick / 1000
    noisy = np.array([np.nextafter(price, price * 2)])
    assert milli_from_noise(noisy, tick, "price").tolist() == [steps * tick]
    with pytest.raises(ValueError, match="no multiple of its tick"):
        milli_from_noise(np.array([price + tick / 3000]), tick, "price")


def test_rows_are_kept_in_order_of_time_then_arrival(tmp_path: Path) -> None:
    day = written(
        tmp_path, market_trades=trades((NINE + 2, "B", 1, 1), (NINE, "A", 2, 2), (NINE + 2, "A", 3, 3))
    )
    values = [orjson.loads(value) for value in day.json_topic("market.trades").values]
    assert [(value["ts"] - NINE, value["security"]) for value in values] == [(0, "A"), (2, "B"), (2, "A")]
    assert values[0] == {"security": "A", "ts": NINE, "price": "0.002", "qty": 2}


def test_the_label_names_origin_and_licence(tmp_path: Path) -> None:
    day = written(tmp_path, market_trades=trades((NINE, "A", 1, 1)))
    label = orjson.loads((day.directory / "day.json").read_bytes())
    assert (label["date"], label["origin"], label["licence"]) == (
        "2025-04-07",
        "made for a test",
        "none needed",
    )


def test_a_day_is_never_overwritten(tmp_path: Path) -> None:
    written(tmp_path, market_trades=trades((NINE, "A", 1, 1)))
    with pytest.raises(UsageError, match="holds a recorded day already"):
        written(tmp_path, market_trades=trades((NINE, "A", 1, 1)))


def test_a_folder_of_parquet_files_is_one_topic(tmp_path: Path) -> None:
    folder = tmp_path / "date=2025-04-07" / "market.trades"
    folder.mkdir(parents=True)
    pq.write_table(trades((NINE + 5, "A", 1, 1)), folder / "part-0.parquet")
    pq.write_table(trades((NINE, "B", 1, 1)), folder / "part-1.parquet")
    assert RecordedDay(folder.parent).table("market.trades").column("security").to_pylist() == ["B", "A"]


def test_json_lines_are_handed_on_byte_for_byte_even_broken_ones(tmp_path: Path) -> None:
    folder = tmp_path / "date=2025-04-07"
    folder.mkdir()
    late = b'{"security": "600519.SH", "ts": %d, "price": 1.5, "qty": 100}' % (NINE + 9)
    early = b'{"price": "1", "security":"600519.SH","qty":1,"ts":%d}' % NINE
    (folder / "market.trades.jsonl").write_bytes(late + b"\n" + b"{broken\n" + early + b"\n\n")
    topic = RecordedDay(folder).json_topic("market.trades")
    assert topic.values == [early, late, b"{broken"]
    assert topic.ts.tolist() == [NINE, NINE + 9, NINE + 9]
    assert topic.keys == [b"600519.SH", b"600519.SH", b""]


def test_compressed_json_lines_are_read_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "date=2025-04-07"
    folder.mkdir()
    line = b'{"account":"A1","ts":%d,"id":"1","kind":"close"}' % NINE
    (folder / "account.events.jsonl.gz").write_bytes(gzip.compress(line))
    assert RecordedDay(folder).json_topic("account.events").keys == [b"A1"]


def test_reference_data_has_no_time_and_belongs_to_the_start_of_the_day(tmp_path: Path) -> None:
    table = pa.table(
        {"security": ["600519.SH"], "date": ["2025-04-07"], "kind": ["stock"], "board": ["main"]}
    )
    topic = written(tmp_path, reference_securities=table).json_topic("reference.securities")
    assert topic.ts.tolist() == [START_OF_DAY]
    assert topic.keys == [b"600519.SH"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root / "nothing", "is no directory"),
        (lambda root: root, r"its name is not date=YYYY-MM-DD"),
        (lambda root: root / "date=2025-13-01", "names no date"),
        (lambda root: root / "date=2025-04-08", "holds no file of any topic"),
    ],
)
def test_a_wrong_directory_gives_one_clear_message(tmp_path: Path, make: object, message: str) -> None:
    directory = make(tmp_path)  # type: ignore[operator]
    if directory.name != "nothing":
        directory.mkdir(exist_ok=True)
    with pytest.raises(UsageError, match=message):
        RecordedDay(directory)


def test_a_directory_of_days_says_which_days_it_holds(tmp_path: Path) -> None:
    written(tmp_path, market_trades=trades((NINE, "A", 1, 1)))
    with pytest.raises(UsageError, match=r"holds days \(date=2025-04-07\) but is none"):
        RecordedDay(tmp_path)


def test_a_label_of_another_date_or_format_is_refused(tmp_path: Path) -> None:
    day = written(tmp_path, market_trades=trades((NINE, "A", 1, 1)))
    (day.directory / "day.json").write_text('{"date": "2025-04-08"}')
    with pytest.raises(UsageError, match="says 2025-04-08"):
        RecordedDay(day.directory)
    (day.directory / "day.json").write_text('{"format": 99}')
    with pytest.raises(UsageError, match="format 99"):
        RecordedDay(day.directory)


def test_days_must_come_in_the_order_of_their_dates(tmp_path: Path) -> None:
    first = written(tmp_path, market_trades=trades((NINE, "A", 1, 1))).directory
    with pytest.raises(UsageError, match="order of their dates"):
        open_days([first, first])


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "date=2025-04-07"
    folder.mkdir()
    (folder / "market.trades.parquet").write_bytes(b"not parquet")
    with pytest.raises(UsageError, match=r"market\.trades\.parquet cannot be read"):
        RecordedDay(folder).table("market.trades")


def test_trades_become_a_batch_without_an_object_per_row(tmp_path: Path) -> None:
    batch = trade_batch(written(tmp_path, market_trades=trades((NINE, "B", 1_500, 7), (NINE + 1, "A", 2, 2))))
    assert [batch.securities[i] for i in batch.security] == ["B", "A"]
    assert (batch.price.tolist(), batch.qty.tolist()) == ([1_500, 2], [7, 2])
    assert (batch.side.tolist(), batch.seq.tolist()) == ([255, 255], [ABSENT, ABSENT])


@pytest.mark.parametrize(("price", "qty", "field"), [(0, 1, "price"), (-5, 1, "price"), (1, 0, "qty")])
def test_a_tick_that_no_trade_can_be_is_refused_by_field(
    tmp_path: Path, price: int, qty: int, field: str
) -> None:
    day = written(tmp_path, market_trades=trades((NINE, "A", price, qty)))
    with pytest.raises(UserError, match=f"row 1 has no valid {field}"):
        trade_batch(day)


def test_quotes_tell_an_empty_side_from_one_that_is_not_given(tmp_path: Path) -> None:
    bid = pa.array([[{"price": Decimal("9.99"), "qty": 5}], [], None], column_type("market.quotes", "bid"))
    table = pa.table({"security": ["A"] * 3, "ts": [NINE, NINE + 1, NINE + 2], "bid": bid, "key": ["A"] * 3})
    batch = quote_batch(written(tmp_path, market_quotes=table))
    assert batch.bid_price.tolist() == [9_990, 0, ABSENT]
    assert batch.bid_qty.tolist() == [5, 0, ABSENT]
    assert (batch.ask_price == ABSENT).all()


def test_rows_become_json_with_nested_fields_and_without_nulls() -> None:
    table = pa.table(
        {
            "name": ['quote " and \\ and 茅台', None],
            "price": pa.array([Decimal("1.234"), None], MONEY_TYPE),
            "halted": [True, None],
            "positions": pa.array(
                [[{"security": "A", "qty": 1, "sellable": None}], []],
                column_type("account.events", "positions"),
            ),
            "key": ["x", "y"],
        }
    )
    first, second = (orjson.loads(row) for row in json_rows(table))
    assert first == {
        "name": 'quote " and \\ and 茅台',
        "price": "1.234",
        "halted": True,
        "positions": [{"security": "A", "qty": 1}],
    }
    assert second == {"positions": []}
