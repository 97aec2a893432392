"""Concentration at the gate: E15 of the rulebook's worked examples, the gate of 2023-07-31 and the tiers of
clients (sections 5.3, 8).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schemas.units import format_day, parse_day
from tests.gate.counter import BANK, GROWTH, INDEX_FUND, Counter, contract, position


def crowded(
    day: str = "2023-07-31", share: str = "0.25", pe: str = "-1", held: int = 210_000, mmr: int = 295
) -> Counter:
    """One stock at 10.00 beside cash, three million together; `mmr` is the maintenance ratio in percent."""
    counter = Counter(day)
    counter.security(pe_static=pe, haircut="0")
    counter.trading()
    principal = 300_000_000_000 // mmr
    owed = contract(
        "F",
        BANK,
        "2015-01-05",
        held,
        "4.84",
        principal=f"{principal // 1000}.{principal % 1000:03d}",
        margin_ratio="0",
    )
    figures = {"security": BANK, "date": format_day(parse_day(day) - 1), "collateral_share": share}
    counter.book.reference("reference.balances", figures)
    counter.open(cash=str(3_000_000 - 10 * held), positions=[position(BANK, held)], contracts=[owed])
    return counter


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "concentration_gate"),
        ({"share": "0.2499"}, "accept"),
        ({"pe": "299.99"}, "accept"),
        ({"pe": "300"}, "concentration_gate"),
        ({"held": 209_970}, "accept"),
        ({"mmr": 300}, "concentration_gate"),
        ({"mmr": 301}, "accept"),
        ({"day": "2023-07-28"}, "accept"),
    ],
)
def test_e15_the_gate_needs_all_four_lines(changes: dict[str, Any], expected: str) -> None:
    assert crowded(**changes).why("financing_buy", qty=100, price="10.00") == expected


def tiered(mmr: str, day: str = "2018-06-04", client: str = "individual", held: int = 0) -> Counter:
    """A debt of a million, the rest in cash; a fund at 1.000 that is bought without any cost."""
    counter = Counter(day)
    free: dict[str, Any] = {
        "preset": "FREE",
        "from": "2018-01-02",
        "warn": "1.40",
        "min": "1.30",
        "immediate": None,
    }
    free |= {"immediate_mode": "by_settled", "target": "1.50", "cure_by": 1, "cure_at": "settled"}
    counter.book.reference(
        "reference.rules", free | {"liquidate_from": 2, "rearm": "0.01", "commission": "0"}
    )
    counter.security(INDEX_FUND, kind="etf", prev_close="1.000", haircut="0.90")
    counter.trading()
    owed = contract("F", GROWTH, "2015-01-05", 0, "1.00", principal="1000000", margin_ratio="0")
    cash = str(int(Decimal(mmr) * 1_000_000) - held)
    counter.open(
        cash=cash,
        preset="FREE",
        contracts=[owed],
        positions=[position(INDEX_FUND, held)],
        **{"class": client},
    )
    return counter


@pytest.mark.parametrize(
    ("mmr", "client", "most"),
    [
        ("1.79", "individual", 895_000),
        ("1.80", "individual", 1_000_000),
        ("2.40", "individual", 1_000_000),
        ("1.79", "private_fund", 537_000),
        ("1.80", "private_fund", 900_000),
    ],
)
def test_e15_a_tier_limits_the_share_after_the_fill(mmr: str, client: str, most: int) -> None:
    counter = tiered(mmr, client=client)
    buy = {"security": INDEX_FUND, "price": "1.000"}
    if most < 1_000_000:
        refused = counter.ask("collateral_buy", qty=most + 100, **buy)
        assert (refused["decision"], refused["limit"]) == ("reject", most)
        assert refused["rule"].startswith("concentration_")
    assert counter.says("collateral_buy", qty=most, **buy) == ("accept", most)


def test_e15_70_percent_are_allowed_from_a_ratio_of_180_percent_and_everything_from_240() -> None:
    buy = {"security": INDEX_FUND, "price": "1.000"}
    counter = tiered("1.80", held=1_000_000)
    assert counter.says("collateral_buy", qty=260_100, **buy) == ("reject", 260_000)
    assert counter.says("collateral_buy", qty=260_000, **buy)[0] == "accept"
    counter = tiered("2.40", held=1_500_000)
    assert counter.says("collateral_buy", qty=900_000, **buy)[0] == "accept"


def test_e15_what_open_orders_will_buy_counts_as_bought() -> None:
    counter = tiered("1.79")
    buy = {"security": INDEX_FUND, "price": "1.000"}
    assert counter.says("collateral_buy", qty=800_000, **buy)[0] == "accept"
    assert counter.says("collateral_buy", qty=95_100, **buy) == ("reject", 95_000)


@pytest.mark.parametrize(
    ("wanted", "decision"), [(51_200, "accept"), (51_300, "reject"), (18_000_000, "reject")]
)
def test_the_limit_passes_however_much_was_asked_for(wanted: int, decision: str) -> None:
    """18,000,000 below the mark would lift the ratio above every tier, but nobody could pay for them."""
    counter = tiered("1.50", held=700_000)
    buy = {"security": INDEX_FUND, "price": "0.950"}
    assert counter.says("collateral_buy", qty=wanted, **buy) == (decision, 51_200)


@pytest.mark.parametrize(
    ("wanted", "decision"),
    [(97_400, "accept"), (97_500, "reject"), (199_900, "reject"), (200_000, "accept"), (469_400, "accept")],
)
def test_a_purchase_below_the_mark_may_lift_the_ratio_into_the_next_tier(wanted: int, decision: str) -> None:
    """At 0.950 each share adds 0.050 to the assets: 200,000 bring the ratio from 1.79 to 1.80."""
    counter = tiered("1.79", held=800_000)
    buy = {"security": INDEX_FUND, "price": "0.950"}
    assert counter.says("collateral_buy", qty=wanted, **buy) == (decision, 469_400)
    assert counter.says("collateral_buy", qty=469_500, **buy)[0] == "reject"
