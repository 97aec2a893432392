"""Speed of the margin core beside a plain-dictionary book that does the same work (run it: `python -m
tests.bench.bench_margin`).

Measured in one process, one core: openings and fills folded and evaluated, one tick revalued over all
holders of a security, a full day-end evaluation. The dictionary book keeps positions and cash per account
in dictionaries of Python integers and judges a ratio by cross-multiplication; it has no calls, no interest
and no evidence, so it is the least such a program does.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from agents.core import Segment
from agents.kernels.valuation import reprice
from agents.margin.desk import Moment
from agents.margin.shard import MarginShard
from schemas.account_decoding import decode_account_events
from schemas.batches import AccountBatch, MarkBatch
from schemas.market import Session
from schemas.units import parse_day

SECURITIES = [f"{600000 + i}.SH" for i in range(500)]
POPULAR = SECURITIES[0]
MORNING = 1743989400000
DAY = "2025-04-07"


@dataclass
class DictBook:
    """The plain alternative: dictionaries all the way."""

    cash: dict[str, int] = field(default_factory=dict)
    debt: dict[str, int] = field(default_factory=dict)
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    value: dict[str, int] = field(default_factory=dict)
    holders: dict[str, dict[str, int]] = field(default_factory=dict)
    price: dict[str, int] = field(default_factory=dict)
    level: dict[str, int] = field(default_factory=dict)

    def open(self, record: dict[str, Any]) -> None:
        account = record["account"]
        self.cash[account] = int(record["cash"]) * 1000
        self.debt[account] = sum(int(c["principal"]) * 1000 for c in record["contracts"])
        self.held[account], self.value[account] = {}, 0
        for position in record["positions"]:
            self.hold(account, position["security"], position["qty"])
        self.judge(account)

    def hold(self, account: str, security: str, qty: int) -> None:
        self.held[account][security] = self.held[account].get(security, 0) + qty
        self.holders.setdefault(security, {})[account] = self.held[account][security]
        self.value[account] += qty * self.price.get(security, 0)

    def fill(self, record: dict[str, Any]) -> None:
        account, qty = record["account"], record["qty"]
        sign = 1 if record["business"] == "collateral_buy" else -1
        self.cash[account] -= sign * qty * int(record["price"]) * 1000
        self.hold(account, record["security"], sign * qty)
        self.judge(account)

    def tick(self, security: str, price: int) -> None:
        change = price - self.price.get(security, 0)
        self.price[security] = price
        for account, qty in self.holders.get(security, {}).items():
            self.value[account] += qty * change
            self.judge(account)

    def judge(self, account: str) -> None:
        assets, debt = (self.cash[account] + self.value[account]) * 10_000, self.debt[account]
        self.level[account] = (assets < debt * 15_000) + (assets < debt * 13_000) + (assets < debt * 11_000)


def openings(accounts: int, seed: int = 1) -> list[dict[str, Any]]:
    """Books of five holdings and one or two contracts; everybody holds the popular security."""
    dice = random.Random(seed)
    found = []
    for number in range(accounts):
        held = {POPULAR: 1000, **{s: 100 * dice.randint(1, 50) for s in dice.sample(SECURITIES[1:], 4)}}
        contracts = [
            {
                "contract": f"F{i}",
                "type": "financing",
                "security": security,
                "opened": "2025-03-03",
                "qty": qty,
            }
            | {"price": "10", "principal": str(qty * 5), "rate": "0.06"}
            for i, (security, qty) in enumerate(list(held.items())[1 : 2 + number % 2])
        ]
        record = {"account": f"A{number:07d}", "ts": MORNING, "id": "opening", "kind": "opening"}
        positions = [{"security": security, "qty": qty} for security, qty in held.items()]
        found.append(record | {"cash": "50000", "positions": positions, "contracts": contracts})
    return found


def fills(accounts: int, count: int, seed: int = 2) -> list[dict[str, Any]]:
    """Buys and sells of the popular security, spread over the accounts."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        business = "collateral_buy" if number % 2 == 0 else "collateral_sell"
        record = {"account": f"A{dice.randrange(accounts):07d}", "ts": MORNING + number, "id": f"f{number}"}
        trade = {
            "kind": "fill",
            "business": business,
            "security": POPULAR,
            "qty": 1,
            "price": "10",
            "fee": "0.01",
        }
        found.append(record | trade)
    return found


def segment(batch: AccountBatch) -> Segment:
    n = len(batch)
    zeros = np.zeros(n, dtype=np.int64)
    return Segment(("account.events", 0), np.arange(n), zeros, zeros.astype(np.int32), np.arange(n), batch)


