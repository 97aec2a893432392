"""Final balances of a day: when, of what, and the disclosure's identities on real figures (rulebook 5.2)."""

import csv
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas import decode
from tests.financing.firm import Firm

DATA = Path(__file__).parent.parent / "data" / "szse_000063_2018.csv"
ZTE = "000063.SZ"
A, B = "600001.SH", "600002.SH"
DAY = "2025-04-07"
MILLI = 1000


def real_days() -> list[dict[str, str]]:
    lines = DATA.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def real_totals(day: dict[str, str], before: dict[str, str]) -> list[int]:
    """The day's row of totals: published balances and flows, repayments and returns as the identities imply
    them.
    """
    bought, sold = int(day["bought"]) * MILLI, int(day["sold_short"])
    owed, lent = int(day["owed"]) * MILLI, int(day["lent"])
    repaid, returned = int(before["owed"]) * MILLI + bought - owed, int(before["lent"]) + sold - lent
    return [owed, lent, 0, 1, bought, repaid, sold, returned]


def run_real(days: list[dict[str, str]]) -> Firm:
    firm = Firm()
    for before, day in pairwise(days):
        firm.day(day["date"], {ZTE: real_totals(day, before)}, {ZTE: int(Decimal(day["close"]) * MILLI)})
    return firm


def test_real_figures_keep_the_identities_with_repayments_never_negative() -> None:
    days = real_days()
    firm = run_real(days)
    balances = firm.of("financing.balances")
    assert len(balances) == len(days) - 1
    assert all(Decimal(value["repayments"]) > 0 for value in balances)
    finals = firm.of("system.events")
    assert [value["figures"]["identity_breaks"] for value in finals] == [0] * len(balances)


def test_the_value_lent_is_shares_times_the_close_as_the_exchange_published_it() -> None:
    days = real_days()
    for value, day in zip(run_real(days).of("financing.balances"), days[1:], strict=True):
        assert abs(Decimal(value["lending_value"]) - int(day["lending_value"])) < 2


def test_a_balance_that_does_not_follow_from_the_flows_is_named() -> None:
    firm = Firm()
    (first, second, third) = real_days()[:3]
    firm.day(second["date"], {ZTE: real_totals(second, first)}, {})
    row = real_totals(third, second)
    row[4] += 1
    firm.day(third["date"], {ZTE: row}, {})
    figures = firm.of("system.events")[-1]["figures"]
    assert (figures["identity_breaks"], figures["identity_broken"]) == (1, [ZTE])


def two_shards() -> Firm:
    firm = Firm(shards=2)
    firm.session(DAY, "pre_open", 9)
    firm.price(DAY, A, 12_340)
    return firm


ONE: dict[str, list[int]] = {A: [1_000_000, 100, 300, 1, 500, 0, 100, 0]}
OTHER: dict[str, list[int]] = {A: [2_000_001, 50, 200, 2, 0, 400, 0, 50], B: [7_000, 0, 0, 1, 0, 0, 0, 0]}


def test_a_day_is_final_only_when_every_shard_has_reported_it_after_settled() -> None:
    firm = two_shards()
    assert firm.totals(DAY, ONE, shard=0) == []
    assert firm.session(DAY, "settled") == []
    outputs = firm.totals(DAY, OTHER, shard=1)
    assert [output.topic for output in outputs] == [
        "financing.balances",
        "financing.balances",
        "firm.totals",
        "system.events",
    ]


def test_final_balances_are_the_sum_over_shards_at_the_closing_price() -> None:
    firm = two_shards()
    firm.session(DAY, "settled")
    firm.totals(DAY, ONE, shard=0)
    firm.totals(DAY, OTHER, shard=1)
    balance = firm.of("financing.balances")[0]
    assert balance == {
        "security": A,
        "ts": balance["ts"],
        "date": DAY,
        "financing_balance": "3000.001",
        "lending_qty": 150,
        "lending_value": "1851.00",
        "credit_holding_qty": 500,
        "collateral_share": None,
        "accounts": 3,
        "buys": "0.50",
        "repayments": "0.40",
        "short_sales": 100,
        "returns": 50,
        "final": True,
    }
    for output in firm.published:
        decode(output.topic, orjson.dumps(output.value))


def test_the_days_closing_record_comes_last_and_once() -> None:
    firm = two_shards()
    firm.session(DAY, "settled")
    firm.totals(DAY, ONE, shard=0)
    firm.totals(DAY, OTHER, shard=1)
    firm.totals(DAY, OTHER, shard=1)
    (closing,) = firm.of("system.events")
    assert firm.outputs[-1].value is closing
    assert (closing["id"], closing["kind"]) == ("day_final:2025-04-07", "day_final")
    assert closing["figures"]["financing_balance"] == "3007.001"


