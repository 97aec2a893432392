"""The real margin detail of 000063.SZ drives the agents over its 95 days (2018-04-18 to 2018-08-31): one
account buys at the close (the rest of the sum as one share more), repays, sells short and returns what the
whole market did; the sums that the shard reports are the published balances. The share was suspended until
2018-06-12 and then fell by its limit eight days running.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from agents.core import Segment
from agents.kernels.layout import HAIRCUT
from agents.margin.shard import MarginShard, ShardConfig
from schemas.account_decoding import decode_account_events
from schemas.market import Session
from schemas.units import day_start, parse_day
from tests.financing.firm import HOUR, Firm
from tests.financing.test_balances import ZTE, real_days

MILLI = 1000
FIRST_TRADED = "2018-06-13"
LIMIT_DOWN_DAYS = 8


class Market:
    """One shard with one account that is the whole market, and the firm."""

    def __init__(self) -> None:
        self.shard, self.firm = MarginShard(ShardConfig()), Firm(scope="market")
        self.count = 0

    def event(self, date: str, kind: str, **fields: Any) -> None:
        self.count += 1
        ts = day_start(parse_day(date)) + 10 * HOUR + self.count
        value = orjson.dumps({"account": "M", "ts": ts, "id": f"e{self.count}", "kind": kind, **fields})
        batch = decode_account_events([value], None).batch
        self._take("account.events", batch=batch)

    def about(self, date: str, **facts: Any) -> None:
        self.firm.security(date, ZTE, **facts)
        record = {"security": ZTE, "date": date, "kind": "stock", "board": "main", **facts}
        self._take("reference.securities", values=[orjson.dumps(record)])

    def _take(self, topic: str, **content: Any) -> None:
        one, nothing = np.array([self.count], np.int64), np.zeros(1, np.int32)
        outputs = self.shard.apply_events(Segment((topic, 0), one, one, nothing, one, **content))
        assert not [output for output in outputs if output.topic == "dead.letters"]

    def session(self, date: str, phase: str, hour: int) -> None:
        session = Session(day_start(parse_day(date)) + hour * HOUR, parse_day(date), "ALL", phase)
        reports = [o for o in self.shard.apply_session(session) if o.topic == "shard.totals"]
        self.firm.session(date, phase, hour)
        for report in reports:
            self.firm.events("shard.totals", report.value)

    def trade(self, before: dict[str, str], day: dict[str, str]) -> None:
        """The day's published flows; repayments and returns as the disclosure's identities imply them."""
        date, bought, sold = day["date"], int(day["bought"]), int(day["sold_short"])
        repaid = int(before["owed"]) + bought - int(day["owed"])
        returned = int(before["lent"]) + sold - int(day["lent"])
        close = Decimal(day["close"])
        assert repaid > 0
        assert returned >= 0
        self.event(date, "repay", amount=repaid)
        if returned:
            self.event(date, "return", security=ZTE, qty=returned)
        shares = int(bought / close)
        for qty, price in ((shares, close), (1, bought - shares * close)):
            if bought:
                self.event(date, "fill", business="financing_buy", security=ZTE, qty=qty, price=str(price))
        if sold:
            self.event(date, "fill", business="short_sell", security=ZTE, qty=sold, price=str(close))


@cache
def played() -> Market:
    market, days = Market(), real_days()
    first = days[0]
    market.session(first["date"], "pre_open", 9)
    market.about(first["date"], suspended=True, prev_close=first["close"], haircut="0.65")
    borrowed = {"security": ZTE, "opened": first["date"], "rate": "0"}
    contracts = [
        borrowed
        | {"contract": "F", "type": "financing", "qty": 10**8, "price": 1, "principal": first["owed"]},
        borrowed | {"contract": "S", "type": "lending", "qty": int(first["lent"]), "price": first["close"]},
    ]
    held = [{"security": ZTE, "qty": 10**8}]
    market.event(first["date"], "opening", cash=10**10, positions=held, contracts=contracts)
    market.session(first["date"], "settled", 15)
    for before, day in pairwise(days):
        market.session(day["date"], "pre_open", 9)
        if day["date"] == FIRST_TRADED:
            market.about(day["date"], suspended=False, haircut="0.65")
        if day["date"] >= FIRST_TRADED:
            market.firm.price(day["date"], ZTE, int(Decimal(day["close"]) * MILLI))
        market.trade(before, day)
        market.session(day["date"], "settled", 15)
    return market


def test_the_sums_over_the_account_are_the_published_balances_on_all_95_days() -> None:
    days = real_days()
    balances = played().firm.of("financing.balances")
    assert [balance["date"] for balance in balances] == [day["date"] for day in days]
    assert len(days) == 95
    for balance, day in zip(balances, days, strict=True):
        assert Decimal(balance["financing_balance"]) == int(day["owed"])
        assert balance["lending_qty"] == int(day["lent"])
        assert Decimal(balance["buys"]) == (int(day["bought"]) if day is not days[0] else 0)
        assert abs(Decimal(balance["lending_value"]) - int(day["lending_value"])) < 2


def test_every_days_balances_follow_from_the_day_before() -> None:
    finals = [value for value in played().firm.of("system.events") if value["kind"] == "day_final"]
    assert [value["figures"]["identity_breaks"] for value in finals] == [0] * 95


def test_nothing_was_bought_on_credit_while_the_share_was_suspended() -> None:
    days = real_days()
    assert all(day["bought"] == "0" for day in days if day["date"] < FIRST_TRADED)
    falls = [
        Decimal(day["close"]) / Decimal(before["close"])
        for before, day in pairwise(days)
        if day["date"] >= FIRST_TRADED
    ]
    assert all(Decimal("0.895") < fall < Decimal("0.905") for fall in falls[:LIMIT_DOWN_DAYS])


def test_the_suspension_took_the_haircut_and_resumption_gave_it_back() -> None:
    securities = played().shard.desk.books.securities
    assert securities.get(securities.index[ZTE], HAIRCUT) == 6_500
