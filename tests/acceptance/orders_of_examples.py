"""The rulebook's worked examples about orders (section 17) as days of a recorded market: reference data,
books, prices, requests and what each request has to be told.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.acceptance.example_days import (
    BANK,
    CALL,
    CHIPS,
    FUND,
    GROWTH,
    NORTH,
    UNLISTED,
    Example,
    Record,
    Round,
    accept,
    asks,
    book,
    held,
    owed,
    reject,
    security,
)

# -- E5, E6


def withdrawals() -> Example:
    """E5 in four accounts: margins of 100% and 150%, twice each; and one at exactly 300%."""
    day, small = "2016-03-01", "600085.SH"
    prices = {BANK: "100.00", GROWTH: "100.00", small: "85.75"}

    def account(name: str, margin_ratio: str, collateral: str = BANK) -> Record:
        debt = owed("F", GROWTH, day, 10_000, "100.00", margin_ratio=margin_ratio, accrued="5000")
        return book(
            name, "300000", positions=[held(collateral, 20_000), held(GROWTH, 10_000)], contracts=[debt]
        )

    requests = (
        (asks("W1", "withdraw_cash", amount="285000.01"), reject("mmr_withdraw_line", "285000.00")),
        (
            asks("W1", "withdraw_cash", amount="285000"),
            accept("285000.00", available_margin="595000.00", ratio_after="3.000000"),
        ),
        (asks("W2", "withdraw_security", qty=2_850), reject("lot_main", 2_800)),
        (asks("W2", "withdraw_security", qty=2_800), accept(2_800, ratio_after="3.004975")),
        (asks("W2", "withdraw_cash", amount="5000"), accept(available_margin="413000.00")),
        (
            asks("W3", "withdraw_cash", amount="95000.01"),
            reject("withdraw_within_available_margin", "95000.00"),
        ),
        (asks("W3", "withdraw_cash", amount="95000"), accept("95000.00", available_margin="95000.00")),
        (asks("W4", "withdraw_security", qty=1_500), reject("withdraw_within_available_margin", 1_400)),
        (asks("W4", "withdraw_security", qty=1_400), accept(1_400, ratio_after="3.144279")),
        (asks("W4", "withdraw_cash", amount="1"), accept(available_margin="4000.00")),
        (asks("W5", "withdraw_cash", amount="0.01"), reject("mmr_withdraw_line", "0.00")),
    )
    return Example(
        day,
        (Round(requests, prices),),
        tuple(security(day, name, prev_close=price) for name, price in prices.items()),
        (
            account("W1", "1.00"),
            account("W2", "1.00"),
            account("W3", "1.50"),
            account("W4", "1.50"),
            account("W5", "1.00", small),
        ),
    )


def mixed_book() -> Example:
    """E6: what 484,289.02 of available margin carries at 100% and at 130%."""
    day, plain, dear = "2024-07-19", "600014.SH", "600013.SH"
    shares: dict[str, tuple[str, Record]] = {
        "600001.SH": ("20.00", {}),
        "019547.SH": ("100.00", {"kind": "treasury", "haircut": "0.95"}),
        "600003.SH": ("15.00", {"haircut": "0", "st": True}),
        "600011.SH": ("22.00", {"haircut": "0.70", "index_member": True}),
        "600012.SH": ("9.00", {"haircut": "0.60"}),
        "600021.SH": ("22.00", {}),
        "600022.SH": ("33.50", {"haircut": "0.60"}),
        plain: ("10.00", {"financing_margin": "1.00"}),
        dear: ("10.00", {"financing_margin": "1.30"}),
    }
    lent = {"type": "lending"}
    contracts = [
        owed("F1", "600011.SH", day, 10_000, "20.00", margin_ratio="1.00", accrued="3210.98"),
        owed("F2", "600012.SH", day, 20_000, "10.00", margin_ratio="0.80"),
        owed("S1", "600021.SH", day, 10_000, "25.00", margin_ratio="1.00", **lent),
        owed("S2", "600022.SH", day, 4_000, "30.00", margin_ratio="0.50", **lent),
    ]
    positions = [held("600001.SH", 10_000), held("019547.SH", 5_000), held("600003.SH", 8_000)]
    positions += [held("600011.SH", 10_000), held("600012.SH", 20_000)]
    margin = {"available_margin": "484289.02"}
    requests = (
        (
            asks("M1", "financing_buy", security=dear, qty=37_300, price="10.00"),
            reject("margin_financing", 37_200, **margin),
        ),
        (
            asks("M1", "financing_buy", security=plain, qty=48_500, price="10.00"),
            reject("margin_financing", 48_400, **margin),
        ),
        (
            asks("M1", "financing_buy", security=plain, qty=48_400, price="10.00"),
            accept(48_400, margin_used="484000.00"),
        ),
        (asks("M1", "financing_buy", security=plain, qty=100, price="10.00"), reject("margin_financing", 0)),
    )
    return Example(
        day,
        (Round(requests),),
        tuple(security(day, name, prev_close=price, **more) for name, (price, more) in shares.items()),
        (book("M1", "900000", positions=positions, contracts=contracts),),
    )


# -- E7


def capacity(day: str, business: str, *cases: tuple[str, int]) -> Example:
    """E7: a million of available margin, by class of client."""
    rounds, books = [], []
    rule = "margin_financing" if business == "financing_buy" else "margin_lending"
    for client, most in cases:
        name = f"C{day.replace('-', '')}{client[0]}"
        cited = f"{rule}_private_fund" if client == "private_fund" and business == "short_sell" else rule
        books.append(book(name, **{"class": client}))
        rounds.append((asks(name, business, qty=most + 100, price="10.00"), reject(cited, most)))
        rounds.append((asks(name, business, qty=most, price="10.00"), accept(most)))
        rounds.append((asks(name, business, qty=100, price="10.00"), reject(cited, 0)))
    return Example(day, (Round(tuple(rounds)),), (security(day),), tuple(books))


# -- E9


def uptick() -> Example:
    day = "2015-08-03"

    def short(price: str, expected: Record, name: str = BANK) -> tuple[Record, Record]:
        return asks("U1", "short_sell", qty=100, price=price, security=name), expected

    below, sale = (
        reject("short_uptick"),
        {"account": "U1", "kind": "fill", "id": "f1", "business": "short_sell"},
    )
    own: Record = {"account": "{G7}B", "business": "collateral_sell", "qty": 8_000, "price": "9.75"}
    rounds = (
        Round(
            (
                short("9.99", below),
                short("10.00", accept()),
                (asks("U1", "short_sell", qty=100), reject("short_market_orders")),
            )
        ),
        Round((short("10.04", below), short("10.05", accept()), short("10.06", accept())), {BANK: "10.05"}),
        Round(
            (
                short("9.79", below),
                short("9.80", accept()),
                short("9.79", below, FUND),
                short("9.80", accept(), FUND),
                short("10.00", reject("listed"), UNLISTED),
                (asks(**own), reject("short_uptick_own_shares", 3_000)),
                (asks(**own | {"qty": 3_000}), accept(3_000)),
                (asks(**own | {"qty": 5_000, "price": "9.80"}), accept()),
            ),
            {BANK: "9.80", FUND: "9.80"},
        ),
        Round(
            ((asks("U1", "buy_to_return", qty=100, price="9.80"), accept(100)),),
            events=(sale | {"security": BANK, "qty": 100, "price": "9.80"},),
        ),
    )
    lent = owed("S", BANK, "2015-07-30", 5_000, "11.00", type="lending")
    books = (book("U1"), book("{G7}A", contracts=[lent]), book("{G7}B", positions=[held(BANK, 8_000)]))
    reference = (
        security(day),
        security(day, FUND, kind="etf", haircut="0.90"),
        security(day, UNLISTED, lending=False),
    )
    return Example(day, rounds, reference, books)


def returned_today(day: str = "2015-08-04") -> Example:
    sale = {"account": "U2", "kind": "fill", "id": "f1", "business": "short_sell", "security": BANK}
    request = asks("U2", "buy_to_return", qty=100, price="10.00")
    refused = reject("short_return_min_sessions_after_sale", 0)
    round_ = Round(((request, refused),), events=(sale | {"qty": 100, "price": "10.00"},))
    return Example(day, (round_,), (security(day),), (book("U2"),))


def returned_the_day_after(day: str = "2015-08-05") -> Example:
    request = asks("U2", "buy_to_return", qty=100, price="10.00")
    return Example(day, (Round(((request, accept(100)),)),), (security(day),))


# -- E11, E12


def moved(price: str, ticks: int) -> str:
    fen = int(price.replace(".", "")) + ticks
    return f"{fen // 100}.{fen % 100:02d}"


CAGES = (
    ("600320.SH", "3.20", "3.10", "3.30"),
    ("600500.SH", "5.00", "4.90", "5.10"),
    ("601500.SH", "50.00", "49.00", "51.00"),
    (CHIPS, "3.20", "3.14", "3.26"),
    ("300500.SZ", "50.00", "49.00", "51.00"),
    (NORTH, "1.82", "1.72", "1.92"),
    ("830020.BJ", "20.00", "19.00", "21.00"),
)


def cages_and_limits(day: str = "2024-06-03") -> Example:
    """E11 in continuous auction, and E12's limits of ChiNext and Beijing in the opening call."""
    limited = (
        (GROWTH, "7.90", "6.32", "9.48"),
        ("300001.SZ", "10.03", "8.02", "12.04"),
        ("430002.BJ", "1.82", "1.27", "2.36"),
    )
    requests: list[tuple[Record, Record]] = []
    for name, _, lowest, highest in CAGES:
        sale: Record = {"account": "L1", "business": "collateral_sell", "security": name, "qty": 200}
        buy = sale | {"business": "collateral_buy"}
        rule = {"688": "cage_star", "300": "cage_chinext"}.get(
            name[:3], "cage_bse" if name[-2:] == "BJ" else "cage_main"
        )
        requests += [
            (asks(**sale, price=lowest), accept()),
            (asks(**sale, price=moved(lowest, -1)), reject(rule)),
            (asks(**buy, price=highest), accept()),
            (asks(**buy, price=moved(highest, 1)), reject(rule)),
        ]
    first = tuple(pair for name, _, down, up in limited for pair in at_limits("L1", name, down, up))
    bases = {name: base for name, base, _, _ in CAGES}
    known = {name: close for name, close, _, _ in limited} | bases
    return Example(
        day,
        (Round(first, phase=CALL), Round(tuple(requests), bases)),
        tuple(security(day, name, prev_close=price) for name, price in known.items()),
        (book("L1", "10000000", positions=[held(name, 1_000) for name in bases]),),
    )


