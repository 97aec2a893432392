"""What financing bought is sold to repay its debt first (rulebook 6): the shares of that security alone, as
far as they are unpaid.
"""

from __future__ import annotations

from tests.gate.counter import BANK, GROWTH, Counter, contract, position

DAY = "2025-04-07"


def counter() -> Counter:
    """1,000 BANK of which 600 are financed and unpaid, 1,000 GROWTH of its own, and 300 GROWTH borrowed."""
    found = Counter(DAY)
    for security in (BANK, GROWTH):
        found.security(security)
        found.price("10.00", security)
    financed = contract("F", BANK, "2025-03-03", 600, "10.00", principal="6000")
    borrowed = contract("S", GROWTH, "2025-03-03", 300, "10.00") | {"type": "lending"}
    found.open(
        positions=[position(BANK, 1_000), position(GROWTH, 1_000)],
        contracts=[financed, borrowed],
    )
    return found.trading()


def test_financed_shares_are_no_collateral_to_sell() -> None:
    found = counter()
    assert found.says("collateral_sell", qty=400, price="10.00") == ("accept", 400)
    assert found.why("collateral_sell", qty=100, price="10.00") == "sell_to_repay_first"


def test_another_securitys_financing_and_a_short_of_the_same_bind_nothing() -> None:
    found = counter()
    assert found.says("collateral_sell", security=GROWTH, qty=1_000, price="10.00") == ("accept", 1_000)
