"""What the whole firm and the whole market hold of a security: from final balances back to every shard, for
the limits of the gate (rulebook 5.3, 8).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from agents.core import Segment
from agents.financing.records import PART
from agents.kernels.layout import COLLATERAL_SHARE, FIRM_HELD
from agents.margin.shard import MarginShard
from schemas.market import Session
from schemas.units import day_start, parse_day
from tests.financing.firm import HOUR, Firm

A, B = "600001.SH", "600002.SH"
MONDAY, TUESDAY, WEDNESDAY = "2023-08-07", "2023-08-08", "2023-08-09"


def held(qty: int) -> list[int]:
    return [0, 0, qty, 1, 0, 0, 0, 0]


class Shard:
    def __init__(self) -> None:
        self.core = MarginShard()

    def begin(self, date: str) -> None:
        self.core.apply_session(
            Session(day_start(parse_day(date)) + 9 * HOUR, parse_day(date), "ALL", "pre_open")
        )

    def take(self, topic: str, *values: dict[str, Any]) -> None:
        n = len(values)
        numbers, nothing = np.arange(n, dtype=np.int64), np.zeros(n, dtype=np.int32)
        raw = [orjson.dumps(value) for value in values]
        self.core.apply_events(Segment((topic, 0), numbers, numbers, nothing, numbers, values=raw))

    def of(self, column: int, security: str = A) -> int:
        securities = self.core.desk.books.securities
        row = securities.index.get(security)
        return -1 if row is None else securities.get(row, column)


def totals(firm: Firm) -> list[dict[str, Any]]:
    return firm.of("firm.totals")


def test_a_final_day_tells_the_shards_what_the_firm_holds() -> None:
    firm, shard = Firm(shards=2), Shard()
    firm.session(MONDAY, "pre_open", 9)
    firm.session(MONDAY, "settled")
    firm.totals(MONDAY, {A: held(300)}, shard=0)
    firm.totals(MONDAY, {A: held(200), B: held(7)}, shard=1)
    (told,) = totals(firm)
    assert told["securities"] == {A: [500, None], B: [7, None]}
    shard.begin(MONDAY)
    shard.take("firm.totals", told)
    assert shard.of(FIRM_HELD) == -1, "the figures of a day govern the days after it"
    shard.begin(TUESDAY)
    assert (shard.of(FIRM_HELD), shard.of(FIRM_HELD, B), shard.of(COLLATERAL_SHARE)) == (500, 7, -1)


def test_what_nobody_holds_any_more_is_told_as_nothing() -> None:
    firm, shard = Firm(), Shard()
    firm.day(MONDAY, {A: held(300)}, {})
    firm.day(TUESDAY, {}, {})
    shard.begin(WEDNESDAY)
    shard.take("firm.totals", *totals(firm))
    assert shard.of(FIRM_HELD) == 0


def test_a_second_settled_tells_only_what_came_out_otherwise() -> None:
    firm = Firm()
    firm.day(MONDAY, {A: held(300), B: held(7)}, {})
    firm.session(MONDAY, "settled", 16)
    firm.totals(MONDAY, {A: held(300), B: held(8)}, hour=16)
    assert [(told["id"], told["securities"]) for told in totals(firm)] == [
        (f"{MONDAY}:1:0", {A: [300, None], B: [7, None]}),
        (f"{MONDAY}:2:0", {B: [8, None]}),
    ]


def test_many_securities_come_in_parts() -> None:
    firm = Firm()
    firm.day(MONDAY, {f"{600000 + i}.SH": held(1) for i in range(PART + 1)}, {})
    assert [len(told["securities"]) for told in totals(firm)] == [PART, 1]
    assert [output.key for output in firm.outputs if output.topic == "firm.totals"] == ["0", "1"]


@pytest.mark.parametrize(("qty", "share"), [(2_500_000, 250_000), (2_499_999, 249_999)])
def test_where_the_firm_is_the_market_its_share_of_the_float_is_the_markets(qty: int, share: int) -> None:
    firm, shard = Firm(scope="market"), Shard()
    firm.security(MONDAY, A, float_shares=10_000_000)
    firm.day(MONDAY, {A: held(qty)}, {})
    assert firm.of("financing.balances")[0]["collateral_share"] == "0.250000", "shown half up"
    shard.begin(TUESDAY)
    shard.take("firm.totals", *totals(firm))
    assert shard.of(COLLATERAL_SHARE) == share


def test_a_published_share_counts_from_the_next_day_and_an_older_one_replaces_nothing() -> None:
    shard = Shard()
    shard.begin(MONDAY)
    shard.take("reference.balances", {"security": A, "date": MONDAY, "collateral_share": "0.26"})
    assert shard.of(COLLATERAL_SHARE) == -1
    shard.begin(TUESDAY)
    assert shard.of(COLLATERAL_SHARE) == 260_000
    shard.take("reference.balances", {"security": A, "date": "2023-08-04", "collateral_share": "0.10"})
    shard.take("reference.balances", {"security": A, "date": MONDAY})
    assert shard.of(COLLATERAL_SHARE) == 260_000


def test_figures_that_wait_survive_a_restart() -> None:
    shard, other = Shard(), Shard()
    shard.begin(MONDAY)
    shard.take("reference.balances", {"security": A, "date": MONDAY, "collateral_share": "0.26"})
    told = {"id": "1", "ts": 1, "date": MONDAY, "securities": {A: [5, None]}}
    shard.take("firm.totals", told)
    other.core.restore(shard.core.snapshot())
    other.begin(TUESDAY)
    assert (other.of(COLLATERAL_SHARE), other.of(FIRM_HELD)) == (260_000, 5)
