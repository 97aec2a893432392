"""Caps in money: cash, available margin, credit lines, limits of the firm, the 300% line (rulebook 1.2, 2,
8).

A cap on a trade is told in shares, on a request for money in milli.
"""

from __future__ import annotations

from collections.abc import Iterable

from agents.books.contracts import FINANCING as FINANCING_CONTRACT
from agents.gate.case import Case
from agents.gate.findings import Cap, Figures, Line, Money, Rate
from agents.gate.reservations import FINANCING, LEAVING, LENDING, OWN_CASH
from agents.kernels.layout import HAIRCUT, VALUE
from agents.rules.capacity import most_shares
from agents.rules.initial_margin import PRIVATE_FUND
from agents.rules.interest import payable_milli
from agents.rules.withdrawal import room
from schemas.account import CLIENT_CLASSES
from schemas.orders import MONEY_REQUESTS, ORDER_BUSINESSES
from schemas.units import RATE_SCALE, RATIO_SCALE

LIQUID = "cash_product"
"""What short-sale proceeds may buy besides the shares to be returned, where they may pay for more."""

_REPAY, _WITHDRAW_SECURITY = (ORDER_BUSINESSES.index(name) for name in ("repay", "withdraw_security"))


def cash_to_buy(case: Case) -> Cap:
    """A purchase of collateral is paid from own cash; liquid products from short-sale proceeds too."""
    liquid = case.security.kind == LIQUID and _proceeds_pay_for_more(case)
    return _cash(case, case.all_cash if liquid else case.own_cash, "short_proceeds_use")


def _proceeds_pay_for_more(case: Case) -> bool:
    """Whether short-sale proceeds pay for liquid products, interest and fees, or for the return only."""
    return case.rules.value("short_proceeds_use") == "liquid_products"


def cash_to_return(case: Case) -> Cap:
    """Shares to be returned are paid from short-sale proceeds and own cash."""
    return _cash(case, case.all_cash, "cash")


def _cash(case: Case, cash: int, name: str) -> Cap:
    rule = case.rules.engine("cash") if name == "cash" else case.rules.cite(name)
    figures = {
        "cash": Money(cash),
        "price": Money(case.price),
        "costs": Rate(case.cost_rate()),
    }
    return Cap(_affordable(case, cash), rule, "the cash that may be used does not suffice", figures)


def _affordable(case: Case, cash: int) -> int:
    """The most shares whose value and costs, rounded up, are at most `cash`."""
    if case.price <= 0:
        return 0
    most = cash * RATE_SCALE // (case.price * (RATE_SCALE + case.cost_rate()))
    while most and most * case.price + case.cost(most * case.price) > cash:
        most -= 1
    return max(0, most)


def margin_for_debt(case: Case) -> Cap:
    """The margin of new debt is at most what is available (rulebook 2, `am.use`)."""
    ratio = case.margin_ratio()
    kind = "lending" if case.business == "short_sell" else "financing"
    if kind == "lending" and CLIENT_CLASSES[case.desk.books.accounts.client[case.account]] == PRIVATE_FUND:
        kind = "lending_private_fund"
    free = _within(case, case.margin)
    figures = {
        "available_margin": Money(case.margin),
        "margin_ratio": Line(ratio),
        "price": Money(case.price),
    }
    reason = "the available margin does not suffice"
    return Cap(most_shares(free, case.price, ratio), case.rules.cite(f"margin_{kind}"), reason, figures)