def at_limits(account: str, name: str, down: str, up: str) -> Iterator[tuple[Record, Record]]:
    """Purchases at both limits, and one tick beyond each."""
    rule = {"300": "limit_chinext"}.get(name[:3], "limit_bse" if name[-2:] == "BJ" else "limit_main")
    for price, ticks in ((down, -1), (down, 0), (up, 0), (up, 1)):
        request = asks(account, "collateral_buy", security=name, qty=200, price=moved(price, ticks))
        yield request, reject(rule) if ticks else accept()


def limits_of_st(day: str, close: str, down: str, up: str) -> Example:
    """E12: risk-warning stocks before and after 2026-07-06."""
    name, account = "600100.SH", f"L{day.replace('-', '')}"
    requests = tuple(
        (request, expected | ({"rule": "limit_main_st"} if "rule" in expected else {}))
        for request, expected in at_limits(account, name, down, up)
    )
    reference = (security(day, name, prev_close=close, st=True, haircut="0"),)
    return Example(day, (Round(requests, phase=CALL),), reference, (book(account),))


# -- E15


def tiers(day: str = "2018-06-04") -> Example:
    """Debt of a million; a fund at 1.000 that costs nothing to buy."""
    free: Record = {"preset": "FREE", "from": "2018-01-02", "warn": "1.40", "min": "1.30", "immediate": None}
    free |= {"immediate_mode": "by_settled", "target": "1.50", "cure_by": 1, "cure_at": "settled"}
    free |= {"liquidate_from": 2, "rearm": "0.01", "commission": "0"}
    debt = owed("F", GROWTH, "2018-01-05", 0, "1.00", principal="1000000", margin_ratio="0")

    def account(name: str, cash: str, qty: int = 0) -> Record:
        return book(name, cash, preset="FREE", positions=[held(FUND, qty)], contracts=[debt])

    def buys(name: str, qty: int, expected: Record) -> tuple[Record, Record]:
        return asks(name, "collateral_buy", security=FUND, qty=qty, price="1.000"), expected

    crowded = "concentration_individual"
    requests = (
        buys("T1", 895_200, reject(crowded, 895_000)),
        buys("T1", 895_000, accept(895_000, ratio_after="1.790000")),
        buys("T2", 260_100, reject(crowded, 260_000)),
        buys("T2", 260_000, accept(260_000)),
        buys("T3", 900_000, accept()),
    )
    return Example(
        day,
        (Round(requests),),
        (
            ("reference.rules", "FREE", free),
            security(day, FUND, kind="etf", prev_close="1.000", haircut="0.90"),
        ),
        (account("T1", "1790000"), account("T2", "800000", 1_000_000), account("T3", "900000", 1_500_000)),
    )


