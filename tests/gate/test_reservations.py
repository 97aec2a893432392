"""What accepted requests reserve, so that no two spend the same margin, and what gives it back."""

from __future__ import annotations

import pytest

from agents.margin.shard import MarginShard
from tests.gate.counter import BANK, GROWTH, Counter, contract, position

DAY = "2016-03-01"


def counter() -> Counter:
    """A million in cash, margin 100%: a hundred thousand shares at 10.00 can be financed."""
    found = Counter(DAY)
    found.security()
    found.trading()
    found.open(positions=[position(BANK, 1_000)])
    return found


def fill(found: Counter, order: str, business: str, qty: int, price: str = "10.00") -> None:
    found.event("fill", order=order, business=business, security=BANK, qty=qty, price=price)


def financing(found: Counter, qty: int) -> tuple[str, int]:
    return found.says("financing_buy", qty=qty, price="10.00")


def test_two_orders_never_spend_the_same_margin() -> None:
    found = counter()
    assert financing(found, 60_000) == ("accept", 100_600)
    assert financing(found, 60_000) == ("reject", 40_600)
    assert financing(found, 40_600) == ("accept", 40_600)
    assert financing(found, 100) == ("reject", 0)


def test_what_is_filled_is_debt_and_what_is_not_stays_reserved() -> None:
    found = counter()
    order = found.ask("financing_buy", qty=60_000, price="10.00")["order"]
    fill(found, order, "financing_buy", 20_000)
    assert financing(found, 100_000) == ("reject", 40_600)
    fill(found, order, "financing_buy", 40_000)
    assert financing(found, 100_000) == ("reject", 40_600)


def test_an_order_that_is_closed_frees_what_is_unfilled() -> None:
    found = counter()
    order = found.ask("financing_buy", qty=60_000, price="10.00")["order"]
    fill(found, order, "financing_buy", 20_000)
    found.event("order_closed", order=order, reason="cancelled")
    assert financing(found, 100_000) == ("reject", 80_600)


def test_partial_fills_at_a_better_price_free_in_proportion() -> None:
    found = counter()
    order = found.ask("financing_buy", qty=60_000, price="10.00")["order"]
    fill(found, order, "financing_buy", 30_000, "9.00")
    reservations = found.book.core.desk.reservations
    (row,) = reservations.of(0)
    assert (reservations.left[row], reservations.reserved(row)[0]) == (30_000, 300_000_000)


@pytest.mark.parametrize("phase", ["settled", "pre_open"])
def test_the_end_of_the_day_frees_everything(phase: str) -> None:
    found = counter()
    financing(found, 60_000)
    if phase == "pre_open":
        found.session("pre_open", "2016-03-02")
        found.security()
    else:
        found.session("settled")
    assert financing(found, 120_000) == ("reject", 100_600)


def test_the_same_shares_are_not_sold_twice() -> None:
    found = counter()
    assert found.says("collateral_sell", qty=700, price="10.00") == ("accept", 1_000)
    assert found.says("collateral_sell", qty=700, price="10.00") == ("reject", 300)
    assert found.why("withdraw_security", qty=400) == "reserved"


def test_the_same_cash_is_not_spent_twice() -> None:
    found = counter()
    assert found.says("withdraw_cash", amount="900000") == ("accept", "1000000.00")
    assert found.says("withdraw_cash", amount="100000.01") == ("reject", "100000.00")
    assert found.says("collateral_buy", qty=10_000, price="10.00") == ("reject", 9_900)


def test_a_withdrawal_that_was_made_frees_the_oldest_requests() -> None:
    found = counter()
    for amount in ("300000", "200000"):
        found.ask("withdraw_cash", amount=amount)
    found.event("cash", amount="-400000", reason="withdrawal")
    assert found.says("withdraw_cash", amount="500000.01") == ("reject", "500000.00")
    found.event("cash", amount="-100000", reason="withdrawal")
    assert not found.book.core.desk.reservations


def test_shares_that_were_moved_out_free_their_request() -> None:
    found = counter()
    found.ask("withdraw_security", qty=600)
    found.event("transfer", security=BANK, qty=-600, reason="collateral_out")
    assert found.says("withdraw_security", qty=500) == ("reject", 400)


def test_a_pending_financing_buy_counts_as_debt_in_the_withdrawal_test() -> None:
    """With 2,010,000 of assets a debt of 500,000 on order leaves room above 300%: 2,510,000 - 1,500,000; the
    available margin is what is left of 1,006,500.
    """
    found = counter()
    found.event("cash", amount="1000000", reason="deposit")
    found.ask("financing_buy", qty=50_000, price="10.00")
    decision = found.ask("withdraw_cash", amount="1010000.01")
    assert (decision["limit"], decision["figures"]["room"]) == ("1010000.00", "1010000.00")


def test_a_purchase_of_collateral_leaves_the_margin_promised_to_new_debt() -> None:
    found = counter()
    assert financing(found, 100_000)[0] == "accept"
    decision, most = found.says("collateral_buy", qty=50_000, price="10.00")
    assert (decision, most) == ("reject", 1_800)


def test_short_sale_proceeds_stay_in_the_account() -> None:
    found = counter()
    found.event("fill", business="short_sell", security=BANK, qty=10_000, price="10.00")
    decision = found.ask("withdraw_cash", amount="1000000")
    assert decision["decision"] == "reject"
    assert found.ask("collateral_buy", qty=100_000, price="10.00")["figures"]["cash"] == "1000000.00"
    assert found.ask("buy_to_return", qty=10_000, price="10.00")["figures"] == {
        "borrowed": 10_000,
        "sold_today": 10_000,
    }