def marks(prices: dict[str, int], ts: int) -> MarkBatch:
    n = len(prices)
    columns: dict[str, Any] = {name: np.full(n, -1, dtype=np.int64) for name in MarkBatch.COLUMNS}
    columns["security"] = np.arange(n)
    columns["price"] = np.array(list(prices.values()))
    columns["price_ts"] = np.full(n, ts)
    columns["price_kind"] = np.ones(n)
    columns["price_offset"] = np.arange(n)
    return MarkBatch.build(list(prices), columns)


def decoded(records: list[dict[str, Any]], size: int = 2000) -> list[AccountBatch]:
    values = [orjson.dumps(record) for record in records]
    return [decode_account_events(values[i : i + size], None).batch for i in range(0, len(values), size)]


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def report(name: str, ours: float, plain: float, goal: str, *, cost: bool = False) -> None:
    """One line; `cost`: nanoseconds, lower is better, else a rate a second."""
    times = plain / ours if cost else ours / plain
    unit = "ns" if cost else "/s"
    print(
        f"{name:<30}{ours:>11,.0f} {unit}   plain dict {plain:>11,.0f} {unit}   x{times:>7.2f}   goal {goal}"
    )


def warm() -> None:
    """Compiles the kernels, or loads them from the cache."""
    core = MarginShard()
    for batch in decoded(openings(10)):
        core.apply_events(segment(batch))
    core.apply_marks(marks({POPULAR: 10_000}, MORNING), evaluate=True)
    day = parse_day(DAY)
    core.apply_session(Session(ts=MORNING, date=day, market="ALL", phase="settled"))


def begun() -> MarginShard:
    """A shard in which the day has begun and every security has a price."""
    core = MarginShard()
    core.apply_session(Session(ts=MORNING - 1, date=parse_day(DAY), market="ALL", phase="pre_open"))
    core.apply_marks(marks(dict.fromkeys(SECURITIES, 10_000), MORNING), evaluate=True)
    return core


def measure_events(core: MarginShard, plain: DictBook, accounts: int) -> None:
    """Openings, then fills."""
    records = openings(accounts)
    batches = decoded(records)
    ours = seconds(lambda: [core.apply_events(segment(batch)) for batch in batches])
    theirs = seconds(lambda: deque(map(plain.open, records), 0))
    report("openings folded", accounts / ours, accounts / theirs, ">= 15,000")
    trades = fills(accounts, 200_000)
    batches = decoded(trades)
    ours = seconds(lambda: [core.apply_events(segment(batch)) for batch in batches])
    theirs = seconds(lambda: deque(map(plain.fill, trades), 0))
    report("fills folded and evaluated", len(trades) / ours, len(trades) / theirs, ">= 50,000")


def measure_ticks(core: MarginShard, plain: DictBook, accounts: int) -> None:
    """One security that everybody holds: revalued only, then with the evaluation that follows."""
    books, rounds = core.desk.books, 20
    row, arrays = books.security(POPULAR), books.holders()
    books.take_touched()
    steps = range(10_001, 10_001 + rounds)
    ours = seconds(lambda: [reprice(row, step, step, *arrays) for step in steps]) / rounds
    reprice(row, 10_000, 10_000, *arrays)
    core.day.evaluate_touched(Moment(MORNING))
    ticks = [marks({POPULAR: step}, MORNING + step) for step in steps]
    judged = seconds(lambda: [core.apply_marks(tick, evaluate=True) for tick in ticks]) / rounds
    theirs = seconds(lambda: plain.tick(POPULAR, 10_010))
    a_holder = 1e9 / accounts
    report("a tick, per holder", ours * a_holder, theirs * a_holder, "<= 50", cost=True)
    report("a tick, per holder, judged", judged * a_holder, theirs * a_holder, "", cost=True)


def measure_state(core: MarginShard, accounts: int) -> None:
    """The daily evaluation with all its records; saving and restoring."""
    settled = Session(ts=MORNING + 10**7, date=parse_day(DAY), market="ALL", phase="settled")
    print(
        f"settled, accounts published   {accounts / seconds(lambda: core.apply_session(settled)):>11,.0f} /s"
    )
    snapshot = core.snapshot()
    print(f"snapshot                      {seconds(core.snapshot) * 1000:>11,.0f} ms")
    print(
        f"restore                       {seconds(lambda: MarginShard().restore(snapshot)) * 1000:>11,.0f} ms"
    )


def main(accounts: int) -> None:
    """Prints one line a measurement."""
    warm()
    core, plain = begun(), DictBook(price=dict.fromkeys(SECURITIES, 10_000))
    measure_events(core, plain, accounts)
    measure_ticks(core, plain, accounts)
    measure_state(core, accounts)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
