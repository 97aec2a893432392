"""Level-2 trades (逐笔成交) and snapshots (快照) of both exchanges in three vendors' layouts.

| form | trades | snapshots |
|---|---|---|
| ``mdtime`` | ``MDDate``, ``MDTime``, ``TradePrice`` | ``MDDate``, ``MDTime``, ``BuyPrice1``, ``MaxPx`` |
| ``datayes`` (通联) | ``TradTime``, ``TradPrice``, date in the name | ``UpdateTime``, ``BidPrice1`` |
| ``dolphindb`` | ``TradeTime`` with the date, ``ExecType`` F/4 | ``DateTime``, ``BidPrice0`` |

Cancels (撤单, ``ExecType`` 4) are left out. Prices are rounded to the tick: sources hold 7.400000000000001.
The taker's side is the source's flag; without one it is the later of the two orders (the greater order
number), which agrees with the flag wherever a source has both, and "N" before 09:30 (call auction) or where
the numbers are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.units import DAY_MS, MINUTE_MS, SHANGHAI_OFFSET_MS, format_day
from streams.days.decimals import milli_from_noise
from streams.days.ticks import ABSENT, ImportedDay, Quotes, Trades, pooled
from streams.errors import UserError
from streams.importers import csvfiles
from streams.importers.codes import security_name

FORMS = ("mdtime", "datayes", "dolphindb")
LEVEL_COUNT = 10
_CANCEL = "4"
_SIDES = {"1": "B", "2": "S", "0": "N", "B": "B", "S": "S", "N": "N"}
_CONTINUOUS_FROM = (9 * 60 + 30) * MINUTE_MS
_HALTED_SHANGHAI = ("SUSP", "HALT", "VOLA")


@dataclass(frozen=True, slots=True)
class TradeLayout:
    """Column names of a layout's trades; alternatives are tried in order, "" means the layout has none."""

    date: str
    time: str
    price: str
    qty: str
    seq: tuple[str, ...]
    orders: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class QuoteLayout:
    """Column names of a layout's snapshots: ``fields`` maps ours to alternatives of theirs, levels count
    from ``first``."""

    date: str
    time: str
    fields: Mapping[str, tuple[str, ...]]
    bid: tuple[str, str]
    ask: tuple[str, str]
    first: int


_ORDER_NUMBERS = (
    ("TradeBuyNo", "TradeSellNo"), ("BuyNo", "SellNo"), ("BuyNum", "SellNum"),
    ("BidApplSeqNum", "OfferApplSeqNum"),
)  # fmt: skip
TRADES = {
    "mdtime": TradeLayout("MDDate", "MDTime", "TradePrice", "TradeQty", ("ApplSeqNum",), _ORDER_NUMBERS),
    "datayes": TradeLayout(
        "", "TradTime", "TradPrice", "TradVolume", ("BizIndex", "TradeIndex"), _ORDER_NUMBERS
    ),
    "dolphindb": TradeLayout(
        "TradeTime", "", "TradePrice", "TradeQty", ("ApplSeqNum", "BizIndex"), _ORDER_NUMBERS
    ),
}
_MD_FIELDS = {
    "last": ("LastPx",), "prev_close": ("PreClosePx",), "open": ("OpenPx",), "high": ("HighPx",),
    "low": ("LowPx",), "volume": ("TotalVolumeTrade",), "amount": ("TotalValueTrade",),
    "limit_up": ("MaxPx",), "limit_down": ("MinPx",),
}  # fmt: skip
_DATAYES_FIELDS = {
    "last": ("LastPrice",), "prev_close": ("PreCloPrice",), "open": ("OpenPrice",), "high": ("HighPrice",),
    "low": ("LowPrice",), "volume": ("TradVolume", "Volume"), "amount": ("Turnover",),
    "limit_up": ("HighLimitPrice",), "limit_down": ("LowLimitPrice",),
}  # fmt: skip
QUOTES = {
    "mdtime": QuoteLayout(
        "MDDate", "MDTime", _MD_FIELDS, ("BuyPrice", "BuyOrderQty"), ("SellPrice", "SellOrderQty"), 1
    ),
    "datayes": QuoteLayout(
        "", "UpdateTime", _DATAYES_FIELDS, ("BidPrice", "BidVolume"), ("AskPrice", "AskVolume"), 1
    ),
    "dolphindb": QuoteLayout(
        "DateTime", "", _MD_FIELDS, ("BidPrice", "BidOrderQty"), ("OfferPrice", "OfferOrderQty"), 0
    ),
}
_STATUS = ("InstruStatus", "InstrumentStatus")
_SECURITY = ("SecurityID", "HTSCSecurityID")
_EXCHANGE = ("Market", "SecurityIDSource")


