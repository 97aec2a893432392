"""An exchange's notices and published figures (contract section 2, rulebook 5.1), with real notices as
cases.
"""

import orjson
import pytest

from schemas import decode
from tests.financing.firm import Firm, following

SECURITY = "600107.SH"


def notice(
    firm: Firm, effective: str, action: str, security: str = SECURITY, business: str = "financing"
) -> int:
    record = {"security": security, "effective": effective, "business": business, "action": action}
    return len(firm.events("reference.notices", record))


def test_a_notice_halts_from_its_own_day_whatever_own_balances_say() -> None:
    firm = Firm()
    firm.session("2015-08-25", "pre_open", 9)
    notice(firm, "2015-08-26", "halt")
    assert not firm.halted(SECURITY, "financing", "2015-08-25")
    assert firm.halted(SECURITY, "financing", "2015-08-26")
    (signal,) = firm.of("security.signals")
    assert (signal["id"], signal["basis"]) == ("600107.SH:financing:halt:notice:2015-08-26", "notice")
    assert (signal["date"], signal["effective"]) == ("2015-08-25", "2015-08-26")
    decode("security.signals", orjson.dumps(signal))


def test_a_notice_is_lifted_only_by_another() -> None:
    firm = Firm(scope="market")
    firm.security("2018-03-01", SECURITY, float_shares=1_000_000)
    notice(firm, "2018-03-02", "halt")
    for number in range(3):
        firm.day(
            following("2018-03-01", number), {SECURITY: [10_000, 0, 1_000, 1, 0, 0, 0, 0]}, {SECURITY: 10_000}
        )
    assert firm.signals == [("2018-03-02", "halt")]
    assert firm.halted(SECURITY, "financing", "2018-03-05")
    notice(firm, "2018-03-06", "resume")
    assert firm.halted(SECURITY, "financing", "2018-03-05")
    assert not firm.halted(SECURITY, "financing", "2018-03-06")


def test_figures_do_not_halt_what_a_notice_has_opened() -> None:
    firm = Firm(scope="market")
    firm.security("2018-03-01", SECURITY, float_shares=1_000_000)
    notice(firm, "2018-03-01", "resume")
    firm.day("2018-03-01", {SECURITY: [9_000_000_000, 0, 1_000_000, 1, 0, 0, 0, 0]}, {SECURITY: 10_000})
    assert [signal for _, signal in firm.signals] == ["resume"]
    assert not firm.halted(SECURITY, "financing", "2018-03-02")


def test_figures_that_come_after_a_notice_took_over_say_nothing() -> None:
    """Friday's figures are published on Monday morning, when the exchange's own word already holds."""
    firm = Firm()
    firm.session("2018-03-02", "pre_open", 9)
    notice(firm, "2018-03-05", "resume")
    firm.session("2018-03-05", "pre_open", 9)
    figures = {"security": SECURITY, "date": "2018-03-02", "financing_balance": 30, "float_value": 100}
    firm.events("reference.balances", figures | {"credit_holding_value": 30})
    assert [signal for _, signal in firm.signals] == ["resume"]
    assert not firm.halted(SECURITY, "financing", "2018-03-05")


def test_a_notice_that_a_later_one_has_followed_changes_nothing() -> None:
    firm = Firm()
    firm.session("2018-03-05", "pre_open", 9)
    notice(firm, "2018-03-05", "resume")
    assert notice(firm, "2018-03-02", "halt") == 0
    assert not firm.halted(SECURITY, "financing", "2018-03-05")


def test_notices_ahead_are_repeated_behind_what_holds_until_then() -> None:
    """A shard that begins their day before it hears of either ends with the later one."""
    firm = Firm()
    firm.session("2018-03-02", "pre_open", 9)
    notice(firm, "2018-03-06", "resume")
    assert notice(firm, "2018-03-05", "halt") == 2
    figures = {"security": SECURITY, "date": "2018-03-01", "financing_balance": 30, "float_value": 100}
    firm.events("reference.balances", figures | {"credit_holding_value": 30})
    told = [(value["basis"], value["effective"]) for value in firm.of("security.signals")]
    ahead = [("notice", "2018-03-05"), ("notice", "2018-03-06")]
    assert told == [ahead[1], *ahead, ("published", "2018-03-02"), *ahead]
    assert len({value["id"] for value in firm.of("security.signals")}) == 3


def test_the_same_notice_again_says_nothing_and_another_action_for_its_day_replaces_it() -> None:
    firm = Firm()
    assert notice(firm, "2018-03-02", "halt") == 1
    assert notice(firm, "2018-03-02", "halt") == 0
    assert notice(firm, "2018-03-02", "resume") == 1
    assert not firm.halted(SECURITY, "financing", "2018-03-02")


