"""From account events in two shards to final balances: the sum over accounts at every settled point."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from agents.core import Output, Segment
from agents.margin.shard import MarginShard, ShardConfig
from schemas.account_decoding import decode_account_events
from schemas.market import Session
from schemas.units import day_start, parse_day
from tests.financing.firm import HOUR, Firm

A, B = "600001.SH", "600002.SH"
MONDAY, TUESDAY = "2025-04-07", "2025-04-08"


class Shards:
    """Two shards and the firm; what the shards report goes to the firm."""

    def __init__(self) -> None:
        self.shards = [MarginShard(ShardConfig(shard=number)) for number in range(2)]
        self.firm = Firm(shards=2)
        self.count = 0

    def event(self, shard: int, date: str, account: str, kind: str, **fields: Any) -> None:
        self.count += 1
        ts = day_start(parse_day(date)) + 10 * HOUR
        value = orjson.dumps({"account": account, "ts": ts, "id": f"e{self.count}", "kind": kind, **fields})
        batch = decode_account_events([value], None).batch
        one = np.array([self.count], dtype=np.int64)
        part = np.array([shard], dtype=np.int32)
        outputs = self.shards[shard].apply_events(
            Segment(("account.events", shard), one, one, part, one, batch)
        )
        assert not [output for output in outputs if output.topic == "dead.letters"]

    def price(self, date: str, security: str, price: int) -> None:
        self.firm.price(date, security, price)

    def session(self, date: str, phase: str, hour: int) -> list[Output]:
        session = Session(day_start(parse_day(date)) + hour * HOUR, parse_day(date), "ALL", phase)
        reports = [
            output
            for shard in self.shards
            for output in shard.apply_session(session)
            if output.topic == "shard.totals"
        ]
        outputs = self.firm.session(date, phase, hour)
        for report in reports:
            outputs += self.firm.events("shard.totals", report.value, partition=report.value["shard"])
        return outputs

    def balances(self, date: str) -> dict[str, dict[str, Any]]:
        return {
            value["security"]: value for value in self.firm.of("financing.balances") if value["date"] == date
        }


def two_days() -> Shards:
    shards = Shards()
    shards.session(MONDAY, "pre_open", 9)
    shards.event(0, MONDAY, "X1", "opening", cash=1_000_000, positions=[], contracts=[])
    owed = {
        "contract": "F1",
        "type": "financing",
        "security": A,
        "opened": "2025-03-03",
        "qty": 1_000,
        "price": 10,
    }
    held = [{"security": A, "qty": 1_000}]
    shards.event(1, MONDAY, "X2", "opening", cash=500_000, positions=held, contracts=[owed])
    buy = {"business": "financing_buy", "security": A, "qty": 2_000, "price": "10.50"}
    shards.event(0, MONDAY, "X1", "fill", **buy)
    shards.event(0, MONDAY, "X1", "fill", business="short_sell", security=B, qty=500, price=20)
    shards.price(MONDAY, B, 21_000)
    shards.session(MONDAY, "settled", 15)
    shards.session(TUESDAY, "pre_open", 9)
    shards.event(1, TUESDAY, "X2", "repay", amount="4000.00", contract="F1")
    shards.event(0, TUESDAY, "X1", "fill", business="buy_to_return", security=B, qty=200, price=21)
    shards.event(0, TUESDAY, "X1", "fill", **{**buy, "qty": 100, "price": 11})
    shards.price(TUESDAY, B, 19_500)
    shards.session(TUESDAY, "settled", 15)
    return shards


def test_balances_are_the_sum_over_the_accounts_of_all_shards() -> None:
    monday = two_days().balances(MONDAY)
    assert (monday[A]["financing_balance"], monday[A]["accounts"], monday[A]["buys"]) == (
        "31000.00",
        2,
        "21000.00",
    )
    assert monday[A]["credit_holding_qty"] == 3_000
    assert (monday[B]["lending_qty"], monday[B]["lending_value"], monday[B]["short_sales"]) == (
        500,
        "10500.00",
        500,
    )


def test_the_next_days_flows_lead_from_balance_to_balance() -> None:
    shards = two_days()
    tuesday = shards.balances(TUESDAY)
    assert tuesday[A]["buys"] == "1100.00"
    assert (tuesday[B]["lending_qty"], tuesday[B]["lending_value"], tuesday[B]["returns"]) == (
        300,
        "5850.00",
        200,
    )
    last = shards.firm.of("system.events")[-1]
    assert (last["date"], last["figures"]["identity_breaks"]) == (TUESDAY, 0)
