"""E8: financing in a security is suspended at 25 % and resumed at 20 % (ETF 75 % and 70 %)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from agents.core import Output
from agents.financing.core import FinancingConfig, FinancingCore
from schemas.market import Session
from schemas.units import parse_day
from tests.oracle.moments import at
from tests.oracle.segments import segment

STOCK = "600000.SH"
FLOAT_VALUE = 10_000_000_000
FIRST = date(2025, 4, 7)


class Exchange:
    """Publishes a figure at the end of each day; one shard reports that none of its accounts has anything."""

    def __init__(self, kind: str, first: date = FIRST) -> None:
        self.core = FinancingCore(FinancingConfig(shards=1, scope="firm"))
        self.day, self.offset = first, 0
        about = {"security": STOCK, "date": first.isoformat(), "kind": kind, "board": "main"}
        self.said: list[Output] = self.tell("reference.securities", about)

    def tell(self, topic: str, record: dict[str, Any]) -> list[Output]:
        self.offset += 1
        offsets = np.array([self.offset], np.int64)
        return self.core.apply_events(segment(topic, offsets, values=[json.dumps(record).encode()]))

    def phase(self, name: str, clock: str) -> list[Output]:
        ts, day = at(self.day, clock), parse_day(self.day.isoformat())
        return self.core.apply_session(Session(ts=ts, date=day, market="ALL", phase=name))

    def day_with(self, balance: int, holding: int | None = None) -> list[str]:
        """A day whose published financing balance (and value held) are these; its signals."""
        figures = {"security": STOCK, "date": self.day.isoformat(), "financing_balance": balance}
        figures |= {
            "credit_holding_value": balance if holding is None else holding,
            "float_value": FLOAT_VALUE,
        }
        said = self.phase("pre_open", "09:00")
        said += self.tell("reference.balances", figures)
        said += self.phase("settled", "16:00")
        ts = at(self.day, "16:00")
        report = {"shard": 0, "date": self.day.isoformat(), "ts": ts, "securities": {}}
        said += self.tell("shard.totals", report)
        self.day += timedelta(days=1)
        return [o.value["signal"] for o in said if o.topic == "security.signals" and o.value["ts"] >= 0]


def percent(text: str) -> int:
    whole, hundredths = text.split(".")
    return (int(whole) * 100 + int(hundredths)) * FLOAT_VALUE // 10_000


def signals(kind: str, indicators: str) -> list[str]:
    exchange = Exchange(kind)
    return ["+".join(exchange.day_with(percent(text))) for text in indicators.split()]


def test_e8_a_stock_at_25_and_20() -> None:
    said = signals("stock", "19.50 20.37 24.99 25.00 24.10 20.01 20.00 19.99 25.31 19.80")
    assert said == ["", "remind", "remind", "halt", "", "", "resume", "", "halt", "resume"]


def test_e8_an_etf_at_75_and_70() -> None:
    said = signals("etf", "70.28 74.99 75.00 72.00 70.00 69.90")
    assert said == ["remind", "remind", "halt", "", "resume", ""]


@pytest.mark.parametrize(
    ("first", "said"), [(date(2014, 4, 8), ["halt"]), (date(2018, 4, 9), ["remind"]), (FIRST, ["remind"])]
)
def test_e8_later_the_smaller_of_balance_and_holding_decides(first: date, said: list[str]) -> None:
    """2.6 bn financed, 2.4 bn held, 10 bn float: 26 % under the pilot definition, 24 % since."""
    assert Exchange("stock", first).day_with(2_600_000_000, 2_400_000_000) == said


def test_a_signal_takes_effect_on_the_next_day_and_names_its_figures() -> None:
    exchange = Exchange("stock")
    exchange.phase("pre_open", "09:00")
    figures = {"security": STOCK, "date": "2025-04-07", "financing_balance": 2_500_000_000}
    figures |= {"credit_holding_value": 2_500_000_000, "float_value": FLOAT_VALUE}
    said = exchange.tell("reference.balances", figures) + exchange.phase("settled", "16:00")
    signal = next(output.value for output in said if output.topic == "security.signals")
    assert signal["business"] == "financing"
    assert signal["date"] == "2025-04-07"
    assert signal["effective"] == "2025-04-08"
    assert signal["indicator"] == "0.250000"
    assert signal["line"] == "0.25"
    assert signal["basis"] == "published"


def test_a_notice_wins_over_the_figures_and_is_lifted_only_by_another() -> None:
    exchange = Exchange("stock")
    notice = {"security": STOCK, "effective": "2025-04-07", "business": "financing"}
    said = exchange.tell("reference.notices", {**notice, "action": "halt"})
    assert [o.value["basis"] for o in said if o.topic == "security.signals"] == ["notice"]
    assert exchange.day_with(percent("19.00")) == []
    said = exchange.tell("reference.notices", {**notice, "effective": "2025-04-09", "action": "resume"})
    assert [o.value["signal"] for o in said if o.topic == "security.signals"] == ["resume"]
