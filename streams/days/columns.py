"""Arrow types of a recorded day's columns: the contract's field names, one type per name whatever the topic.

Money is ``decimal128(18, 3)`` yuan, ``ts`` int64 milliseconds since the epoch, dates ``date32``, quantities
int64; rates, lines, haircuts and everything named stay the strings they are on the wire. Lists of
positions, contracts and book levels are nested.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from streams.days.decimals import MONEY_TYPE

MONEY = frozenset(
    [
        "price",
        "last",
        "prev_close",
        "open",
        "high",
        "low",
        "amount",
        "limit_up",
        "limit_down",
        "fair_price",
        "fee",
        "cash",
        "value",
        "principal",
        "accrued",
        "financing_balance",
        "credit_holding_value",
        "float_value",
        "total",
        "financing_limit",
    ]
)
COUNTS = frozenset(
    [
        "ts",
        "seq",
        "qty",
        "volume",
        "sellable",
        "float_shares",
        "adv_20",
        "lending_qty",
        "lendable_qty",
        "v",
        "cure_by",
        "liquidate_from",
        "days",
    ]
)
DATES = frozenset(["date", "due", "opened", "ex_date", "pay_date", "effective", "from", "suspended_since"])
FLAGS = frozenset(["halted", "index_member", "st", "delisting", "suspended", "program", "auto_pay"])

LEVELS = pa.list_(pa.struct([("price", MONEY_TYPE), ("qty", pa.int64())]))
"""Book levels, best first: on the wire ``[[price, qty], ...]``."""
POSITIONS = pa.list_(pa.struct([("security", pa.string()), ("qty", pa.int64()), ("sellable", pa.int64())]))
CONTRACTS = pa.list_(
    pa.struct(
        [
            ("contract", pa.string()),
            ("type", pa.string()),
            ("security", pa.string()),
            ("opened", pa.date32()),
            ("qty", pa.int64()),
            ("price", MONEY_TYPE),
            ("principal", MONEY_TYPE),
            ("rate", pa.string()),
            ("margin_ratio", pa.string()),
            ("due", pa.date32()),
            ("accrued", MONEY_TYPE),
        ]
    )
)
CREDIT = pa.struct(
    [("total", MONEY_TYPE), ("financing", MONEY_TYPE), ("lending", MONEY_TYPE), ("until", pa.date32())]
)
NESTED = {
    "bid": LEVELS,
    "ask": LEVELS,
    "positions": POSITIONS,
    "contracts": CONTRACTS,
    "credit": CREDIT,
    "group_credit": CREDIT,
    "cut": pa.map_(pa.string(), pa.int64()),
}
_SPECIAL = {
    ("reference.actions", "shares_per_share"): pa.string(),
    ("reference.securities", "pe_static"): pa.string(),
}
_REFERENCE_LENDING = frozenset({"financing", "lending"})


def column_type(topic: str, name: str) -> pa.DataType:
    """The Arrow type that the writer gives to field ``name`` of ``topic``."""
    if (topic, name) in _SPECIAL:
        return _SPECIAL[topic, name]
    if name in NESTED:
        return NESTED[name]
    if name in MONEY:
        return MONEY_TYPE
    if name in COUNTS:
        return pa.int64()
    if name in DATES:
        return pa.date32()
    if name in FLAGS or (topic == "reference.securities" and name in _REFERENCE_LENDING):
        return pa.bool_()
    return pa.string()


def table_schema(topic: str, names: Iterable[str]) -> pa.Schema:
    """Arrow schema of a topic's table with the given fields in the given order."""
    return pa.schema([(name, column_type(topic, name)) for name in names])
