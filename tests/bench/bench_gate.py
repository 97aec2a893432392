"""Speed of the pre-trade gate on one core (run it: `python -m tests.bench.bench_gate`).

A shard with books of 20,000 accounts of two positions and a contract each answers requests of every
business, JSON in, decisions out, in runs of 500 as a worker hands them over; half of the accepted ones are
filled afterwards. The goal is 5,000 requests a second.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from typing import Any

import numpy as np
import orjson

from agents.core import Segment
from agents.margin.shard import MarginShard
from agents.market.conflate import conflate_trades
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_trades
from schemas.market import Session
from schemas.units import parse_day

SECURITIES = [f"{600000 + i}.SH" for i in range(500)]
DAY, MORNING = "2025-04-07", 1743989400000
RUN = 500
BUSINESSES = (
    "financing_buy",
    "collateral_buy",
    "collateral_sell",
    "short_sell",
    "sell_to_repay",
    "withdraw_cash",
    "withdraw_security",
)

Record = dict[str, Any]


def segment(topic: str, records: list[Record]) -> Segment:
    """Records of one topic as a core gets them."""
    n = len(records)
    zeros = np.zeros(n, dtype=np.int32)
    offsets = np.arange(n, dtype=np.int64)
    values = [orjson.dumps(record) for record in records]
    if topic == "account.events":
        batch = decode_account_events(values, None).batch
        return Segment((topic, 0), offsets, offsets, zeros, offsets, batch=batch)
    return Segment((topic, 0), offsets, offsets, zeros, offsets, values=values)


def opening(chance: random.Random, account: int) -> Record:
    """An account with cash, two positions and a financing contract."""
    one, other = chance.sample(SECURITIES, 2)
    owed = {"contract": "F", "type": "financing", "security": one, "opened": DAY, "qty": 2_000, "price": 10}
    return {
        "account": f"A{account}",
        "ts": MORNING,
        "id": "o",
        "kind": "opening",
        "cash": chance.randrange(10_000, 400_000),
        "positions": [{"security": one, "qty": 5_000}, {"security": other, "qty": 10_000}],
        "contracts": [owed],
        "credit": {"total": 500_000, "financing": 300_000, "lending": 300_000},
    }


def request(chance: random.Random, books: list[Record], number: int) -> Record:
    """Some request of some account, mostly in what it holds."""
    book = chance.choice(books)
    business = chance.choice(BUSINESSES)
    record: Record = {
        "account": book["account"],
        "ts": MORNING + number,
        "id": f"r{number}",
        "business": business,
    }
    if business == "withdraw_cash":
        return record | {"amount": chance.randrange(1, 20_000)}
    record["security"] = chance.choice(book["positions"])["security"]
    record["qty"] = 100 * chance.randrange(1, 60)
    if business != "withdraw_security":
        record |= {"order_type": "limit", "price": chance.choice(("10.00", "10.05", "9.95"))}
    return record


def prepared(chance: random.Random, accounts: int) -> tuple[MarginShard, list[Record]]:
    """A shard on whose day everything has a price, and its books."""
    core = MarginShard()
    listed = {"date": DAY, "kind": "stock", "board": "main", "prev_close": 10, "haircut": "0.65"}
    listed |= {"financing": True, "lending": True, "lendable_qty": 10**9}
    core.apply_events(segment("reference.securities", [{"security": s} | listed for s in SECURITIES]))
    day = parse_day(DAY)
    core.apply_session(Session(ts=MORNING - 2, date=day, market="ALL", phase="pre_open"))
    core.apply_session(Session(ts=MORNING - 1, date=day, market="ALL", phase="continuous"))
    trades = [{"security": s, "ts": MORNING, "price": 10, "qty": 100} for s in SECURITIES]
    decoded = decode_trades([orjson.dumps(trade) for trade in trades], None)
    offsets = np.arange(len(trades), dtype=np.int64)
    core.apply_marks(conflate_trades(decoded.batch, offsets), evaluate=True)
    books = [opening(chance, account) for account in range(accounts)]
    for start in range(0, accounts, 4_096):
        core.apply_events(segment("account.events", books[start : start + 4_096]))
    return core, books


def main(accounts: int, requests: int) -> None:
    """Prints the rate, the answers and the cost of state."""
    chance = random.Random(7)
    core, books = prepared(chance, accounts)
    asked = [request(chance, books, number) for number in range(requests)]
    runs = [segment("account.orders", asked[start : start + RUN]) for start in range(0, requests, RUN)]
    gc.collect()
    core.apply_events(segment("account.orders", [request(chance, books, requests)]))
    accepted, before = 0, time.perf_counter()
    for run in runs:
        accepted += sum(output.value["decision"] == "accept" for output in core.apply_events(run))
    spent = time.perf_counter() - before
    print(f"requests decided                {requests / spent:>9,.0f} /s   goal >= 5,000")
    print(f"a request, on average           {spent / requests * 1e6:>9,.0f} us")
    print(f"accepted                        {accepted:>9,} of {requests:,}")
    before = time.perf_counter()
    snapshot = core.snapshot()
    print(f"snapshot                        {(time.perf_counter() - before) * 1e3:>9,.0f} ms")
    before = time.perf_counter()
    MarginShard().restore(snapshot)
    print(f"restore                         {(time.perf_counter() - before) * 1e3:>9,.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 50_000)
