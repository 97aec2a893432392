"""Extracts as recorded days, with what the sources do not say added by hand and named so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.units import parse_day
from streams.days.ticks import ABSENT, ImportedDay, Quotes, Trades, pooled
from streams.days.writer import DayLabel
from streams.importers.assemble import write_imported
from tests.recorded.extracts import DATES, QUOTES, TRADES, is_index

FEN = 10
"""In 0.001 yuan."""
STAND_IN_CLOSES = {
    TRADES: {"600536.SH": Decimal("51.00"), "600961.SH": Decimal("9.00")},
    QUOTES: {f"00000{n}.SZ": Decimal(price) for n, price in ((1, 16), (2, 32), (5, 3), (6, 5), (7, 9))},
}
"""Neither source names previous closes. These are round numbers of the tests' own, near the first prices; the
other stocks have none and are unpriced until they trade."""
LABEL = DayLabel("tests/data/recorded", "see tests/data/recorded/README.md")


def recorded_day(extract: Path, parent: Path) -> Path:
    """The extract as a recorded day below `parent`; returns its directory."""
    table = pq.read_table(extract, partitioning=None)
    names, index = pooled(table.column("security").to_pylist())
    imported = ImportedDay(parse_day(DATES[extract].isoformat()))
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name != "security"}
    if "price_fen" in columns:
        trades = Trades(names, index, columns["ts"], columns["price_fen"] * FEN, columns["qty"])
        imported.trades.append(trades)
    else:
        last = np.where(columns["last_fen"] > 0, columns["last_fen"] * FEN, ABSENT)
        bid, ask = (
            (columns[f"{side}_fen"][:, None] * FEN, columns[f"{side}_qty"][:, None])
            for side in ("bid", "ask")
        )
        quotes = Quotes(names, index, columns["ts"], {"last": last}, columns["volume"], bid, ask)
        imported.quotes.append(quotes)
    for name in names:
        close = STAND_IN_CLOSES[extract].get(name)
        imported.add_facts(name, {"prev_close": None if close is None else int(close * 1000)})
        if is_index(name):
            imported.add_facts(name, {"kind": "index"})
    return write_imported(parent, [imported], LABEL)


def forget_accrued(day: Path) -> None:
    """Every third account's openings come without accrued interest, which then counts from the contract's
    first day."""
    path = day / "account.events.parquet"
    table = pq.read_table(path, partitioning=None)
    rows = table.to_pylist()
    for contract in (contract for row in rows[::3] for contract in row["contracts"]):
        contract["accrued"] = None
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path, compression="zstd")
