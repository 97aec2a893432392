"""What `explain` says of a call is what a person with a calculator finds; what does not add up is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.explain import explain
from schemas.errors import BadRecord
from schemas.units import format_money, format_ratio


def call(event: str = "called", **changes: Any) -> dict[str, Any]:
    """Worked example E10 as a formal call: 1,076,850.00 against 860,000.00, target 1.50."""
    record: dict[str, Any] = {
        "id": "A1:2025-04-02:1:1",
        "account": "A1",
        "episode": "A1:2025-04-02:1",
        "step": 1,
        "event": event,
        "reason": "ratio",
        "ts": 1743580800000,
        "date": "2025-04-02",
        "preset": "C",
        "lines": {"warn": "1.40", "min": "1.30", "immediate": "1.10", "target": "1.50", "rearm": "0.01"},
        "ratio": "1.252151",
        "assets": "1076850.00",
        "debt": "860000.00",
        "shortfall": "213150.00",
        "deadline": "T+1",
        "liquidate_from": "T+2",
        "evidence": {
            "cash": "20000.00",
            "other_collateral": "0.00",
            "interest": "20000.00",
            "positions": [
                {"security": "600000.SH", "qty": 100000, "price": "8.00", "value": "800000.00"},
                {"security": "688001.SH", "qty": 5137, "price": "50.00", "value": "256850.00"},
            ],
            "contracts": [
                {
                    "contract": "C1",
                    "type": "financing",
                    "security": "600000.SH",
                    "qty": 100000,
                    "principal": "800000.00",
                    "interest": "15000.00",
                },
                {
                    "contract": "S1",
                    "type": "lending",
                    "security": "688001.SH",
                    "qty": 800,
                    "price": "50.00",
                    "interest": "5000.00",
                },
            ],
        },
        "rule": "preset C@2006-08-21",
    }
    return record | changes


def shown(record: dict[str, Any]) -> str:
    return "\n".join(explain("margin.calls", record).lines()).replace("\n      ", " ")


def test_a_call_that_adds_up_says_so_and_shows_every_step() -> None:
    text = shown(call())
    assert "100,000 × 8.00" in text
    assert "800 × 50.00" in text
    assert "1,076,850.00 ÷ 860,000.00" in text
    assert "1.50 × 860,000.00 − 1,076,850.00" in text
    assert "213,150.00  ✓" in text
    assert "Adds up" in text


def test_the_rule_and_its_date_stand_under_the_figures() -> None:
    text = shown(call())
    assert "preset C: lines, target and deadlines agreed in the contract (from 2006-08-21;" in text
    assert "no floor of the exchanges: the minimum line is agreed in the contract (from 2019-08-19;" in text


def test_before_19_august_2019_the_exchanges_floor_is_cited() -> None:
    assert "no client below 1.30: the exchanges' floor" in shown(call(date="2019-08-16"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"assets": "1076850.01"}, "assets: the record says 1,076,850.01, its own figures give 1,076,850.00"),
        ({"debt": "859999.00"}, "debt: the record says 859,999.00"),
        ({"ratio": "1.252152"}, "ratio: the record says 1.252152, its own figures give 1.252151"),
        ({"shortfall": "213149.99"}, "shortfall, in cash: the record says 213,149.99"),
    ],
)
def test_a_figure_that_does_not_follow_from_the_evidence_is_named(
    change: dict[str, Any], complaint: str
) -> None:
    found = explain("margin.calls", call(**change))
    assert not found.adds_up
    assert any(complaint in problem for problem in found.problems)
    assert "DOES NOT ADD UP" in "\n".join(found.lines())


def test_a_call_at_exactly_the_line_was_no_call() -> None:
    evidence = call()["evidence"] | {"cash": "61150.00"}
    at_the_line = call(assets="1118000.00", ratio="1.300000", shortfall="172000.00", evidence=evidence)
    found = explain("margin.calls", at_the_line)
    assert [problem for problem in found.problems if problem.startswith("below min 1.30")]


def test_a_holding_without_a_price_counts_nothing() -> None:
    evidence = call()["evidence"]
    positions = [*evidence["positions"], {"security": "000001.SZ", "qty": 5, "price": None, "value": "0.00"}]
    text = shown(call(evidence=evidence | {"positions": positions}))
    assert "no price known" in text
    assert "Adds up" in text


def test_a_call_that_is_over_asks_for_no_cash_wherever_the_ratio_stands() -> None:
    found = explain("margin.calls", call("closed", shortfall="0.00"))
    assert found.adds_up


def test_recovery_needs_the_warn_line_and_the_rearm_distance() -> None:
    assert explain("margin.calls", call("recovered", shortfall=None)).problems == [
        "at or above 1.41: not so by the record's own figures (assets ≥ line × debt)"
    ]


def test_an_account_that_owes_nothing_has_no_ratio() -> None:
    evidence = call()["evidence"] | {"interest": "0.00", "contracts": []}
    record = call("closed", debt="0.00", ratio=None, shortfall=None, evidence=evidence)
    assert explain("margin.calls", record).adds_up


def test_a_record_that_is_no_call_is_refused_with_its_field() -> None:
    with pytest.raises(BadRecord, match="assets"):
        explain("margin.calls", call(assets="many"))


money = st.integers(0, 10**13)


@given(cash=money, qty=st.integers(1, 10**6), price=st.integers(1, 10**6), principal=st.integers(1, 10**13))
def test_any_evidence_is_recomputed_exactly(cash: int, qty: int, price: int, principal: int) -> None:
    assets = cash + qty * price
    evidence = {
        "cash": format_money(cash),
        "other_collateral": "0.00",
        "interest": "0.00",
        "positions": [
            {
                "security": "600000.SH",
                "qty": qty,
                "price": format_money(price),
                "value": format_money(qty * price),
            }
        ],
        "contracts": [
            {
                "contract": "C1",
                "type": "financing",
                "security": "600000.SH",
                "qty": 100,
                "principal": format_money(principal),
                "interest": "0.00",
            }
        ],
    }
    record = call(
        "liquidating",
        assets=format_money(assets),
        debt=format_money(principal),
        ratio=format_ratio(assets, principal),
        shortfall=None,
        evidence=evidence,
    )
    assert explain("margin.calls", record).adds_up
    wrong = record | {"assets": format_money(assets + 1)}
    assert not explain("margin.calls", wrong).adds_up
