"""A stock that goes ex without a trade: what is lent of it is worth the adjusted close (rulebook 11)."""

from __future__ import annotations

from agents.financing.core import FinancingConfig, FinancingCore
from tests.financing.firm import NO_FLOWS, Firm

STOCK = "600000.SH"
MONDAY, TUESDAY = "2025-04-07", "2025-04-08"


def lent_value(firm: Firm) -> str:
    firm.session(TUESDAY, "settled")
    firm.totals(TUESDAY, {STOCK: [0, 1_000, 0, 1, *NO_FLOWS]})
    balances = [output.value for output in firm.outputs if output.topic == "financing.balances"]
    return str(balances[-1]["lending_value"])


def bonus(ex_date: str) -> dict[str, str]:
    about = {"action": "ca", "security": STOCK, "ex_date": ex_date, "kind": "bonus"}
    return about | {"shares_per_share": "1"}


def monday() -> Firm:
    firm = Firm()
    firm.session(MONDAY, "pre_open", hour=9)
    firm.price(MONDAY, STOCK, 20_000)
    firm.events("reference.actions", bonus(TUESDAY))
    return firm


def test_the_close_carried_over_an_ex_date_is_adjusted() -> None:
    firm = monday()
    saved = firm.core.snapshot()
    firm.core = FinancingCore(FinancingConfig(shards=1))
    firm.core.restore(saved)
    firm.session(TUESDAY, "pre_open", hour=9)
    assert lent_value(firm) == "10000.00"


def test_an_action_published_on_its_ex_date_adjusts_at_once_and_once() -> None:
    firm = Firm()
    firm.session(MONDAY, "pre_open", hour=9)
    firm.price(MONDAY, STOCK, 20_000)
    firm.session(TUESDAY, "pre_open", hour=9)
    firm.events("reference.actions", bonus(TUESDAY))
    firm.events("reference.actions", bonus(TUESDAY))
    assert lent_value(firm) == "10000.00"


def test_a_price_of_the_ex_date_counts_as_it_is() -> None:
    firm = monday()
    firm.session(TUESDAY, "pre_open", hour=9)
    firm.price(TUESDAY, STOCK, 11_000)
    assert lent_value(firm) == "11000.00"