def read(form: str, path: Path, date: int | None = None) -> list[ImportedDay]:
    """The days in one file of ``form``. ``date`` is for layouts without a date in the rows, whose file name
    has none either."""
    columns = csvfiles.header(path)
    if TRADES[form].price in columns:
        return _read_trades(TRADES[form], path, columns, date)
    if f"{QUOTES[form].bid[0]}{QUOTES[form].first}" in columns:
        return _read_quotes(QUOTES[form], path, columns, date)
    raise UserError(
        f"{path} has the columns of neither trades nor snapshots of the form {form}",
        advice=f"expected {TRADES[form].price} or {QUOTES[form].bid[0]}{QUOTES[form].first} among them",
    )


def _read_trades(layout: TradeLayout, path: Path, columns: list[str], date: int | None) -> list[ImportedDay]:
    orders = next((pair for pair in layout.orders if pair[0] in columns), None)
    seq = _present(layout.seq, columns)
    flags = [name for name in ("TradeBSFlag", "ExecType") if name in columns]
    texts = [*_identity(columns), *filter(None, (layout.date, layout.time)), *flags]
    numbers = [layout.price, layout.qty, *filter(None, (seq,)), *(orders or ())]
    table = csvfiles.read_columns(path, texts, numbers)
    if "ExecType" in columns:
        table = table.filter(pc.not_equal(table.column("ExecType"), _CANCEL))
    ts = _ts(layout.date, layout.time, table, path, date)
    names, index = _securities(table, columns)
    price = csvfiles.prices(table, layout.price, csvfiles.ticks_of(names, index))
    side = _sides(table, ts, orders)
    trades = Trades(
        names,
        index,
        ts,
        price,
        csvfiles.whole(table, layout.qty),
        side,
        csvfiles.whole(table, seq) if seq else None,
    )
    return [_one_day(day, rows, trades) for day, rows in _days(ts)]


def _one_day(day: int, rows: NDArray[np.int64], trades: Trades) -> ImportedDay:
    imported = ImportedDay(day)
    part = Trades(
        trades.names, trades.security[rows], trades.ts[rows], trades.price[rows], trades.qty[rows],
        None if trades.side is None else trades.side[rows], None if trades.seq is None else trades.seq[rows],
    )  # fmt: skip
    imported.trades.append(part)
    for index in np.unique(part.security).tolist():
        imported.add_facts(trades.names[index], {})
    return imported


def _read_quotes(layout: QuoteLayout, path: Path, columns: list[str], date: int | None) -> list[ImportedDay]:
    fields = {ours: name for ours, theirs in layout.fields.items() if (name := _present(theirs, columns))}
    levels = [i for i in range(layout.first, layout.first + LEVEL_COUNT) if f"{layout.bid[0]}{i}" in columns]
    sides = [f"{part}{i}" for part in (*layout.bid, *layout.ask) for i in levels]
    status = [name for name in (*_STATUS, "TradingPhaseCode") if name in columns]
    texts = [*_identity(columns), *filter(None, (layout.date, layout.time)), *status]
    table = csvfiles.read_columns(path, texts, [*fields.values(), *sides])
    ts = _ts(layout.date, layout.time, table, path, date)
    names, index = _securities(table, columns)
    ticks = csvfiles.ticks_of(names, index)
    money = {}
    for ours, name in fields.items():
        if ours == "amount":
            money[ours] = milli_from_noise(np.round(csvfiles.doubles(table, name), 2), 10, name)
        elif ours != "volume":
            values = csvfiles.prices(table, name, ticks)
            money[ours] = np.where(values > 0, values, ABSENT)
    volume = csvfiles.whole(table, fields["volume"]) if "volume" in fields else None
    bid, ask = (
        (np.stack([csvfiles.prices(table, f"{price}{i}", ticks) for i in levels], axis=1),
         np.stack([csvfiles.whole(table, f"{qty}{i}") for i in levels], axis=1))
        for price, qty in (layout.bid, layout.ask)
    )  # fmt: skip
    quotes = Quotes(names, index, ts, money, volume, bid, ask, _halted(table, status))
    return [_one_quote_day(day, rows, quotes) for day, rows in _days(ts)]