def gate(day: str, before: str, *, closed: bool) -> Example:
    """The gate of 2023-07-31: all four lines reached, each of them just missed, and a ratio of 3.00."""
    cases = {
        "600701.SH": ("0.25", "-1", 210_000, "1016949.153", True),
        "600702.SH": ("0.2499", "-1", 210_000, "1016949.153", False),
        "600703.SH": ("0.25", "299.99", 210_000, "1016949.153", False),
        "600704.SH": ("0.25", "-1", 209_970, "1016949.153", False),
        "600705.SH": ("0.25", "-1", 210_000, "1000000", True),
        "600706.SH": ("0.25", "-1", 210_000, "996677.741", False),
    }
    reference: list[tuple[str, str, Record]] = []
    books, requests = [], []
    for name, (share, pe, qty, principal, blocked) in cases.items():
        reference.append(security(day, name, pe_static=pe, haircut="0"))
        figures = {"security": name, "date": before, "collateral_share": share}
        reference.append(("reference.balances", name, figures))
        account = f"G{name[:6]}{day.replace('-', '')}"
        debt = owed("F", name, "2023-01-05", qty, "4.84", principal=principal, margin_ratio="0")
        books.append(book(account, str(3_000_000 - 10 * qty), positions=[held(name, qty)], contracts=[debt]))
        expected = reject("concentration_gate") if blocked and closed else accept()
        requests.append((asks(account, "financing_buy", security=name, qty=100, price="10.00"), expected))
    return Example(day, (Round(tuple(requests)),), tuple(reference), tuple(books))


