"""Plans and orders of forced liquidation: the ratio after the plan, recomputed from the call's evidence."""

from __future__ import annotations

from typing import Any

from agents.explain import explain
from tests.explain.test_calls_explained import call
from tests.worked_examples.records import PRESET

EPISODE = "A1:2025-04-02:1"


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{EPISODE}:o1.{number}",
        "account": "A1",
        "episode": EPISODE,
        "batch": 1,
        "ts": 1743580800000,
        "date": "2025-04-07",
        "order_type": "limit",
        "forced": True,
        "mode": "simulate",
        "reason": "own free cash repays first",
        "rule": "liquidation.repay",
        **fields,
    }


REPAY = order(1, business="repay", amount="20000.00")
SELL = order(
    2,
    business="sell_to_repay",
    security="600000.SH",
    side="S",
    qty=51000,
    price="7.84",
    expected_price="8.00",
    mark="8.00",
)
PLAN = {
    "id": f"{EPISODE}:p1",
    "account": "A1",
    "episode": EPISODE,
    "event": "plan",
    "needed": "407228.481",
    "planned": "408000.00",
    "residual": [{"security": "600000.SH", "qty": 30000, "why": "t+1"}],
    "ratio_after": "1.500890",
}
EVIDENCE = call()["evidence"] | {
    "contracts": [call()["evidence"]["contracts"][0] | {"principal": "840000.00", "interest": "20000.00"}]
}
RELATED = [
    ("liquidation.orders", REPAY),
    ("liquidation.orders", SELL),
    ("liquidation.orders", PLAN),
    ("margin.calls", call("liquidating", shortfall=None, date="2025-04-07", evidence=EVIDENCE)),
]


def test_worked_example_e10a_comes_out_at_its_published_ratio() -> None:
    found = explain("liquidation.orders", PLAN, RELATED)
    text = "\n".join(found.lines())
    assert found.adds_up
    assert not found.unproven
    assert "1.258155" in text  # after own cash has repaid
    assert "840,000.00 − 51,000 × 8.00 × (1 − 0.00076)" in text
    assert "432,310.08" in text
    assert "1.500890  ✓" in text
    assert "30,000 shares: bought today" in text


def test_an_order_is_shown_with_the_plan_it_belongs_to() -> None:
    found = explain("liquidation.orders", SELL, RELATED)
    assert found.headline == "A1: sell 51,000 600000.SH"
    assert found.adds_up
    assert any("stamp duty" in rule.text and rule.since == "2023-08-28" for rule in found.rules)


def test_a_ratio_that_the_orders_do_not_reach_is_named() -> None:
    found = explain("liquidation.orders", PLAN | {"ratio_after": "1.500891"}, RELATED)
    assert found.problems == ["ratio after: the record says 1.500891, its own figures give 1.500890"]


def test_without_the_call_the_ratio_after_the_plan_is_said_to_be_not_recomputed() -> None:
    found = explain("liquidation.orders", PLAN, RELATED[:3])
    assert found.adds_up
    assert found.unproven == ["the ratio after the plan: no call record of its moment tells assets and debt"]


def test_orders_of_another_batch_are_left_out() -> None:
    other = order(1, business="repay", amount="5.00") | {"id": f"{EPISODE}:o2.1", "batch": 2}
    assert explain("liquidation.orders", PLAN, [*RELATED, ("liquidation.orders", other)]).adds_up


def test_a_preset_of_a_broker_needs_its_own_commission() -> None:
    own = call(
        "liquidating", shortfall=None, date="2025-04-07", evidence=EVIDENCE, rule="preset E@2025-04-02"
    )
    related = [*RELATED[:3], ("margin.calls", own)]
    assert explain("liquidation.orders", PLAN, related).unproven == [
        "the ratio after the plan: the commission of preset E@2025-04-02 is not known"
    ]
    preset = PRESET | {"preset": "E", "from": "2025-04-02", "warn": "1.40"}
    found = explain("liquidation.orders", PLAN, [*related, ("reference.rules", preset)])
    assert found.adds_up
    assert not found.unproven
