"""Which debt a payment meets first, and which shares may go back when (rulebook 6, 7.6, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.books.told import Story, broker, financing, lending
from tests.margin.books import BANK, CHIPS, at


def four_contracts() -> Story:
    """OLD is not due, LATE was due yesterday, TODAY falls due today, NEW is not due; 10 yuan of interest on
    each, without a penalty.
    """
    story = Story("2024-03-07", broker("interest_penalty_rate", '"0"'))
    terms = (
        ("OLD", "2024-01-02", "2024-07-02"),
        ("LATE", "2024-01-04", "2024-03-06"),
        ("TODAY", "2024-01-05", "2024-03-07"),
        ("NEW", "2024-01-08", "2024-07-08"),
    )
    return story.open(
        *(financing("1000", opened, name, due=due, rate="0", accrued="10") for name, opened, due in terms)
    )


def test_interest_of_all_contracts_comes_before_any_principal() -> None:
    story = four_contracts()
    story.event("repay", amount="35")
    assert story.left() == dict.fromkeys(("OLD", "LATE", "TODAY", "NEW"), "1000.00")
    assert [story.owed(name) for name in ("OLD", "LATE", "TODAY", "NEW")] == ["0.00", "0.00", "0.00", "5.00"]


def test_principal_that_falls_due_comes_first_then_overdue_then_the_earliest() -> None:
    story = four_contracts()
    story.event("repay", amount="1040")
    assert "TODAY" not in story.left()
    story.event("repay", amount="1000.01")
    assert story.left() == {"OLD": "999.99", "NEW": "1000.00"}


def test_a_named_contract_is_paid_before_matured_ones_its_interest_first() -> None:
    story = four_contracts()
    story.event("repay", amount="1010", contract="NEW")
    assert story.left() == dict.fromkeys(("OLD", "LATE", "TODAY"), "1000.00")
    assert story.owed("OLD") == "10.00"


def test_what_a_sale_brings_repays_before_it_is_own_cash() -> None:
    story = four_contracts()
    story.fill("sell_to_repay", BANK, 1_000, "5", fee="5")
    assert story.left() == {}
    assert story.account()["evidence"]["cash"] == "9000955.00"


def test_a_sale_may_name_the_contract_it_repays() -> None:
    story = four_contracts()
    story.fill("sell_to_repay", BANK, 100, "5", contract="NEW")
    assert story.left()["NEW"] == "510.00"
    assert story.owed("OLD") == "10.00"


def sold_short(day: str) -> Story:
    story = Story(day).open()
    story.fill("short_sell", CHIPS, 1_000, "30", contract="L")
    return story


@pytest.mark.parametrize("way", ["fill", "return"])
def test_until_2015_08_03_shares_sold_short_go_back_the_same_day(way: str) -> None:
    """E9 (h)."""
    story = sold_short("2015-08-03")
    give_back(story, way)
    assert story.left() == {}


@pytest.mark.parametrize("way", ["fill", "return"])
def test_from_2015_08_04_shares_sold_short_go_back_from_the_next_trading_day_on(way: str) -> None:
    story = sold_short("2015-08-04")
    assert story.refused(**fields(way)) == "qty"
    assert story.left() == {"L": "1000"}
    give_back(story.begin("2015-08-05"), way)
    assert story.left() == {}


def test_a_short_sale_told_a_day_late_was_sold_on_its_own_day() -> None:
    """Monday's fills come in on Tuesday; of the contract, 200 were sold on Tuesday."""
    story = Story("2024-03-04").open()
    story.begin("2024-03-05").fill("short_sell", CHIPS, 200, "30", contract="L", ts=at("2024-03-05", "09:31"))
    for contract, qty in (("L", 300), ("M", 1_000)):
        story.fill("short_sell", CHIPS, qty, "30", contract=contract, ts=at("2024-03-04", "14:56"))
    assert story.refused("return", security=CHIPS, qty=301, contract="L") == "qty"
    story.event("return", security=CHIPS, qty=300, contract="L")
    story.event("return", security=CHIPS, qty=1_000, contract="M")


