"""Signals that halt new debt in a security, as the gate obeys them (rulebook 5.1, contract section 2)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.kernels.layout import FINANCING_HALTED
from tests.financing.firm import Firm, following
from tests.gate.counter import BANK, Counter, Record, at, position

DAY, NEXT = "2024-06-03", "2024-06-04"
BUY: dict[str, Any] = {"qty": 200, "price": "10.00"}


def counter() -> Counter:
    found = Counter(DAY)
    found.security()
    found.trading()
    found.open(positions=[position(BANK, 1_000)])
    return found


def signal(action: str, effective: str, basis: str, business: str = "financing") -> Record:
    record: Record = {"id": f"{business}:{action}:{effective}", "security": BANK, "ts": at(DAY, "09:00")}
    record |= {"date": DAY, "effective": effective, "business": business, "signal": action, "basis": basis}
    return record | {"indicator": "0.25", "line": "0.25", "figures": {}, "rule": "limit_stock"}


def test_a_halt_stops_new_debt_and_nothing_else() -> None:
    found = counter()
    for business in ("financing", "lending"):
        found.book.reference("security.signals", signal("halt", DAY, "notice", business))
    assert found.why("financing_buy", **BUY) == "limit_stock"
    assert found.why("short_sell", **BUY) == "limit_stock"
    assert found.why("collateral_buy", **BUY) == "accept"
    assert found.why("collateral_sell", **BUY) == "accept"


def test_a_halt_begins_and_ends_with_the_trading_day_it_names() -> None:
    found = counter()
    found.book.reference("security.signals", signal("halt", NEXT, "computed"))
    assert found.why("financing_buy", **BUY) == "accept"
    found.trading(NEXT)
    found.book.reference("security.signals", signal("resume", "2024-06-05", "computed"))
    assert found.why("financing_buy", **BUY) == "limit_stock"
    found.trading("2024-06-06")
    assert found.why("financing_buy", **BUY) == "accept"


def test_a_notice_ends_what_figures_would_have_begun() -> None:
    found = counter()
    found.book.reference("security.signals", signal("halt", NEXT, "computed"))
    found.book.reference("security.signals", signal("resume", DAY, "notice"))
    found.trading(NEXT)
    assert found.why("financing_buy", **BUY) == "accept"


steps = st.lists(
    st.tuples(
        st.sampled_from(("notice", "figures", "day", "hear")),
        st.integers(-2, 3),
        st.sampled_from((10, 22, 30)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_a_shard_that_hears_of_notices_and_figures_late_obeys_what_is_in_force(
    history: list[tuple[str, int, int]],
) -> None:
    """Notices before and after their day, figures of earlier days, signals that arrive only on the next."""
    firm, found, today, heard = Firm(), counter(), DAY, 0
    firm.session(today, "pre_open", 9)
    for step, days, balance in [*history, ("hear", 0, 0)]:
        date = following(today, days)
        about: Record = {"security": BANK, "business": "financing", "effective": date}
        if step == "notice":
            firm.events("reference.notices", about | {"action": "resume" if balance > 22 else "halt"})
        elif step == "figures":
            figures = {"financing_balance": balance, "float_value": 100, "credit_holding_value": balance}
            firm.events("reference.balances", {"security": BANK, "date": min(date, today)} | figures)
        elif step == "day":
            today = following(today)
            firm.session(today, "pre_open", 9)
            found.trading(today)
        else:
            told = firm.of("security.signals")
            for record in told[heard:]:
                found.book.reference("security.signals", record)
            heard = len(told)
    securities = found.book.core.desk.books.securities
    halted = securities.get(securities.index[BANK], FINANCING_HALTED) == 1
    assert halted == firm.halted(BANK, "financing", today)