def margin_promised(case: Case) -> Cap | None:
    """While new debt is on order, a purchase of collateral does not spend the margin promised to it: cash
    counts in full, what is bought for it at its haircut.
    """
    if not case.reserved[FINANCING] + case.reserved[LENDING]:
        return None
    counted = case.share_value * max(0, case.security.get(HAIRCUT)) * RATE_SCALE
    spent = case.price * (RATE_SCALE + case.cost_rate()) * RATIO_SCALE - counted
    if spent <= 0:
        return None
    free = max(0, _within(case, case.margin))
    figures = {
        "available_margin": Money(case.margin),
        "price": Money(case.price),
        "value": Money(case.share_value),
        "haircut": Line(case.security.get(HAIRCUT)),
        "costs": Rate(case.cost_rate()),
    }
    reason = "the margin is promised to open orders"
    return Cap(free * RATE_SCALE * RATIO_SCALE // spent, case.rules.cite("margin_financing"), reason, figures)


def margin_that_leaves(case: Case) -> Cap | None:
    """What is withdrawn lies within the available margin, collateral at its haircut."""
    rule = case.rules.cite("withdraw_within_available_margin")
    figures: Figures = {"available_margin": Money(case.margin)}
    free, reason = max(0, _within(case, case.margin)), "the available margin does not suffice"
    if case.business in MONEY_REQUESTS:
        return Cap(free, rule, reason, figures)
    haircut = max(0, case.security.get(HAIRCUT))
    figures |= {"price": Money(case.price), "haircut": Line(haircut)}
    if case.margin < 0:
        return Cap(0, rule, reason, figures)
    if not haircut or not case.price:
        return None
    return Cap(free * RATIO_SCALE // (case.price * haircut), rule, reason, figures)


def ratio_after_withdrawal(case: Case) -> Cap | None:
    """The ratio exceeds the line before, and does not fall below it by the withdrawal."""
    line = case.rules.number("mmr_withdraw_line")
    if line is None:
        return None
    above = case.rules.reads_inclusive("withdraw_above")
    left = room(case.assets, case.debt, line, inclusive=above)
    if left is None:
        return None
    if left and not case.rules.reads_inclusive("withdraw_keeps"):
        left = max(0, _below(left, case.assets * RATIO_SCALE - case.debt * line))
    figures = {
        "assets": Money(case.assets),
        "debt": Money(case.debt),
        "line": Line(line),
        "room": Money(left),
    }
    reason = "the maintenance ratio does not allow it"
    rule = case.rules.cite("mmr_withdraw_line")
    if case.business in MONEY_REQUESTS:
        return Cap(left, rule, reason, figures)
    if not case.price:
        return None if left else Cap(0, rule, reason, figures)
    figures["price"] = Money(case.price)
    return Cap(left // case.price, rule, reason, figures)


def _below(room_left: int, exact: int) -> int:
    """Strictly less than the exact room (1e-4 milli)."""
    return room_left - 1 if exact == room_left * RATIO_SCALE else room_left


def own_cash(case: Case) -> Cap:
    """What is withdrawn is own cash: not short-sale proceeds, not frozen, not promised to other orders."""
    figures = {"own_cash": Money(case.own_cash)}
    rule = case.rules.cite("short_proceeds_withdrawable")
    return Cap(case.own_cash, rule, "more than the account's own free cash", figures)


def proceeds_stay(case: Case) -> Cap | None:
    """Liquid products that short-sale proceeds bought stay in the account as the proceeds would: with the
    cash that is left they are worth no less than what the shorts brought.
    """
    accounts, account = case.desk.books.accounts, case.account
    proceeds = accounts.proceeds[account]
    if case.security.kind != LIQUID or not proceeds or not case.price:
        return None
    cash, liquid = accounts.cash[account] - case.reserved[OWN_CASH], _liquid(case)
    figures = {
        "cash": Money(cash),
        "liquid": Money(liquid),
        "proceeds": Money(proceeds),
        "price": Money(case.price),
    }
    rule = case.rules.cite("short_proceeds_withdrawable")
    reason = "what short-sale proceeds bought stays in the account"
    return Cap(max(0, cash + liquid - proceeds) // case.price, rule, reason, figures)


def _liquid(case: Case) -> int:
    """Value of the liquid products held, less what open requests will take out."""
    books, reservations = case.desk.books, case.desk.reservations
    securities, rows = books.securities, books.positions.rows
    value = sum(
        rows.qty[row] * max(0, securities.get(rows.security[row], VALUE))
        for row in books.positions.run(case.account)
        if rows.qty[row] and securities.kind(rows.security[row]) == LIQUID
    )
    leaving = sum(
        reservations.reserved(row)[LEAVING]
        for row in reservations.of(case.account)
        if reservations.business[row] == _WITHDRAW_SECURITY
        and securities.kind(reservations.security[row]) == LIQUID
    )
    return value - leaving


def cash_to_repay(case: Case) -> Cap:
    """Debt is repaid from own cash, interest and fees from 2015-07-02 on from short-sale proceeds too."""
    owed = case.desk.books.accounts.interest[case.account] if _proceeds_pay_for_more(case) else 0
    fees = min(case.all_cash - case.own_cash, max(0, owed))
    figures = {"own_cash": Money(case.own_cash), "for_interest": Money(fees)}
    rule = case.rules.cite("short_proceeds_use")
    return Cap(case.own_cash + fees, rule, "more than the cash that may repay", figures)


def money_owed(case: Case) -> Cap:
    """No more is repaid than is owed in money, less what open requests will repay."""
    contracts, reservations = case.desk.books.contracts, case.desk.reservations
    owed = 0
    for row in contracts.chain(case.desk.books.accounts.first[case.account]):
        owed += payable_milli(contracts.owed[row])
        if contracts.kind[row] == FINANCING_CONTRACT:
            owed += contracts.base[row]
    pending = sum(
        reservations.left[row]
        for row in reservations.of(case.account)
        if reservations.business[row] == _REPAY
    )
    figures = {"owed": Money(owed), "in_open_orders": Money(pending)}
    rule = case.rules.engine("debt")
    return Cap(max(0, owed - pending), rule, "more than is owed", figures)


# -- lines of credit


def account_credit(case: Case) -> Cap | None:
    """The account's own lines: in total, and for its kind of debt."""
    accounts, account = case.desk.books.accounts, case.account
    lending = case.business == "short_sell"
    lines = (
        (_in_force(case, accounts.credit_total, accounts.credit_until, account), True),
        (
            _in_force(
                case,
                accounts.credit_lending if lending else accounts.credit_financing,
                accounts.credit_until,
                account,
            ),
            False,
        ),
    )
    return _credit(case, [account], lines, "credit", "the account's credit line does not suffice")


def group_credit(case: Case) -> Cap | None:
    """The lines that an account shares with those of its tag; of several members' lines the least."""
    members, accounts = case.groups.of(case.account), case.desk.books.accounts
    lending = case.business == "short_sell"
    column = accounts.group_credit_lending if lending else accounts.group_credit_financing
    until = accounts.group_credit_until
    lines = (
        (_least(_in_force(case, accounts.group_credit_total, until, member) for member in members), True),
        (_least(_in_force(case, column, until, member) for member in members), False),
    )
    return _credit(case, members, lines, "group_credit", "the credit line of the group does not suffice")


def _in_force(case: Case, line: memoryview, until: memoryview, account: int) -> int:
    """A line of an account, -1 where there is none, 0 once it has ended."""
    ended = 0 <= until[account] < case.rules.day
    return 0 if ended and line[account] >= 0 else int(line[account])


def _least(lines: Iterable[int]) -> int:
    return min((line for line in lines if line >= 0), default=-1)


def _credit(
    case: Case, members: list[int], lines: tuple[tuple[int, bool], ...], name: str, reason: str
) -> Cap | None:
    found: Cap | None = None
    for line, whole in lines:
        if line < 0:
            continue
        used = sum(_debt_of(case, member, whole=whole) for member in members)
        figures = {"line": Money(line), "used": Money(used), "price": Money(case.price)}
        kind = "total" if whole else ("lending" if case.business == "short_sell" else "financing")
        rule = case.rules.engine(f"{name}_{kind}")
        cap = Cap(max(0, _within(case, line - used)) // max(1, case.price), rule, reason, figures)
        found = cap if found is None or cap.most < found.most else found
    return found


def _debt_of(case: Case, member: int, *, whole: bool) -> int:
    """Value borrowed by an account, open orders included: principal, and shorts at their sale price."""
    accounts, reserved = case.desk.books.accounts, case.desk.reservations.sums(member)
    financing = accounts.principal[member] + reserved[FINANCING]
    lending = accounts.proceeds[member] + reserved[LENDING]
    if whole:
        return int(financing + lending)
    return int(lending if case.business == "short_sell" else financing)


def firm_client(case: Case) -> Cap | None:
    """One client, all related accounts together, borrows at most a share of the firm's net capital
    (净资本).
    """
    capital = case.rules.number("firm_net_capital")
    kind = "lending" if case.business == "short_sell" else "financing"
    name = f"firm_client_{kind}_share"
    share = case.rules.number(name)
    if capital is None or share is None:
        return None
    line = capital * share // RATIO_SCALE
    used = sum(_debt_of(case, member, whole=False) for member in case.groups.of(case.account))
    figures = {"line": Money(line), "used": Money(used), "net_capital": Money(capital)}
    figures["price"] = Money(case.price)
    most = max(0, _within(case, line - used)) // max(1, case.price)
    return Cap(most, case.rules.cite(name), "the firm's limit of one client does not suffice", figures)


def _within(case: Case, money: int) -> int:
    """What of `money` may be used: all of it, or less than all."""
    return money if case.rules.reads_inclusive("margin_within") else money - 1