INDIVIDUAL, FUNDS = "individual", "private_fund"
EXAMPLES = (
    uptick(),
    returned_today(),
    returned_the_day_after(),
    capacity("2015-11-20", "financing_buy", (INDIVIDUAL, 200_000)),
    capacity("2015-11-23", "financing_buy", (INDIVIDUAL, 100_000)),
    withdrawals(),
    tiers(),
    gate("2023-07-28", "2023-07-27", closed=False),
    gate("2023-07-31", "2023-07-28", closed=True),
    capacity("2023-09-08", "financing_buy", (INDIVIDUAL, 100_000)),
    capacity("2023-09-11", "financing_buy", (INDIVIDUAL, 125_000)),
    capacity("2023-10-27", "short_sell", (INDIVIDUAL, 200_000)),
    capacity("2023-10-30", "short_sell", (INDIVIDUAL, 125_000), (FUNDS, 100_000)),
    cages_and_limits(),
    mixed_book(),
    capacity("2024-07-22", "short_sell", (INDIVIDUAL, 100_000), (FUNDS, 83_300)),
    capacity("2026-01-16", "financing_buy", (INDIVIDUAL, 125_000)),
    capacity("2026-01-19", "financing_buy", (INDIVIDUAL, 100_000)),
    limits_of_st("2026-06-30", "1.70", "1.62", "1.79"),
    limits_of_st("2026-07-03", "1.87", "1.78", "1.96"),
    limits_of_st("2026-07-06", "1.87", "1.68", "2.06"),
)
