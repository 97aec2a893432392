"""The board counts what it is told, whatever order alerts arrive in."""

from __future__ import annotations

from typing import Any

from schemas.alerts import LEVELS
from schemas.units import day_start, parse_day
from streams.days.progress import Progress
from streams.view.board import Board, Rate

DAY = parse_day("2025-04-07")


def call(account: str, event: str, step: int = 1, **more: Any) -> dict[str, Any]:
    episode = f"{account}:2025-04-07:1"
    return {
        "id": f"{episode}:{step}",
        "episode": episode,
        "account": account,
        "event": event,
        "ratio": "1.250000",
        "ts": day_start(DAY) + 36_000_000,
        **more,
    }


def sale(account: str, number: int = 1, **more: Any) -> dict[str, Any]:
    episode = f"{account}:2025-04-07:1"
    return {
        "id": f"{episode}:o1.{number}",
        "episode": episode,
        "account": account,
        "business": "sell_to_repay",
        "side": "S",
        "security": "600000.SH",
        "qty": 100,
        "expected_price": "8.00",
        "ts": day_start(DAY) + 36_000_000,
        **more,
    }


def progress(minute: int, phase: str = "clock") -> Progress:
    return Progress(DAY, day_start(DAY) + minute * 60_000, phase, minute, 900)


def counts(**levels: int) -> dict[str, Any]:
    return {
        "accounts": sum(levels.values()),
        "indebted": sum(levels.values()),
        "levels": {level: levels.get(level, 0) for level in LEVELS},
    }


def test_levels_are_the_sum_over_shards_and_remembered_by_minute() -> None:
    board = Board()
    board.note_progress(progress(600), 10)
    board.note_levels([counts(normal=5, warn=2), counts(normal=1, immediate=3)], [])
    assert board.accounts == 11
    assert board.below() == 5
    assert board.history == {DAY: {600: (2, 0, 3)}}


def test_the_worst_accounts_of_all_shards_come_lowest_first_and_debtless_ones_last() -> None:
    found: list[dict[str, Any]] = [
        {"account": "B", "ratio": "1.2"},
        {"account": "C", "ratio": None},
        {"account": "A", "ratio": "0.9"},
    ]
    board = Board()
    board.note_levels([counts(normal=3)], found)
    assert [account["account"] for account in board.worst] == ["A", "B", "C"]


def test_steps_orders_and_what_could_not_be_sold_are_counted() -> None:
    board = Board()
    board.note_alert("margin.calls", call("A", "called"))
    board.note_alert("margin.calls", call("A", "liquidating", 2))
    plan = {"episode": "A:2025-04-07:1", "event": "plan", "residual": [{"why": "limit_down"}, {"why": "t+1"}]}
    board.note_alert("liquidation.orders", plan)
    board.note_alert("liquidation.orders", sale("A"))
    repay = sale("A", 2, business="repay", amount="12.50", side=None)
    board.note_alert("liquidation.orders", repay)
    assert board.steps == {"called": 1, "liquidating": 1}
    assert board.residual == {"limit_down": 1, "t+1": 1}
    assert (board.plans, board.sold_milli, board.repaid_milli) == (1, 800_000, 12_500)
    assert board.episodes["A:2025-04-07:1"].orders == ["A:2025-04-07:1:o1.1"]


def test_a_rate_looks_at_the_last_seconds_only() -> None:
    rate = Rate()
    assert rate.per_second() == 0
    for second in range(10):
        rate.note(float(second), 100 * second)
    assert rate.per_second() == 100
    for second in range(10, 20):
        rate.note(float(second), 900)
    assert rate.per_second() == 0