def test_from_2015_07_02_proceeds_buy_liquid_products_too() -> None:
    for day, cash in (("2015-07-01", "0.00"), ("2015-07-02", "100000.00")):
        found = Counter(day)
        found.security()
        found.security("511990.SH", kind="cash_product", prev_close="100.000")
        found.trading()
        lent = contract("S", BANK, "2015-06-01", 10_000, "10.00", type="lending")
        found.open(cash="100000", contracts=[lent])
        decision = found.ask("collateral_buy", security="511990.SH", qty=200_000, price="100.000")
        assert decision["figures"]["cash"] == cash


def test_until_2015_07_01_proceeds_pay_for_nothing_but_what_is_returned_and_then_interest_too() -> None:
    for day, most in (("2015-07-01", "0.00"), ("2015-07-02", "12.34")):
        found = Counter(day)
        found.security()
        found.trading()
        lent = contract("S", BANK, "2015-06-01", 10_000, "10.00", type="lending", accrued="12.34")
        found.open(cash="100000", contracts=[lent])
        assert found.says("repay", amount="12.34") == ("accept" if most > "0.00" else "reject", most)
        assert found.says("buy_to_return", qty=9_900, price="10.00")[0] == "accept"


def test_what_proceeds_bought_stays_in_the_account_as_they_would() -> None:
    """100,000 of proceeds bought cash products, other 50,000 are the client's own: these may leave."""
    found = Counter("2024-06-03")
    found.security()
    found.security("511990.SH", kind="cash_product", prev_close="100.000", haircut="0.90")
    found.trading()
    lent = contract("S", BANK, "2024-05-06", 10_000, "10.00", type="lending")
    held = [position("511990.SH", 1_500), position(BANK, 100_000)]
    found.open(cash="0", positions=held, contracts=[lent])
    out = {"business": "withdraw_security", "security": "511990.SH"}
    assert found.why(**out, qty=600) == "short_proceeds_withdrawable"
    assert found.says(**out, qty=300) == ("accept", 500)
    assert found.says(**out, qty=300) == ("reject", 200)
    assert found.says("withdraw_security", qty=50_000)[0] == "accept"


def test_a_repeated_request_gets_its_decision_again_and_reserves_once() -> None:
    found = counter()
    record = {"account": "A1", "ts": found.ts, "id": "same", "business": "financing_buy", "security": BANK}
    record |= {"qty": 60_000, "price": "10.00", "order_type": "limit"}
    first = found.book.order(record)
    assert found.book.order(record | {"price": 10}) == first
    assert financing(found, 100_000) == ("reject", 40_600)
    found.session("pre_open", "2016-03-02")
    assert found.book.order(record) == first


def test_an_id_used_again_after_two_trading_days_is_a_new_request() -> None:
    found = counter()
    record = {"account": "A1", "ts": found.ts, "id": "same", "business": "withdraw_cash", "amount": "10"}
    first = found.book.order(record)
    for day in ("2016-03-02", "2016-03-03"):
        found.session("pre_open", day)
    again = found.book.order(record | {"amount": "11"})
    assert (first["id"], again["id"]) == ("A1:same:2016-03-01:decision", "A1:same:2016-03-03:decision")


def test_the_same_id_with_other_content_is_a_bad_record() -> None:
    found = counter()
    record = {"account": "A1", "ts": found.ts, "id": "same", "business": "withdraw_cash", "amount": "10"}
    found.book.order(record)
    with pytest.raises(ValueError, match="was used before"):
        found.book.order(record | {"amount": "11"})
    assert found.says("withdraw_cash", amount="999990.01") == ("reject", "999990.00")


def test_decisions_and_reservations_survive_a_restart() -> None:
    found = counter()
    found.ask("financing_buy", qty=30_000, price="10.00")
    order = found.ask("financing_buy", qty=20_000, price="10.00")["order"]
    found.ask("withdraw_cash", amount="1000")
    fill(found, order, "financing_buy", 100)
    again = MarginShard(found.book.core.desk.config)
    again.restore(found.book.core.snapshot())
    assert list(again.state_rows()) == list(found.book.core.state_rows())
    before = found.ask("financing_buy", qty=100_000, price="10.00")
    found.count, found.ts, found.book.core = found.count - 1, found.ts - 1000, again
    assert found.ask("financing_buy", qty=100_000, price="10.00") == before


def test_open_requests_are_part_of_the_state() -> None:
    one, other = counter(), counter()
    one.ask("withdraw_cash", amount="10")
    assert list(one.book.core.state_rows()) != list(other.book.core.state_rows())


def test_what_financing_bought_is_sold_to_repay_and_not_as_collateral() -> None:
    found = Counter(DAY)
    found.security(GROWTH)
    found.trading()
    owed = contract("F", GROWTH, "2016-02-01", 3_000, "10.00", principal="30000")
    found.open(positions=[position(GROWTH, 5_000)], contracts=[owed])
    sale = {"security": GROWTH, "qty": 2_100, "price": "10.00"}
    assert found.says("collateral_sell", **sale) == ("reject", 2_000)
    assert found.why("collateral_sell", **sale) == "sell_to_repay_first"
    assert found.says("sell_to_repay", **sale)[0] == "accept"