@pytest.mark.parametrize(
    ("security", "kind", "business", "measured", "figures", "expected"),
    [
        (  # Shanghai 2015 no. 194: monitoring indicator 26.217%, suspended next day
            "600107.SH",
            "stock",
            "financing",
            "2015-08-25",
            {"financing_balance": 26_217, "credit_holding_value": 26_217, "float_value": 100_000},
            ("halt", "0.262170"),
        ),
        (  # Shanghai 2017 no. 156: 20.492%, a warning
            "600692.SH",
            "stock",
            "financing",
            "2017-11-27",
            {"financing_balance": 20_492, "float_value": 100_000},
            ("remind", "0.204920"),
        ),
        (  # Shanghai 2021-01-20: short selling of an ETF at 70.28%, a warning
            "512500.SH",
            "etf",
            "lending",
            "2021-01-19",
            {"lending_qty": 7_028, "float_shares": 10_000},
            ("remind", "0.702800"),
        ),
        (  # Shenzhen 2015-07-06: balance AND holdings reached 25%
            "000926.SZ",
            "stock",
            "financing",
            "2015-07-03",
            {"financing_balance": 25_000, "credit_holding_value": 25_000, "float_value": 100_000},
            ("halt", "0.250000"),
        ),
    ],
)
def test_published_figures_give_the_signals_the_exchanges_gave(
    security: str, kind: str, business: str, measured: str, figures: dict[str, int], expected: tuple[str, str]
) -> None:
    firm = Firm()
    firm.security(measured, security, kind=kind)
    firm.session(measured, "pre_open", 9)
    firm.events("reference.balances", {"security": security, "date": measured, **figures})
    (signal,) = firm.of("security.signals")
    assert (signal["signal"], signal["indicator"]) == expected
    assert (signal["business"], signal["basis"]) == (business, "published")
    assert signal["effective"] == following(measured)


@pytest.mark.parametrize(
    ("security", "kind", "measured", "before", "after"),
    [
        ("300355.SZ", "stock", "2015-07-13", 30, 19),  # Shenzhen 2015-07-14: below 20%, resumed
        ("159922.SZ", "etf", "2020-11-26", 30, 19),  # Shenzhen 2020-11-27: the rules of 2019 resume below 20%
        ("159922.SZ", "etf", "2020-12-31", 80, 69),  # Shenzhen 2021-01-04: the revised rules resume below 70%
    ],
)
def test_a_business_is_resumed_as_the_exchange_resumed_it(
    security: str, kind: str, measured: str, before: int, after: int
) -> None:
    firm = Firm()
    day_before = following(measured, -1)
    firm.security(day_before, security, kind=kind)
    firm.session(day_before, "pre_open", 9)
    for date, percent in ((day_before, before), (measured, after)):
        figures = {"lending_qty": percent, "float_shares": 100}
        firm.events("reference.balances", {"security": security, "date": date, **figures})
    assert firm.signals == [(day_before, "halt"), (measured, "resume")]


def test_one_figure_below_the_line_keeps_financing_open_where_both_must_reach_it() -> None:
    firm = Firm()
    figures = {"financing_balance": 26_000, "credit_holding_value": 19_000, "float_value": 100_000}
    firm.session("2018-03-01", "pre_open", 9)
    firm.events("reference.balances", {"security": SECURITY, "date": "2018-03-01", **figures})
    assert firm.signals == []


def test_published_shares_of_the_float_are_valued_at_the_close_of_their_day() -> None:
    firm = Firm()
    firm.day("2018-03-01", {}, {SECURITY: 10_000})
    firm.session("2018-03-02", "pre_open", 9)
    firm.price("2018-03-02", SECURITY, 5_000)
    figures = {"financing_balance": 2_500_000, "float_shares": 1_000_000}
    firm.events("reference.balances", {"security": SECURITY, "date": "2018-03-01", **figures})
    assert firm.of("security.signals")[0]["indicator"] == "0.250000"


def test_in_the_scope_of_a_firm_own_balances_are_reported_and_halt_nothing() -> None:
    firm = Firm()
    firm.security("2018-03-01", SECURITY, float_shares=1_000_000)
    firm.day("2018-03-01", {SECURITY: [9_000_000_000, 0, 1_000_000, 1, 0, 0, 0, 0]}, {SECURITY: 10_000})
    assert firm.signals == []
    assert firm.of("financing.balances")[0]["financing_balance"] == "9000000.00"


def test_in_the_scope_of_the_market_published_figures_halt_nothing() -> None:
    firm = Firm(scope="market")
    firm.session("2018-03-01", "pre_open", 9)
    figures = {"financing_balance": 90_000, "float_value": 100_000}
    firm.events("reference.balances", {"security": SECURITY, "date": "2018-03-01", **figures})
    assert firm.signals == []


def test_corrected_figures_of_a_day_replace_its_step() -> None:
    firm = Firm()
    firm.session("2018-03-01", "pre_open", 9)
    for balance in (26_000, 24_000, 24_000):
        figures = {"financing_balance": balance, "float_value": 100_000}
        firm.events("reference.balances", {"security": SECURITY, "date": "2018-03-01", **figures})
    assert [signal for _, signal in firm.signals] == ["halt", "resume"]


def test_a_bad_record_becomes_a_dead_letter_and_the_rest_goes_on() -> None:
    firm = Firm()
    good = {"security": SECURITY, "effective": "2018-03-02", "business": "financing", "action": "halt"}
    firm.events("reference.notices", {**good, "action": "stop"}, b"{", good)
    assert [output.topic for output in firm.outputs] == ["dead.letters", "dead.letters", "security.signals"]
    assert firm.of("dead.letters")[0]["field"] == "action"
