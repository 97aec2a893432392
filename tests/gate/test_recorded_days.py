"""Requests of a recorded day: the same decisions whatever the number of partitions, one for each request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.core import Output
from schemas.units import day_start, format_day
from streams.days.reader import open_days
from streams.run import RunOptions, run_days
from tests.replay.small_days import FIRST, opening, write_day, write_lines

Record = dict[str, Any]
SHARED = {"total": "6000", "financing": "6000", "lending": "6000"}
BUSINESSES = ("financing_buy", "short_sell", "collateral_sell", "withdraw_cash", "sell_to_repay")


def recorded_day(parent: Path) -> tuple[list[Path], int]:
    """A dozen accounts, half of them in two groups that share a line, asking every minute."""
    day = write_day(parent, FIRST, ["10.00", "9.90", "10.05", "10.02"])
    names = [f"A{n}" for n in range(6)] + [f"{{G{n % 2}}}B{n}" for n in range(6)]
    opens = day_start(FIRST) + 570 * 60_000
    books = []
    for n, name in enumerate(names):
        book = opening(name, opens - 60 * 60_000, 1_000 + 100 * n) | {"cash": str(1_000 + 2_000 * n)}
        book["contracts"][0]["principal"] = "1000"
        books.append(book | ({"group_credit": SHARED} if name.startswith("{") else {}))
    write_lines(day, "account.events", books)
    listed: Record = {"security": "600000.SH", "date": format_day(FIRST), "kind": "stock", "board": "main"}
    listed |= {"prev_close": "10.00", "haircut": "0.65", "financing": True, "lending": True}
    write_lines(day, "reference.securities", [listed])
    asked = [
        request(name, f"r{minute}{business}", opens + minute * 60_000 + 500 * n, business)
        for minute in range(4)
        for n, name in enumerate(names)
        for business in BUSINESSES
    ]
    write_lines(day, "account.orders", asked)
    return [day], len(asked)


def request(account: str, name: str, ts: int, business: str) -> Record:
    record: Record = {"account": account, "id": name, "ts": ts, "business": business}
    if business == "withdraw_cash":
        return record | {"amount": "100"}
    return record | {"security": "600000.SH", "qty": 100, "price": "10.00", "order_type": "limit"}


def outcome(days: list[Path], partitions: int) -> tuple[str, list[Record], list[Output]]:
    outputs: list[Output] = []
    options = RunOptions(window_ms=60_000, partitions=partitions, liquidation="simulate")
    report = run_days(open_days(days), options, lambda _, output: outputs.append(output))
    decisions = [output.value for output in outputs if output.topic == "order.decisions"]
    return report["state_hash"], sorted(decisions, key=lambda record: str(record["id"])), outputs


def test_decisions_and_state_are_the_same_whatever_the_number_of_partitions(tmp_path: Path) -> None:
    days, asked = recorded_day(tmp_path)
    one = outcome(days, 1)
    assert len({record["id"] for record in one[1]}) == len(one[1]) == asked
    assert {record["decision"] for record in one[1]} == {"accept", "reject"}
    assert outcome(days, 1)[:2] == one[:2]
    assert outcome(days, 5)[:2] == one[:2]


def test_no_request_is_swallowed_and_groups_never_pass_their_line(tmp_path: Path) -> None:
    days, _ = recorded_day(tmp_path)
    _, decisions, outputs = outcome(days, 3)
    assert [output.value for output in outputs if output.topic == "dead.letters"] == []
    for group in ("{G0}", "{G1}"):
        financed = [
            record
            for record in decisions
            if record["account"].startswith(group)
            and record["decision"] == "accept"
            and record["order"].endswith(("financing_buy", "short_sell"))
        ]
        assert 1_000 * len(financed) <= 3_000, "three of its accounts owe 1,000 each, the line is 3,000 more"
        refused = {record["rule"].partition("@")[0] for record in decisions if record["decision"] == "reject"}
        assert "group_credit_total" in refused
