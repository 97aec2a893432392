"""Caps in shares: what may be sold, returned, borrowed, and in which lots (rulebook 6, 7.5)."""

from __future__ import annotations

from agents.books.contracts import FINANCING, LENDING
from agents.books.securities import SHORT_SALES
from agents.gate.case import Case
from agents.gate.findings import Cap, Figures, Line
from agents.gate.forced import forced_sales
from agents.gate.reservations import BUYING, RETURNING, SELLING
from agents.kernels.layout import FIRM_HELD, FLOAT_SHARES, LENDABLE
from agents.rules.lots import is_legal_buy, is_legal_sale, round_down
from agents.rules.values import Lot
from schemas.orders import ORDER_BUSINESSES
from schemas.units import RATIO_SCALE

_LEAVE = frozenset({"collateral_sell", "withdraw_security"})


def largest_order(case: Case) -> Cap | None:
    """The largest order of the board, limit or market."""
    paper = case.security
    most, rule = paper.lot.maximum, paper.lot_rule
    if case.order.order_type == "market" and paper.lot_rule == f"lot_{paper.board}":
        rule = f"market_order_max_{paper.board}"
        most = case.rules.number(rule) or most
    reason = "more than one order may be for"
    return Cap(most, case.rules.cite(rule), reason, {"largest_order": most})


def held(case: Case) -> Cap | None:
    """No more than is held."""
    paper = case.security
    return Cap(paper.held, case.rules.engine("position"), "more than is held", {"held": paper.held})


def not_frozen(case: Case) -> Cap | None:
    """Frozen shares are neither sold nor withdrawn."""
    paper = case.security
    if not paper.frozen:
        return None
    figures = {"held": paper.held, "frozen": paper.frozen}
    return Cap(max(0, paper.held - paper.frozen), case.rules.engine("frozen"), "the rest is frozen", figures)


def not_bought_today(case: Case) -> Cap | None:
    """T+1: what was bought or moved in today is sellable from the next trading day."""
    paper = case.security
    if not paper.locked:
        return None
    figures = {"held": paper.held, "bought_today": paper.locked, "sellable": paper.sellable}
    return Cap(
        paper.sellable, case.rules.engine("t_plus_1"), "the rest was bought or moved in today", figures
    )


def not_reserved(case: Case) -> Cap | None:
    """What open orders will sell is not sold twice."""
    selling = _selling(case)
    if not selling:
        return None
    figures = {"sellable": case.security.sellable, "in_open_orders": selling}
    most = max(0, case.security.sellable - selling)
    return Cap(most, case.rules.engine("reserved"), "the rest is in open orders", figures)


def not_financed(case: Case) -> Cap | None:
    """Shares that a financing contract bought and that are unpaid are sold to repay (卖券还款), not otherwise
    sold or withdrawn.
    """
    financed = unpaid_shares(case)
    if not financed:
        return None
    paper, reservations = case.security, case.desk.reservations
    leaving = sum(
        reservations.left[row]
        for row in reservations.of(case.account)
        if reservations.security[row] == paper.row and ORDER_BUSINESSES[reservations.business[row]] in _LEAVE
    )
    figures = {"held": paper.held, "financed": financed}
    if leaving:
        figures["in_open_orders"] = leaving
    reason = "financed shares are sold to repay their debt first"
    return Cap(
        max(0, paper.held - financed - leaving), case.rules.cite("sell_to_repay_first"), reason, figures
    )


def unpaid_shares(case: Case) -> int:
    """Held shares of the security that financing contracts bought and that are unpaid."""
    contracts, row = case.desk.books.contracts, case.security.row
    chain = contracts.chain(case.desk.books.accounts.first[case.account])
    unpaid = sum(
        contracts.qty[contract]
        for contract in chain
        if contracts.kind[contract] == FINANCING and contracts.security[contract] == row
    )
    return min(unpaid, case.security.held)


