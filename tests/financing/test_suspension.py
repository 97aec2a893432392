"""Worked example E8 through the financing core: suspension with hysteresis, both readings of the
boundaries.
"""

from typing import Any

import orjson
import pytest

from agents.rules.schedule import built_in
from schemas import decode
from tests.financing.firm import Firm, following

SECURITY = "600001.SH"
FIRST = "2022-03-01"
FLOAT_SHARES = 1_000_000
PRICE = 10_000  # 10.00 yuan: the float is worth 10 million
STOCK = [1950, 2037, 2499, 2500, 2410, 2001, 2000, 1999, 2531, 1980]
ETF = [7028, 7499, 7500, 7200, 7000, 6990]
HELD = FLOAT_SHARES  # credit accounts hold enough for the balance to be the smaller figure


def run(percents: list[int], kind: str = "stock", **config: Any) -> tuple[Firm, list[str]]:
    """A day per indicator (in 0.01%); the state that governs the next session, and whether a reminder was
    given.
    """
    firm = Firm(scope="market", **config)
    firm.security(FIRST, SECURITY, kind=kind, float_shares=FLOAT_SHARES)
    states = []
    for number, percent in enumerate(percents):
        date = following(FIRST, number)
        firm.day(
            date,
            {SECURITY: [percent * FLOAT_SHARES * PRICE // 10_000, 0, HELD, 1, 0, 0, 0, 0]},
            {SECURITY: PRICE},
        )
        suspended = firm.halted(SECURITY, "financing", following(date))
        reminded = (date, "remind") in firm.signals
        states.append("SUSP" if suspended else "reminder" if reminded else "open")
    return firm, states


def exclusive() -> Any:
    return built_in().with_boundary(resume_at="exclusive")


def test_a_stock_is_suspended_from_25_percent_and_resumed_at_20() -> None:
    _, states = run(STOCK)
    assert states == ["open", "reminder", "reminder", "SUSP", "SUSP", "SUSP", "open", "open", "SUSP", "open"]


def test_read_exclusively_20_percent_itself_does_not_resume() -> None:
    _, states = run(STOCK, schedule=exclusive())
    assert states == ["open", "reminder", "reminder", "SUSP", "SUSP", "SUSP", "SUSP", "open", "SUSP", "open"]


def test_an_etf_has_75_and_70_percent_since_2021() -> None:
    _, states = run(ETF, kind="etf")
    assert states == ["reminder", "reminder", "SUSP", "SUSP", "open", "open"]


def test_an_etf_read_exclusively_stays_suspended_at_70_percent() -> None:
    _, states = run(ETF, kind="etf", schedule=exclusive())
    assert states == ["reminder", "reminder", "SUSP", "SUSP", "SUSP", "open"]


def test_a_signal_says_what_it_was_computed_from_and_from_when_it_holds() -> None:
    firm, _ = run(STOCK)
    halt = next(value for value in firm.of("security.signals") if value["signal"] == "halt")
    assert halt == {
        "id": "600001.SH:financing:halt:2022-03-04",
        "security": SECURITY,
        "ts": halt["ts"],
        "date": "2022-03-04",
        "effective": "2022-03-05",
        "business": "financing",
        "signal": "halt",
        "indicator": "0.250000",
        "line": "0.25",
        "basis": "computed",
        "figures": {
            "financing_balance": "2500000.00",
            "credit_holding_value": "10000000.00",
            "float_value": "10000000.00",
            "definition": "min(financing_balance, credit_holding_value) / float_value",
        },
        "rule": "limit_stock@2006-08-21",
    }


def test_halts_and_resumptions_are_signalled_once_each() -> None:
    firm, _ = run(STOCK)
    changes = [(date, signal) for date, signal in firm.signals if signal != "remind"]
    assert changes == [
        ("2022-03-04", "halt"),
        ("2022-03-07", "resume"),
        ("2022-03-09", "halt"),
        ("2022-03-10", "resume"),
    ]


@pytest.mark.parametrize(("date", "suspends"), [("2010-03-31", True), ("2022-03-01", False)])
def test_the_pilots_indicator_looks_at_the_balance_the_later_one_at_holdings_too(
    date: str, suspends: bool
) -> None:
    """Financing balance 2.6 bn, credit accounts hold 2.4 bn, float 10 bn."""
    firm = Firm(scope="market")
    firm.security(date, SECURITY, float_shares=1_000_000_000)
    firm.day(date, {SECURITY: [2_600_000_000_000, 0, 240_000_000, 1, 0, 0, 0, 0]}, {SECURITY: PRICE})
    assert firm.halted(SECURITY, "financing", following(date)) is suspends


def test_lending_is_measured_in_shares_of_the_float() -> None:
    firm = Firm(scope="market")
    firm.security(FIRST, SECURITY, float_shares=FLOAT_SHARES)
    firm.day(FIRST, {SECURITY: [0, 250_000, 0, 1, 0, 0, 0, 0]}, {SECURITY: PRICE})
    (signal,) = firm.of("security.signals")
    assert (signal["business"], signal["signal"], signal["indicator"]) == ("lending", "halt", "0.250000")


def test_every_signal_satisfies_the_published_schema() -> None:
    firm, _ = run(STOCK)
    signals = [output for output in firm.published if output.topic == "security.signals"]
    assert {output.value["signal"] for output in signals} >= {"halt", "resume"}
    for output in firm.published:
        decode(output.topic, orjson.dumps(output.value))


def test_a_security_that_nobody_holds_any_more_is_resumed() -> None:
    firm, _ = run([2600])
    date = following(FIRST)
    firm.day(date, {}, {})
    assert firm.signals[-1] == (date, "resume")
    assert firm.of("financing.balances")[-1]["financing_balance"] == "0.00"


@pytest.mark.parametrize(
    ("date", "percent", "signal"),
    [
        ("2013-01-30", 99, None),
        ("2013-01-31", 19, None),
        ("2013-01-31", 20, "remind"),
        ("2013-01-31", 25, "halt"),
        ("2020-12-30", 25, "halt"),
        ("2020-12-31", 69, None),
        ("2020-12-31", 70, "remind"),
        ("2020-12-31", 75, "halt"),
    ],
)
@pytest.mark.parametrize("business", ["financing", "lending"])
def test_the_lines_of_an_etf_depend_on_the_date(
    date: str, percent: int, signal: str | None, business: str
) -> None:
    firm = Firm(scope="market")
    firm.security(date, SECURITY, kind="etf", float_shares=FLOAT_SHARES)
    financed, lent = (percent * FLOAT_SHARES * PRICE // 100, 0), (0, percent * FLOAT_SHARES // 100)
    balance, qty = financed if business == "financing" else lent
    firm.day(date, {SECURITY: [balance, qty, HELD, 1, 0, 0, 0, 0]}, {SECURITY: PRICE})
    assert firm.signals == ([] if signal is None else [(date, signal)])


@pytest.mark.parametrize("kind", ["bond", "fund", "treasury"])
def test_other_kinds_have_no_limit(kind: str) -> None:
    firm, states = run(STOCK, kind=kind)
    assert set(states) == {"open"}
    assert firm.signals == []
