"""A notice about initial margin changes new contracts only, and no maintenance ratio (rulebook 3.1, 3.2,
17.1).

Haircuts change neither (17.1, item 4).
"""

from __future__ import annotations

from typing import Any

import pytest

from agents.rules.maturity import months_later
from schemas.units import format_day, parse_day
from tests.books.told import Story
from tests.margin.books import BANK, CHIPS

NOTICES = [
    ("2015-11-20", "2015-11-23", "individual", "financing_buy", "0.50", "1.00"),
    ("2023-09-08", "2023-09-11", "individual", "financing_buy", "1.00", "0.80"),
    ("2026-01-16", "2026-01-19", "individual", "financing_buy", "0.80", "1.00"),
    ("2023-10-27", "2023-10-30", "individual", "short_sell", "0.50", "0.80"),
    ("2024-07-19", "2024-07-22", "individual", "short_sell", "0.80", "1.00"),
    ("2023-10-27", "2023-10-30", "private_fund", "short_sell", "0.50", "1.00"),
    ("2024-07-19", "2024-07-22", "private_fund", "short_sell", "1.00", "1.20"),
    ("2015-11-20", "2015-11-23", "individual", "short_sell", "0.50", "0.50"),
]


def traded(day: str) -> Story:
    """Both securities have a price of the day."""
    story = Story(day)
    for security, price in ((BANK, "10"), (CHIPS, "30")):
        story.price(security, price)
    return story


def borrow(story: Story, business: str, name: str, **more: Any) -> None:
    security, price = (BANK, "10") if business == "financing_buy" else (CHIPS, "30")
    story.fill(business, security, 100, price, contract=name, rate="0", **more)


def margins(story: Story) -> dict[str, str]:
    contracts = story.book.core.desk.books.contracts
    found = zip(contracts.names, contracts.used("margin_ratio").tolist(), strict=True)
    return {name: f"{ratio // 10_000}.{ratio % 10_000 // 100:02d}" for name, ratio in found}


@pytest.mark.parametrize(("last", "first", "client", "business", "old", "new"), NOTICES)
def test_a_notice_leaves_old_contracts_their_extensions_and_the_ratio_alone(
    last: str, first: str, client: str, business: str, old: str, new: str
) -> None:
    story = traded(last).open(**{"class": client, "cash": "1000"})
    borrow(story, business, "OLD")
    ratio = story.book.ratio("A1")
    assert story.begin(first).book.ratio("A1") == ratio
    borrow(story, business, "NEW")
    assert margins(story) == {"OLD": old, "NEW": new}
    for months in (12, 18):
        story.event("extend", contract="OLD", due=format_day(months_later(parse_day(last), months)))
    assert margins(story) == {"OLD": old, "NEW": new}


def test_a_contract_of_its_own_ratio_keeps_it_too() -> None:
    story = traded("2015-11-20").open()
    borrow(story, "financing_buy", "OWN", margin_ratio="0.60")
    borrow(story.begin("2015-11-23"), "financing_buy", "MORE", margin_ratio="1.30")
    assert margins(story) == {"OWN": "0.60", "MORE": "1.30"}


def test_more_under_an_old_contract_keeps_its_ratio() -> None:
    story = traded("2015-11-20").open()
    borrow(story, "financing_buy", "OLD")
    borrow(story.begin("2015-11-23"), "financing_buy", "OLD")
    assert margins(story) == {"OLD": "0.50"}


@pytest.mark.parametrize("haircut", ["0", "0.30", "0.70"])
def test_a_haircut_changes_no_ratio(haircut: str) -> None:
    story = traded("2024-03-07").open(cash="1000")
    borrow(story, "financing_buy", "F")
    ratio = story.book.ratio("A1")
    assert story.security(BANK, haircut=haircut).book.ratio("A1") == ratio
