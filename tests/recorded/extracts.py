"""Extracts of real days in a form of our own: facts of the market as columns of integers.

`trades_20230711.parquet`: security, ts, price_fen, qty. `quotes_20200102.parquet`: security, ts, last_fen,
volume (shares of the day so far), bid_fen, bid_qty, ask_fen, ask_qty of the best level (0 = none).

    python -m tests.recorded.extracts SOURCE_FILE...

makes them anew from the vendors' files.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq

from tests.recorded.observations import Observation
from tests.recorded.vendors import RawFile, RawQuote, RawTrade, read_raw

FOLDER = Path(__file__).parents[1] / "data" / "recorded"
TRADES, QUOTES = FOLDER / "trades_20230711.parquet", FOLDER / "quotes_20200102.parquet"
DATES = {TRADES: date(2023, 7, 11), QUOTES: date(2020, 1, 2)}
INDEX_KEPT = "000001.SH"
"""One index is enough to see that none matters to books."""


def read_extract(path: Path) -> list[Observation]:
    """The extract as observations, in the order of its rows."""
    table = pq.read_table(path, partitioning=None)
    traded = "price_fen" in table.column_names
    price = "price_fen" if traded else "last_fen"
    columns = (table.column(name).to_pylist() for name in ("security", "ts", price))
    return [Observation(name, ts, Decimal(fen) / 100, traded) for name, ts, fen in zip(*columns, strict=True)]


def trade_row(row: RawTrade) -> dict[str, Any]:
    return {"security": row.security, "ts": row.ts, "price_fen": fen(row.price), "qty": row.qty}


def quote_rows(rows: Sequence[RawQuote]) -> list[dict[str, Any]]:
    so_far: Counter[str] = Counter()
    out = []
    for row in rows:
        so_far[row.security] += row.volume
        sides = {
            "bid_fen": fen(row.bid[0]),
            "bid_qty": row.bid[1],
            "ask_fen": fen(row.ask[0]),
            "ask_qty": row.ask[1],
        }
        seen = {"security": row.security, "ts": row.ts, "last_fen": fen(row.price)}
        out.append({**seen, "volume": so_far[row.security], **sides})
    return out


def fen(price: Decimal) -> int:
    return int(price * 100)


def write_extract(raw: RawFile, folder: Path = FOLDER) -> Path:
    """Keep the facts of one raw file; returns where."""
    trades = [row for row in raw.rows if isinstance(row, RawTrade)]
    quotes = [row for row in raw.rows if isinstance(row, RawQuote)]
    kept = [row for row in quotes if not is_index(row.security) or row.security == INDEX_KEPT]
    name = f"{'trades' if trades else 'quotes'}_{raw.day:%Y%m%d}.parquet"
    table = pa.Table.from_pylist([trade_row(row) for row in trades] or quote_rows(kept))
    pq.write_table(table, folder / name, compression="zstd", compression_level=19)
    return folder / name


def is_index(security: str) -> bool:
    return security.startswith("000") and security.endswith(".SH")


if __name__ == "__main__":
    for source in sys.argv[1:]:
        click.echo(write_extract(read_raw(Path(source))))
