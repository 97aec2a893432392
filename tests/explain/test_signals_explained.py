"""Halt, resume and remind signals: the indicator and the comparison with its line."""

from __future__ import annotations

from typing import Any

import pytest

from agents.explain import explain

SIGNAL: dict[str, Any] = {
    "id": "600000.SH:financing:halt:2024-03-01",
    "security": "600000.SH",
    "ts": 1709280000000,
    "date": "2024-03-01",
    "effective": "2024-03-02",
    "business": "financing",
    "signal": "halt",
    "indicator": "0.250000",
    "line": "0.25",
    "basis": "computed",
    "figures": {
        "financing_balance": "2600000000.00",
        "credit_holding_value": "2500000000.00",
        "float_value": "10000000000.00",
        "definition": "min(financing_balance, credit_holding_value) / float_value",
    },
    "rule": "limit_stock@2006-08-21",
}


def test_the_smaller_of_balance_and_holdings_over_the_float_value_halts_at_a_quarter() -> None:
    found = explain("security.signals", SIGNAL)
    text = "\n".join(found.lines())
    assert found.adds_up
    assert "the smaller of the two counts" in text
    assert "at or above 0.25" in text
    assert "from 2006-08-21" in text


@pytest.mark.parametrize(("signal", "line", "right"), [("resume", "0.25", True), ("resume", "0.20", False)])
def test_a_resumption_needs_the_indicator_at_or_below_its_line(signal: str, line: str, right: bool) -> None:
    assert explain("security.signals", SIGNAL | {"signal": signal, "line": line}).adds_up is right


def test_shares_lent_are_measured_against_float_shares() -> None:
    figures = {"lending_qty": 25, "float_shares": 100, "definition": "lending_qty / float_shares"}
    found = explain("security.signals", SIGNAL | {"business": "lending", "figures": figures})
    assert found.adds_up
    assert "25 shares" in "\n".join(found.lines())


def test_a_notice_needs_no_arithmetic() -> None:
    notice = SIGNAL | {
        "basis": "notice",
        "indicator": "none",
        "line": "none",
        "rule": "exchange notice@2024-03-02",
    }
    found = explain("security.signals", notice)
    assert found.adds_up
    assert "an exchange's notice always wins" in "\n".join(found.lines())
