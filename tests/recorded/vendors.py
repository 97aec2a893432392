"""Vendors' raw files with `csv` and decimals, as a second pair of eyes for the importers.

Two layouts are read: Level-2 trades with MDDate and MDTime, and Level-1 quotes with a symbol column.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path

from tests.recorded.observations import Observation, moment

FEN = Decimal("0.01")
NOISE = Decimal("0.000001")
LOT = 100
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class RawTrade(Observation):
    """A trade with its quantity in shares."""

    qty: int


@dataclass(frozen=True, slots=True)
class RawQuote(Observation):
    """A quote with the best levels (0 = none) and the shares traded since the one before."""

    volume: int
    bid: tuple[Decimal, int]
    ask: tuple[Decimal, int]


@dataclass(frozen=True, slots=True)
class RawFile:
    """One date of one vendor's file; `form` is what `liangrong import` calls its layout."""

    form: str
    day: date
    rows: list[RawTrade] | list[RawQuote]


def read_raw(path: Path) -> RawFile:
    """Every row of the file. ValueError for a layout that is neither, or for more than one date."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as lines:
        table = csv.DictReader(lines)
        columns = set(table.fieldnames or ())
        if {"MDDate", "MDTime", "TradePrice"} <= columns:
            pairs = list(trades(table))
            return RawFile("mdtime", only({day for day, _ in pairs}, path), [row for _, row in pairs])
        if {"symbol", "Time", "SP1"} <= columns:
            quoted = list(quotes(table))
            return RawFile("level1", only({day for day, _ in quoted}, path), [row for _, row in quoted])
    raise ValueError(f"{path} has the columns of neither MDDate/MDTime trades nor Level-1 quotes")


def only(days: set[date], path: Path) -> date:
    if len(days) != 1:
        raise ValueError(f"{path} is of {len(days)} dates")
    return days.pop()


def trades(table: Iterator[Row]) -> Iterator[tuple[date, RawTrade]]:
    for row in table:
        day = date.fromisoformat(row["MDDate"].replace(".", "-"))
        ts = moment(day, time.fromisoformat(row["MDTime"]))
        price, qty = to_fen(row["TradePrice"]), int(row["TradeQty"])
        yield day, RawTrade(row["SecurityID"], ts, price, traded=True, qty=qty)


def quotes(table: Iterator[Row]) -> Iterator[tuple[date, RawQuote]]:
    for row in table:
        day_text, clock = row["Time"].split(" ")
        day = date.fromisoformat(day_text)
        name = f"{row['symbol'][2:]}.{row['symbol'][:2]}"
        bid, ask = ((to_fen(row[f"{side}P1"]), lots(row[f"{side}V1"])) for side in "BS")
        price, volume = to_fen(row["Price"]), lots(row["Volume"])
        ts = moment(day, time.fromisoformat(clock))
        yield day, RawQuote(name, ts, price, traded=False, volume=volume, bid=bid, ask=ask)


def to_fen(text: str) -> Decimal:
    """A price, freed of the source's float noise (7.400000000000001 is 7.40)."""
    price = Decimal(text)
    whole = price.quantize(FEN)
    if abs(price - whole) > NOISE:
        raise ValueError(f"{text} is no price in fen")
    return whole


def lots(text: str) -> int:
    """Lots (手) in shares."""
    return int(Decimal(text)) * LOT
