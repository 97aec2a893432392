"""The oracle itself against the rulebook's worked examples, so that it deserves to be compared with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.ledger import Contract, RefusedError, half_up
from tests.oracle.oracle import Oracle

DAY = date(2025, 4, 7)
MORNING = 1743991800000  # 2025-04-07 10:10 in Shanghai


def opening(account: str = "A1", **fields: Any) -> dict[str, Any]:
    base = {"account": account, "ts": MORNING, "id": "open", "kind": "opening", "cash": "0"}
    return {**base, "positions": [], "contracts": [], **fields}


def financing(principal: str, **fields: Any) -> dict[str, Any]:
    base = {"contract": "F1", "type": "financing", "security": "600000.SH", "opened": "2025-04-07", "qty": 1}
    return {**base, "price": principal, "principal": principal, "rate": "0", **fields}


def firm() -> Oracle:
    oracle = Oracle()
    oracle.session("pre_open", DAY)
    return oracle


def test_long_only_book_of_e1() -> None:
    oracle = firm()
    oracle.trade("600000.SH", MORNING, Decimal("12.00"))
    oracle.event(
        opening(
            cash="200000",
            positions=[{"security": "600000.SH", "qty": 50_000}],
            contracts=[financing("400000", accrued="1234.56", opened="2025-03-01")],
        )
    )
    assert oracle.view("A1").assets == Decimal("800000.00")
    assert oracle.view("A1").debt == Decimal("401234.56")
    assert oracle.view("A1").ratio == "1.993846"


def test_available_margin_of_e6_keeps_gains_and_losses_apart() -> None:
    oracle = firm()
    prices = {
        "A": ("20", ".65"),
        "B": ("100", ".95"),
        "C": ("15", "0"),
        "F1": ("22", ".70"),
        "F2": ("9", ".60"),
    }
    prices |= {"S1": ("22", ".65"), "S2": ("33.50", ".60")}
    for security, (price, haircut) in prices.items():
        oracle.trade(security, MORNING, Decimal(price))
        record = {"security": security, "date": "2025-04-07", "haircut": haircut, "board": "main"}
        record["kind"] = "stock" if Decimal(haircut) <= Decimal("0.70") else "cash_product"
        oracle.reference("reference.securities", record)
    short = {"type": "lending", "opened": "2025-04-07", "rate": "0"}
    quantities = {"A": 10_000, "B": 5_000, "C": 8_000, "F1": 10_000, "F2": 20_000}
    oracle.event(
        opening(
            cash="900000",
            positions=[{"security": security, "qty": qty} for security, qty in quantities.items()],
            contracts=[
                financing("200000", contract="F1", security="F1", qty=10_000, margin_ratio="1.00"),
                financing("200000", contract="F2", security="F2", qty=20_000, margin_ratio="0.80"),
                {
                    **short,
                    "contract": "S1",
                    "security": "S1",
                    "qty": 10_000,
                    "price": "25",
                    "margin_ratio": "1",
                },
                {
                    **short,
                    "contract": "S2",
                    "security": "S2",
                    "qty": 4_000,
                    "price": "30",
                    "margin_ratio": "0.5",
                },
                financing("0", contract="I", accrued="3210.98", qty=0),
            ],
        )
    )
    assert Decimal(oracle.view("A1").debt) == Decimal("757210.98")
    assert oracle.view("A1").ratio == "2.799748"
    assert oracle.available_margin("A1") == Decimal("484289.02")


@pytest.mark.parametrize(
    ("principal", "rate", "repaid", "interest"),
    [
        ("400000", "0.086", date(2024, 3, 15), "1337.78"),
        ("400000", "0.086", date(2024, 3, 1), "95.56"),
        ("400000", "0.0786", date(2024, 3, 15), "1222.67"),
        ("300000", "0.106", date(2024, 3, 31), "2650.00"),
    ],
)
def test_interest_of_e13_counts_the_first_day_and_not_the_last(
    principal: str, rate: str, repaid: date, interest: str
) -> None:
    money = Decimal(principal)
    contract = Contract("F", "financing", "X", date(2024, 3, 1), 1, money, money, Decimal(rate))
    contract.run_to(repaid, lambda contract, day: contract.rate)
    assert contract.interest_due(repaid) == Decimal(interest)


def test_partial_repayment_keeps_the_days_of_the_part_that_was_repaid() -> None:
    contract = Contract(
        "F", "financing", "X", date(2024, 3, 1), 1, Decimal(1000), Decimal(1000), Decimal("0.36")
    )
    contract.run_to(date(2024, 3, 11), lambda contract, day: contract.rate)
    contract.principal -= 400
    contract.run_to(date(2024, 3, 21), lambda contract, day: contract.rate)
    assert contract.interest(date(2024, 3, 21)) == half_up(
        Decimal(400 * 10 + 600 * 20) / 1000, Decimal("0.001")
    )


def called_at_129(preset: str) -> tuple[Oracle, list[str]]:
    oracle = firm()
    oracle.trade("600000.SH", MORNING, Decimal("1.29"))
    oracle.event(
        opening(
            preset=preset,
            positions=[{"security": "600000.SH", "qty": 100_000}],
            contracts=[financing("100000")],
        )
    )
    oracle.session("continuous", DAY)
    return oracle, [step.event for step in oracle.session("settled", DAY)]


def next_day(oracle: Oracle, day: date, price: str) -> list[str]:
    """The oracle does not plan: that a plan is due, it says at every evaluation until there is one."""
    steps = oracle.session("pre_open", day) + oracle.session("continuous", day)
    offset = (day - DAY).days * 86_400_000
    oracle.trade("600000.SH", MORNING + offset, Decimal(price))
    steps += oracle.clock() + oracle.session("settled", day)
    return list(dict.fromkeys(step.event for step in steps))


def test_preset_a_calls_at_129_expires_at_145_and_liquidates_on_t_plus_2() -> None:
    oracle, first = called_at_129("A")
    assert first == ["called"]
    assert next_day(oracle, date(2025, 4, 8), "1.45") == ["expired"]
    assert next_day(oracle, date(2025, 4, 9), "1.45") == ["liquidating"]


def test_preset_a_is_cured_at_exactly_the_target() -> None:
    oracle, _ = called_at_129("A")
    assert next_day(oracle, date(2025, 4, 8), "1.50") == ["cured"]


def test_an_id_repeated_with_other_content_is_refused() -> None:
    oracle = firm()
    oracle.event(opening(cash="100"))
    assert oracle.event(opening(cash="100")) == []
    with pytest.raises(RefusedError, match="id"):
        oracle.event(opening(cash="101"))
