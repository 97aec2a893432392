"""The haircut (折算率) that counts on a day: what the broker published, within the caps of rulebook 4."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.ledger import ZERO, RefusedError, money

Record = dict[str, Any]
CAPS = {
    "index_stock": "0.70",
    "other_stock": "0.65",
    "etf": "0.90",
    "treasury": "0.95",
    "bond": "0.80",
    "fund": "0.80",
}
ST_SINCE, DELISTING_SINCE, PE_SINCE = date(2011, 11, 25), date(2015, 7, 2), date(2016, 12, 12)
BSE_SINCE = date(2023, 2, 13)


def class_cap(record: Record, day: date) -> Decimal:
    """By class and date; membership nobody denies is taken for granted. Nothing of an index counts."""
    kind = record["kind"]
    if kind == "stock":
        kind = "other_stock" if record.get("index_member") is False else "index_stock"
    if record["board"] == "bse" and day < BSE_SINCE:
        return ZERO
    if kind == "cash_product":
        return money("0.95" if day >= DELISTING_SINCE else "0.80")
    return money(CAPS.get(kind, 0))


def refuse_above_cap(record: Record) -> None:
    if record.get("haircut") and money(record["haircut"]) > class_cap(
        record, date.fromisoformat(record["date"])
    ):
        raise RefusedError("haircut", "above the cap of its class")


def effective(record: Record, day: date, reviewed_pe: Decimal | None, suspended: int) -> Decimal:
    """`reviewed_pe`: static P/E by the weekly review; `suspended`: sessions, today included."""
    given = record.get("haircut")
    if given is None:
        return ZERO
    worthless = (
        (record.get("st") and day >= ST_SINCE)
        or (record.get("delisting") and day >= DELISTING_SINCE)
        or suspended > 30
        or (record["kind"] == "stock" and pe_takes_it(reviewed_pe, day))
    )
    return ZERO if worthless else min(money(given), class_cap(record, day))


def pe_takes_it(pe: Decimal | None, day: date) -> bool:
    """Static P/E of 300 or more, or negative, from 2016-12-12 on."""
    return day >= PE_SINCE and pe is not None and not 0 <= pe < 300
