"""The uptick rule (提价规则) of short sales, rulebook 6 and E9. Prices are integer milli.

A short sale may not be priced below the last trade of the day, before the first trade not below the
previous close. Who is short may not sell the same shares from any account he controls below that price
either, except what he holds beyond the quantity he borrowed.
"""

ETF = "etf"


def lowest_short_price(last: int, prev_close: int) -> int | None:
    """The lowest legal price: `last` of today, else `prev_close`; None when neither is known (<= 0)."""
    return next((price for price in (last, prev_close) if price > 0), None)


def bound_by_uptick(kind: str, etf_policy: str) -> bool:
    """Whether a kind of security is bound; `etf_policy` is `apply` or `exempt`."""
    return not (kind == ETF and etf_policy == "exempt")


def exempt_shares(held: int, borrowed: int) -> int:
    """Own shares that may be sold at any price while `borrowed` are owed: what is held beyond them."""
    return max(0, held - borrowed)