def test_a_short_of_the_last_day_of_the_old_rule_goes_back_on_the_first_of_the_new() -> None:
    story = sold_short("2015-08-03").begin("2015-08-04")
    give_back(story, "fill")
    assert story.left() == {}


def fields(way: str) -> dict[str, Any]:
    if way == "return":
        return {"kind": "return", "security": CHIPS, "qty": 1_000}
    return {"kind": "fill", "business": "buy_to_return", "security": CHIPS, "qty": 1_000, "price": "29"}


def give_back(story: Story, way: str) -> None:
    told = fields(way)
    story.event(str(told.pop("kind")), **told)


def test_only_todays_part_of_a_contract_and_todays_contracts_wait() -> None:
    story = Story("2024-03-07").open(lending(500, "2024-03-01"))
    story.fill("short_sell", CHIPS, 300, "30", contract="L")
    story.fill("short_sell", CHIPS, 200, "30", contract="NEW")
    assert story.refused("return", security=CHIPS, qty=501) == "qty"
    assert story.refused("return", security=CHIPS, qty=1, contract="NEW") == "qty"
    story.event("return", security=CHIPS, qty=500)
    assert story.left() == {"L": "300", "NEW": "200"}
    assert story.refused("return", security=CHIPS, qty=1) == "qty"
    story.begin("2024-03-08").event("return", security=CHIPS, qty=500)
    assert story.left() == {}


def test_shares_sold_short_on_friday_go_back_on_monday() -> None:
    story = sold_short("2024-03-08").begin("2024-03-11")
    give_back(story, "return")
    assert story.left() == {}


def test_an_opening_on_the_day_of_a_short_sale_knows_that_it_is_of_today() -> None:
    story = Story("2024-03-07").open(lending(500, "2024-03-07"), lending(100, "2024-03-06", "M"))
    assert story.refused("return", security=CHIPS, qty=101) == "qty"
    story.event("return", security=CHIPS, qty=100)
    assert story.left() == {"L": "500"}


def test_shares_due_today_go_back_before_older_ones() -> None:
    story = Story("2024-03-07").open(
        lending(100, "2024-01-02", "OLD"),
        lending(100, "2024-01-04", "LATE", due="2024-03-06"),
        lending(100, "2024-01-05", "TODAY", due="2024-03-07"),
    )
    story.event("return", security=CHIPS, qty=150)
    assert story.left() == {"OLD": "100", "LATE": "50"}


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("contract", {"business": "sell_to_repay", "security": BANK, "contract": "FOREIGN"}),
        ("contract", {"business": "buy_to_return", "security": CHIPS, "contract": "FOREIGN"}),
        ("contract", {"business": "financing_buy", "security": CHIPS, "contract": "F"}),
        ("contract", {"business": "short_sell", "security": BANK, "contract": "F"}),
        ("contract", {"business": "short_sell", "security": BANK, "contract": "L"}),
        ("qty", {"business": "buy_to_return", "security": CHIPS, "contract": "F"}),
        ("qty", {"business": "buy_to_return", "security": BANK, "contract": "L"}),
    ],
)
def test_a_fill_for_a_foreign_contract_is_refused(field: str, told: dict[str, str]) -> None:
    """One of another account, of another security, or of the other type."""
    story = Story("2024-03-07").open(financing("1000", "2024-03-01"), lending(500, "2024-03-01"))
    other = {"cash": "0", "positions": [], "contracts": [financing("10", "2024-03-01", "FOREIGN")]}
    story.event("opening", account="B2", **other)
    assert story.refused("fill", qty=100, price="8", **told) == field


def test_a_contract_without_a_security_is_refused() -> None:
    story = Story("2024-03-07").open()
    nothing = {name: value for name, value in financing("1000", "2024-03-01").items() if name != "security"}
    field = story.refused("opening", cash="0", positions=[], contracts=[nothing])
    assert field.endswith("security")


def test_more_than_is_borrowed_is_refused() -> None:
    story = Story("2024-03-07").open(lending(500, "2024-03-01"))
    assert story.refused("return", security=CHIPS, qty=501) == "qty"
    assert story.refused("fill", business="buy_to_return", security=CHIPS, qty=501, price="29") == "qty"