def _one_quote_day(day: int, rows: NDArray[np.int64], quotes: Quotes) -> ImportedDay:
    imported = ImportedDay(day)
    part = Quotes(
        quotes.names, quotes.security[rows], quotes.ts[rows],
        {name: values[rows] for name, values in quotes.prices.items()},
        None if quotes.volume is None else quotes.volume[rows],
        None if quotes.bid is None else (quotes.bid[0][rows], quotes.bid[1][rows]),
        None if quotes.ask is None else (quotes.ask[0][rows], quotes.ask[1][rows]),
        None if quotes.halted is None else quotes.halted[rows],
    )  # fmt: skip
    imported.quotes.append(part)
    for index in np.unique(part.security).tolist():
        own = part.security == index
        facts: dict[str, object] = {}
        for name in ("prev_close", "limit_up", "limit_down"):
            known = part.prices.get(name, np.empty(0, np.int64))
            known = known[own] if len(known) else known
            known = known[known != ABSENT]
            facts[name] = int(known[-1]) if len(known) else None
        imported.add_facts(quotes.names[index], facts)
    return imported


def _present(alternatives: tuple[str, ...], columns: list[str]) -> str | None:
    return next((name for name in alternatives if name in columns), None)


def _identity(columns: list[str]) -> list[str]:
    security = _present(_SECURITY, columns)
    if security is None:
        raise UserError(f"there is no column {' or '.join(_SECURITY)}")
    exchange = _present(_EXCHANGE, columns)
    return [security, exchange] if exchange else [security]


def _securities(table: pa.Table, columns: list[str]) -> tuple[list[str], NDArray[np.int32]]:
    identity = _identity(columns)
    codes, index = pooled(table.column(identity[0]).to_pylist())
    exchange = table.column(identity[1])[0].as_py() if len(identity) == 2 and table.num_rows else ""
    return [security_name(code, exchange) for code in codes], index


def _ts(date_name: str, time_name: str, table: pa.Table, path: Path, date: int | None) -> NDArray[np.int64]:
    if date_name:
        return csvfiles.exchange_ts(table.column(date_name), table.column(time_name) if time_name else None)
    day = date if date is not None else csvfiles.date_in_name(path)
    if day is None:
        raise UserError(
            f"{path} says no date, neither in its rows nor in its name", advice="give --date YYYY-MM-DD"
        )
    return csvfiles.exchange_ts(format_day(day), table.column(time_name))


def _sides(table: pa.Table, ts: NDArray[np.int64], orders: tuple[str, str] | None) -> NDArray[np.str_] | None:
    if "TradeBSFlag" in table.column_names:
        flags, index = pooled(pc.fill_null(table.column("TradeBSFlag"), "").to_pylist())
        if flags != [""] and flags:
            return np.array([_SIDES.get(flag, "N") for flag in flags])[index]
    if orders is None:
        return None
    return sides_by_order_number(ts, *(csvfiles.whole(table, name) for name in orders))


def sides_by_order_number(
    ts: NDArray[np.int64], buy: NDArray[np.int64], sell: NDArray[np.int64]
) -> NDArray[np.str_]:
    """The taker: the side whose order came later; "N" in the opening call and where a number is missing."""
    auction = (ts + SHANGHAI_OFFSET_MS) % DAY_MS < _CONTINUOUS_FROM
    unknown = (buy <= 0) | (sell <= 0) | (buy == sell)
    return np.where(auction | unknown, "N", np.where(buy > sell, "B", "S"))


def _halted(table: pa.Table, status: list[str]) -> NDArray[np.bool_] | None:
    """Whether a snapshot says that trading is halted: Shanghai's SUSP, HALT, VOLA; Shenzhen's ``H?`` and
    ``?1``."""
    if not status:
        return None
    words, index = pooled(pc.fill_null(table.column(status[0]), "").to_pylist())
    if status[0] in _STATUS:
        return np.array([word.strip() in _HALTED_SHANGHAI for word in words], dtype=np.bool_)[index]
    # TradingPhaseCode has letters in the exchange's own form ("T0"); one vendor writes numbers, which say
    # nothing of halts.
    lettered = [len(word.strip()) == 2 and word[0].isalpha() for word in words]
    flags = [
        known and (word[0] == "H" or word[1] == "1") for known, word in zip(lettered, words, strict=True)
    ]
    return np.array(flags, dtype=np.bool_)[index] if any(lettered) else None


def _days(ts: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    days = (ts + SHANGHAI_OFFSET_MS) // DAY_MS
    return [(int(day), np.flatnonzero(days == day)) for day in np.unique(days)] if len(ts) else []