def borrowed(case: Case) -> Cap | None:
    """No more is returned than is borrowed, less what open orders will return."""
    paper = case.security
    returning = case.desk.reservations.shares(case.account, paper.row)[RETURNING]
    figures = {"borrowed": paper.short, "in_open_orders": returning}
    return Cap(
        max(0, paper.short - returning), case.rules.engine("borrowed"), "more than is borrowed", figures
    )


def returnable(case: Case) -> Cap | None:
    """What was sold short today is returned from the next trading day (from 2015-08-04)."""
    desk, paper = case.desk, case.security
    contracts = desk.books.contracts
    lent = [
        row
        for row in contracts.chain(desk.books.accounts.first[case.account])
        if contracts.kind[row] == LENDING and contracts.security[row] == paper.row
    ]
    fresh = sum(contracts.qty[row] - desk.books.returnable(row) for row in lent)
    if not fresh:
        return None
    returning = desk.reservations.shares(case.account, paper.row)[RETURNING]
    figures = {"borrowed": paper.short, "sold_today": fresh}
    if returning:
        figures["in_open_orders"] = returning
    rule = case.rules.cite("short_return_min_sessions_after_sale")
    reason = "what was sold short today is returned from the next trading day on"
    return Cap(max(0, paper.short - fresh - returning), rule, reason, figures)


def lendable(case: Case) -> Cap | None:
    """Naked short sales are prohibited: no more than the firm has to lend, less what today's sales took."""
    paper = case.security
    stock = paper.get(LENDABLE)
    if stock < 0:
        return None
    taken = case.desk.books.securities.flows[paper.row * 4 + SHORT_SALES]
    promised = case.desk.reservations.lent(paper.row)
    figures = {"lendable": stock, "lent_today": taken, "in_open_orders": promised}
    return Cap(
        max(0, stock - taken - promised), case.rules.engine("lendable"), "more than there is to lend", figures
    )


def firm_collateral(case: Case) -> Cap | None:
    """The firm accepts of one stock a share of its float, by the holdings of the last settled day."""
    paper, share = case.security, case.rules.number("firm_single_collateral_share")
    float_shares, firm = paper.get(FLOAT_SHARES), paper.get(FIRM_HELD)
    if share is None or float_shares <= 0 or firm < 0 or paper.kind != "stock":
        return None
    buying = case.desk.reservations.shares(case.account, paper.row)[BUYING]
    figures: Figures = {"float_shares": float_shares, "held_by_the_firm": firm, "in_open_orders": buying}
    figures["allowed"] = Line(share)
    reason = "the firm would hold too much of the stock as collateral"
    most = max(0, float_shares * share // RATIO_SCALE - firm - buying)
    return Cap(most, case.rules.cite("firm_single_collateral_share"), reason, figures)


# -- lots


def legal_buy(case: Case, most: int) -> int:
    """The largest legal purchase or short sale of at most `most` shares."""
    return round_down(case.security.lot, most)


def legal_sale(case: Case, most: int) -> int:
    """The largest legal sale of at most `most` shares: lots, or everything sellable with its odd
    remainder.
    """
    everything = _sellable(case)
    return everything if most >= everything else round_down(case.security.lot, most)


def is_legal(case: Case) -> bool:
    """Whether the wanted quantity, which no cap forbids, is a legal size."""
    rule, qty = case.security.lot, case.wanted
    rule = Lot(rule.minimum, rule.step, max(rule.maximum, qty))
    if case.business in ("collateral_sell", "sell_to_repay", "withdraw_security"):
        return is_legal_sale(rule, qty, _sellable(case))
    return is_legal_buy(rule, qty)


def _sellable(case: Case) -> int:
    return max(0, case.security.sellable - _selling(case))


def _selling(case: Case) -> int:
    """Shares that open requests and forced orders will sell."""
    account, security = case.account, case.security.row
    promised = case.desk.reservations.shares(account, security)[SELLING]
    return promised + forced_sales(case.desk, account, security)