def test_totals_from_before_the_last_settled_do_not_make_a_day_final() -> None:
    firm = two_shards()
    firm.session(DAY, "settled", 16)
    firm.totals(DAY, ONE, shard=0, hour=15)
    firm.totals(DAY, OTHER, shard=1, hour=16)
    assert firm.of("system.events") == []
    firm.totals(DAY, ONE, shard=0, hour=16)
    assert len(firm.of("system.events")) == 1


def test_a_second_settled_publishes_only_what_changed() -> None:
    firm = two_shards()
    firm.session(DAY, "settled", 15)
    firm.totals(DAY, ONE, shard=0, hour=15)
    firm.totals(DAY, OTHER, shard=1, hour=15)
    firm.session(DAY, "settled", 16)
    firm.totals(DAY, ONE, shard=0, hour=16)
    outputs = firm.totals(DAY, {**OTHER, B: [9_000, 0, 0, 1, 0, 0, 0, 0]}, shard=1, hour=16)
    assert [(output.topic, output.key) for output in outputs] == [
        ("financing.balances", B),
        ("system.events", "day_final"),
    ]
    assert outputs[-1].value["id"] == "day_final:2025-04-07:2"


def test_a_day_without_settled_is_closed_when_the_next_begins() -> None:
    firm = two_shards()
    firm.session("2025-04-08", "pre_open", 9)
    firm.price("2025-04-08", A, 1_000)
    firm.totals(DAY, ONE, shard=0)
    firm.totals(DAY, OTHER, shard=1)
    assert firm.of("financing.balances")[0]["lending_value"] == "1851.00"


def test_a_clock_that_ticks_on_a_holiday_closes_no_day() -> None:
    firm = two_shards()
    before = list(firm.core.state_rows())
    assert firm.session("2025-04-08", "clock") == []
    assert list(firm.core.state_rows()) == before


def test_a_session_record_of_a_day_that_is_over_changes_nothing() -> None:
    firm = two_shards()
    firm.session("2025-04-08", "pre_open", 9)
    assert firm.session(DAY, "settled", 16) == []
    firm.totals(DAY, ONE, shard=0)
    firm.totals(DAY, OTHER, shard=1)
    assert firm.of("system.events")[0]["date"] == DAY


def test_without_any_price_the_value_lent_is_unknown() -> None:
    firm = Firm()
    firm.day(DAY, {B: [0, 10, 0, 1, 0, 0, 0, 0]}, {})
    assert firm.of("financing.balances")[0]["lending_value"] is None
    assert firm.of("system.events")[0]["figures"]["without_price"] == 1


def lively() -> list[tuple[str, tuple[Any, ...]]]:
    """A few days with everything in them, as calls on a `Firm`."""
    return [
        ("security", ("2025-04-03", A)),
        (
            "events",
            ("reference.notices", {"security": B, "effective": DAY, "business": "lending", "action": "halt"}),
        ),
        ("session", ("2025-04-03", "pre_open", 9)),
        ("price", ("2025-04-03", A, 10_000)),
        ("session", ("2025-04-03", "settled")),
        ("totals", ("2025-04-03", ONE, 0)),
        ("totals", ("2025-04-03", OTHER, 1)),
        (
            "events",
            (
                "reference.balances",
                {"security": A, "date": "2025-04-03", "lending_qty": 3, "float_shares": 9},
            ),
        ),
        ("security", (DAY, A)),
        ("session", (DAY, "pre_open", 9)),
        ("price", (DAY, A, 9_000)),
        ("totals", (DAY, ONE, 0)),
        ("session", (DAY, "settled")),
        ("totals", (DAY, OTHER, 1)),
    ]


@pytest.mark.parametrize("at", range(15))
def test_a_core_restored_from_a_snapshot_goes_on_as_if_nothing_had_happened(at: int) -> None:
    steps = lively()
    undisturbed = Firm(shards=2)
    for name, arguments in steps:
        getattr(undisturbed, name)(*arguments)
    before, after = Firm(shards=2), Firm(shards=2)
    for name, arguments in steps[:at]:
        getattr(before, name)(*arguments)
    after.core.restore(before.core.snapshot())
    for name, arguments in steps[at:]:
        getattr(after, name)(*arguments)
    assert before.outputs + after.outputs == undisturbed.outputs
    assert list(after.core.state_rows()) == list(undisturbed.core.state_rows())
