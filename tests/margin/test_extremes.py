"""No valid event, however extreme, breaks a shard: it is applied or refused, and the books stay sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.books.audit import discrepancies
from agents.margin.shard import MarginShard, ShardConfig
from schemas.units import day_start, format_day
from tests.margin.histories import FIRST_DAY, Step, Teller
from tests.oracle.driver import Driver
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, CHIPS, MONDAY, financed, opening
from tests.worked_examples.trading import morning

MONEY = ["0.01", "1000", "90000", "0.001", "1", "99999999999.999", "100000000000", "50000000000"]
PRICES = ["0.001", "10", "1", "10000000", "9999999.999"]
QUANTITIES = [1, 7, 500, 20_000, 99_999_999_999, 100_000_000_000, 10_000_000]
SECURITIES = ["600000.SH", "688981.SH", "600999.SH"]
RATES = ["0", "0.08", "10"]
OPENED = ["1990-01-01", "2025-04-07", "2024-12-31"]
BUSINESSES = [
    "collateral_buy",
    "collateral_sell",
    "financing_buy",
    "sell_to_repay",
    "short_sell",
    "buy_to_return",
]


class Extremist:
    """Writes events from the edges of every range."""

    def __init__(self, seed: int) -> None:
        self.dice = np.random.default_rng(seed)
        self.day, self.ids = FIRST_DAY, 0

    def pick(self, things: list[Any]) -> Any:
        return things[int(self.dice.integers(0, len(things)))]

    def event(self) -> dict[str, Any]:
        self.ids += 1
        record = {
            "account": self.pick(["A1", "A2"]),
            "ts": day_start(self.day) + 36_000_000,
            "id": f"e{self.ids}",
        }
        security, qty, money = self.pick(SECURITIES), self.pick(QUANTITIES), self.pick(MONEY)
        sign = self.pick(["", "-"])
        fill = {"kind": "fill", "business": self.pick(BUSINESSES), "security": security, "qty": qty}
        fill |= {"price": self.pick(PRICES), "fee": self.pick(MONEY), "rate": self.pick(RATES)}
        kind: dict[str, Any] = self.pick(
            [
                fill,
                fill,
                fill,
                self.opening(),
                {"kind": "cash", "amount": sign + money, "reason": "adjustment", "action": "ca"},
                {
                    "kind": "transfer",
                    "security": security,
                    "qty": -qty if sign else qty,
                    "reason": "adjustment",
                },
                {"kind": "repay", "amount": money},
                {"kind": "return", "security": security, "qty": qty},
                {"kind": "freeze", "security": security, "qty": -qty if sign else qty},
                {"kind": "freeze", "cash": sign + money},
                {"kind": "other_collateral", "value": money},
            ]
        )
        return record | kind

    def opening(self) -> dict[str, Any]:
        positions = [
            {"security": s, "qty": self.pick(QUANTITIES)} for s in SECURITIES if self.dice.random() < 0.5
        ]
        contracts = []
        for number in range(int(self.dice.integers(0, 4))):
            contract = {"contract": f"K{number}", "type": self.pick(["financing", "lending"])}
            contract |= {"security": self.pick(SECURITIES), "opened": self.pick(OPENED)}
            contract |= {"qty": self.pick(QUANTITIES), "price": self.pick(PRICES), "rate": self.pick(RATES)}
            contracts.append(contract | ({"accrued": self.pick(MONEY)} if self.dice.random() < 0.5 else {}))
        book = {"kind": "opening", "cash": self.pick(MONEY), "positions": positions, "contracts": contracts}
        return book | {"preset": self.pick(["A", "B", "C", "D"])}

    def step(self) -> Step:
        draw = self.dice.random()
        ts = day_start(self.day) + 36_000_000
        if draw < 0.7:
            return Step("account.events", (self.event(),))
        if draw < 0.85:
            trade = {
                "security": self.pick(SECURITIES[:2]),
                "ts": ts + self.ids,
                "price": self.pick(PRICES),
                "qty": 1,
            }
            return Step("market.trades", (trade,), evaluate=True)
        if draw < 0.9:
            action = {
                "action": f"ca{self.ids}",
                "security": self.pick(SECURITIES),
                "ex_date": format_day(self.day),
            }
            more = self.pick(
                [
                    {"kind": "dividend", "cash_per_share": "99999"},
                    {"kind": "bonus", "shares_per_share": "999"},
                ]
            )
            return Step("reference.actions", (action | more,))
        if draw < 0.93:
            self.day += int(self.dice.integers(1, 300))
        phase = self.pick(["continuous", "settled", "clock", "pre_open"])
        record = {"ts": ts + self.ids, "date": format_day(self.day), "phase": phase}
        return Step("market.session", (record,))


@pytest.mark.parametrize("seed", range(12))
def test_extreme_events_are_applied_or_refused_and_the_books_stay_sound(seed: int) -> None:
    teller, author = Teller(MarginShard(ShardConfig(liquidation="simulate"))), Extremist(seed)
    for _ in range(250):
        teller.tell(author.step())
        assert discrepancies(teller.shard.desk.books) == []
    for name in teller.shard.desk.books.accounts.names:
        teller.shard.account(name)
    restored = MarginShard(ShardConfig(liquidation="simulate"))
    restored.restore(teller.shard.snapshot())
    assert list(restored.state_rows()) == list(teller.shard.state_rows())


def test_a_simulated_fill_that_would_pass_the_bounds_is_none() -> None:
    """The sale was planned at 10.00; at 9.99 it would lift assets of 10^11 yuan less 1 above the bounds."""
    driver = Driver("simulate")
    morning(driver, {BANK: "10.00", CHIPS: "10.00"})
    held, owes = {BANK: 1_000_000_000, CHIPS: 8_950_000_000}, [financed("90000000000")]
    driver.event(opening(held=held, owes=owes, other_collateral="499999", preset="D", clock="09:32"))
    driver.trade(CHIPS, at(MONDAY, "09:33"), "9.99")
    driver.trade(BANK, at(MONDAY, "09:33"), "10.589")
    driver.session("clock", MONDAY, "09:34")
    assert driver.account("A1")["assets"] == "99999999999.00"
