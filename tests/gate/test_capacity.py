"""What a person is told an account could still do: E5, E6, E7 (rulebook 17)."""

from __future__ import annotations

from typing import Any

import pytest

from agents.rules.capacity import most_shares, most_value, whole_fen
from agents.rules.withdrawal import may_withdraw, room
from schemas.units import format_money
from tests.gate.counter import BANK, Counter, contract, position
from tests.gate.test_worked_examples import withdrawing

SHORT = {"type": "lending"}


def capacity(day: str, **opening: Any) -> dict[str, Any]:
    counter = Counter(day)
    counter.trading()
    counter.open(**opening)
    found: dict[str, Any] = counter.book.account("A1")["capacity"]
    return found


@pytest.mark.parametrize(
    ("day", "client", "financing", "lending"),
    [
        ("2015-11-20", "individual", "2000000.00", "2000000.00"),
        ("2015-11-23", "individual", "1000000.00", "2000000.00"),
        ("2023-09-08", "individual", "1000000.00", "2000000.00"),
        ("2023-09-11", "individual", "1250000.00", "2000000.00"),
        ("2023-10-27", "individual", "1250000.00", "2000000.00"),
        ("2023-10-30", "individual", "1250000.00", "1250000.00"),
        ("2023-10-30", "private_fund", "1250000.00", "1000000.00"),
        ("2024-07-22", "individual", "1250000.00", "1000000.00"),
        ("2024-07-22", "private_fund", "1250000.00", "833333.33"),
        ("2026-01-16", "individual", "1250000.00", "1000000.00"),
        ("2026-01-19", "individual", "1000000.00", "1000000.00"),
    ],
)
def test_e7_capacity_by_date(day: str, client: str, financing: str, lending: str) -> None:
    found = capacity(day, **{"class": client})
    assert (found["max_new_financing"], found["max_new_lending"]) == (financing, lending)


def e6() -> Counter:
    """Mixed gains and losses, mixed vintages; all interest is on F1."""
    day = "2024-07-19"
    counter = Counter(day)
    shares = {
        "600001.SH": ("20.00", "0.65"),
        "510300.SH": ("100.00", "0.90"),
        "600003.SH": ("15.00", "0"),
        "600011.SH": ("22.00", "0.70"),
        "600012.SH": ("9.00", "0.60"),
        "600021.SH": ("22.00", "0.65"),
        "600022.SH": ("33.50", "0.60"),
    }
    for security, (price, haircut) in shares.items():
        more = {"index_member": True} if haircut == "0.70" else {}
        kind = "treasury" if security == "510300.SH" else "stock"
        counter.security(
            security, prev_close=price, haircut="0.95" if kind == "treasury" else haircut, kind=kind, **more
        )
    counter.trading()
    held = {
        "600001.SH": 10_000,
        "510300.SH": 5_000,
        "600003.SH": 8_000,
        "600011.SH": 10_000,
        "600012.SH": 20_000,
    }
    contracts = [
        contract("F1", "600011.SH", day, 10_000, "20.00", margin_ratio="1.00", accrued="3210.98"),
        contract("F2", "600012.SH", day, 20_000, "10.00", margin_ratio="0.80"),
        contract("S1", "600021.SH", day, 10_000, "25.00", margin_ratio="1.00", **SHORT),
        contract("S2", "600022.SH", day, 4_000, "30.00", margin_ratio="0.50", **SHORT),
    ]
    counter.open(cash="900000", positions=[position(*item) for item in held.items()], contracts=contracts)
    return counter


def test_e6_available_margin_of_mixed_contracts_and_what_it_carries() -> None:
    shown = e6().book.account("A1")
    assert (shown["available_margin"], shown["assets"], shown["debt"]) == (
        "484289.02",
        "2120000.00",
        "757210.98",
    )
    assert shown["ratio"] == "2.799748"
    assert whole_fen(most_value(484_289_020, 10_000)) == 484_289_020
    assert format_money(whole_fen(most_value(484_289_020, 13_000))) == "372530.01"


def test_e5_withdrawable_cash() -> None:
    for margin_ratio, most in (("1.00", "285000.00"), ("1.50", "95000.00")):
        assert withdrawing(margin_ratio).book.account("A1")["capacity"]["withdrawable_cash"] == most
    assert withdrawing("1.00", price="85.75").book.account("A1")["capacity"]["withdrawable_cash"] == "0.00"


def test_capacity_stays_within_credit_lines_and_open_orders() -> None:
    counter = Counter("2016-03-01")
    counter.security(BANK)
    counter.trading()
    counter.open(credit={"total": "700000", "financing": "600000", "lending": "900000"})
    counter.ask("financing_buy", qty=10_000, price="10.00")
    found = counter.book.account("A1")["capacity"]
    assert (found["max_new_financing"], found["max_new_lending"]) == ("500000.00", "600000.00")
    assert found["withdrawable_cash"] == "800000.00"
    assert found["open_orders"] == [
        {"order": "r4", "business": "financing_buy", "security": BANK, "qty": 10_000, "margin": "100000.00"}
    ]


def test_the_withdrawal_line_must_be_exceeded_and_may_then_be_reached() -> None:
    assert not may_withdraw(3_000, 1_000, 30_000)
    assert may_withdraw(3_001, 1_000, 30_000)
    assert (room(3_000, 1_000, 30_000), room(3_001, 1_000, 30_000)) == (0, 1)
    assert room(3_000, 1_000, 30_000, inclusive=True) == 0
    assert room(3_000, 0, 30_000) is None


def test_the_margin_of_the_most_shares_never_exceeds_what_is_available() -> None:
    assert most_shares(1_000_000, 3_333, 5_000) == 600
    assert most_shares(-1, 10_000, 5_000) == 0
    assert most_value(1_000_000, 0) == 0
