"""Two small recorded days: a handful of accounts, a few prices, the phases of a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from schemas.units import day_start, format_day, parse_day
from streams.days.sessions import session_rows

FIRST, SECOND = parse_day("2025-04-03"), parse_day("2025-04-07")
_MINUTE = 60_000


def write_lines(directory: Path, topic: str, rows: list[dict[str, Any]]) -> None:
    (directory / f"{topic}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def opening(account: str, ts: int, qty: int) -> dict[str, Any]:
    contract = {
        "contract": "C1",
        "type": "financing",
        "security": "600000.SH",
        "opened": "2025-03-03",
        "qty": qty,
        "price": "10.00",
        "principal": str(qty * 72 // 10),
    }
    return {
        "account": account,
        "ts": ts,
        "id": "open",
        "kind": "opening",
        "cash": "100.00",
        "positions": [{"security": "600000.SH", "qty": qty}],
        "contracts": [contract],
    }


def write_day(parent: Path, day: int, prices: list[str], accounts: int = 0) -> Path:
    """A day with ``prices`` of one stock a minute from 09:30, a thin second stock, and ``accounts``
    openings."""
    directory = parent / f"date={format_day(day)}"
    directory.mkdir(parents=True)
    opens = day_start(day) + 570 * _MINUTE
    trades = [
        {"security": security, "ts": opens + n * _MINUTE + shift, "price": price, "qty": 100}
        for n, price in enumerate(prices)
        for security, shift in (("600000.SH", 0), ("000001.SZ", 700))
    ]
    write_lines(directory, "market.trades", trades)
    reference = [
        {"security": name, "date": format_day(day), "kind": "stock", "board": "main", "prev_close": prices[0]}
        for name in ("600000.SH", "000001.SZ")
    ]
    write_lines(directory, "reference.securities", reference)
    sessions = [{k: v for k, v in row.items() if k != "key"} for row in session_rows(day)]
    write_lines(directory, "market.session", sessions)
    if accounts:
        ts = day_start(day) + 510 * _MINUTE
        write_lines(
            directory, "account.events", [opening(f"A{n}", ts, 1000 + 100 * n) for n in range(accounts)]
        )
    return directory


def two_days(parent: Path) -> list[Path]:
    """The first day's close brings calls, the second day's fall worse ones."""
    first = write_day(parent, FIRST, ["10.00", "9.60", "9.30", "9.05"], accounts=12)
    return [first, write_day(parent, SECOND, ["9.00", "8.60", "8.20", "8.15"])]
