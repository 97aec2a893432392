"""Checks that no quantity overcomes: where, what, and in which state an account may trade at all.

Each takes a case and returns an objection or None; the order in which they are asked stands in
`agents.gate.checks`.
"""

from __future__ import annotations

from agents.gate.case import Case
from agents.gate.findings import Objection
from agents.kernels import layout as at
from agents.margin.episodes import NOTICE, STATE_NAMES
from agents.rules.venues import venue_kind, venue_named, venue_of
from schemas.alerts import LEVELS
from schemas.units import format_day

REFINANCING = "refinancing"
"""The lender that stands for securities borrowed through refinancing (转融券)."""


def venue(case: Case) -> Objection | None:
    """Only venues of the dated allow-list; what the order names, else the exchange of the security."""
    home = venue_of(case.order.security or "")
    named = case.order.venue
    place = home if named is None else venue_named(named)
    kinds = case.rules.texts("venue_kinds_blocked") or ()
    figures = {"venue": named or home}
    if venue_kind(place) in kinds:
        rule = case.rules.cite("venue_kinds_blocked")
        return Objection(rule, f"venues of the kind {venue_kind(place)} are closed to the account", figures)
    allowed = case.rules.texts("venues_allowed") or ()
    if place not in allowed:
        figures["allowed"] = " ".join(allowed)
        return Objection(case.rules.cite("venues_allowed"), "the venue is not on the day's list", figures)
    if place != home:
        return Objection(
            case.rules.cite("venues_allowed"), "the security is not traded at this venue", figures
        )
    return None


def lender(case: Case) -> Objection | None:
    """A lender that is named must be licensed on the day; refinanced securities end with refinancing."""
    named = case.order.lender
    if named is None:
        return None
    if named.lower() == REFINANCING and case.business == "short_sell":
        if case.rules.value("short_refinancing") is True:
            return None
        return Objection(case.rules.cite("short_refinancing"), "securities are not refinanced on this day")
    licensed = case.rules.texts("lenders_licensed")
    if licensed is None or named not in licensed:
        reason = "the lender is not a securities company with margin authority"
        return Objection(case.rules.cite("lenders_licensed"), reason, {"lender": named})
    return None


def known(case: Case) -> Objection | None:
    """Nothing is traded of which nobody has said anything."""
    if case.paper is not None:
        return None
    return Objection(case.rules.engine("security_known"), "nothing is known of the security")


def held(case: Case) -> Objection | None:
    """Who sells, withdraws or returns must have something to."""
    paper = case.security
    if case.business == "buy_to_return":
        some, reason = paper.short, "none of the security is borrowed"
    else:
        some, reason = paper.held, "none of the security is held"
    return None if some > 0 else Objection(case.rules.engine("position"), reason, {"held": paper.held})


def suspended(case: Case) -> Objection | None:
    """No orders in a security that is suspended for the day (rulebook 16.3)."""
    if not case.security.suspended():
        return None
    figures = {}
    since = case.security.get(at.SUSPENDED_SINCE)
    if since >= 0:
        figures["since"] = format_day(since)
    return Objection(case.rules.engine("suspended"), "the security is suspended", figures)


def delisting(case: Case) -> Objection | None:
    """What is being delisted is sold, not bought on credit."""
    if not case.security.delisting:
        return None
    rule = case.rules.cite("eligibility_removed_on_delisting")
    return Objection(rule, "the security is in its delisting period")


def listed(case: Case) -> Objection | None:
    """Only what the dated list of underlying securities (标的证券) names is financed or lent."""
    financing = case.business == "financing_buy"
    said = case.security.get(at.FINANCING_LISTED if financing else at.LENDING_LISTED)
    if said == 1:
        return None
    word = "financing" if financing else "lending"
    reason = f"the security is not on the list of underlying securities for {word}"
    return Objection(case.rules.engine("listed"), reason, {"listed": "no" if said == 0 else "never said"})


def halted(case: Case) -> Objection | None:
    """New debt in a security is halted by its exchange (rulebook 5.1); everything else stays allowed."""
    financing = case.business == "financing_buy"
    if case.security.get(at.FINANCING_HALTED if financing else at.LENDING_HALTED) != 1:
        return None
    kind = "etf" if case.security.kind == "etf" else "stock"
    word = "financing" if financing else "lending"
    return Objection(case.rules.cite(f"limit_{kind}"), f"{word} in the security is halted")


def custody(case: Case) -> Objection | None:
    """Books and custodian disagree: no withdrawal and no new debt (rulebook 13.6)."""
    if not case.desk.books.accounts.custody_break[case.account]:
        return None
    return Objection(case.rules.engine("custody_break"), "the custodian's statement differs from the books")


def open_call(case: Case) -> Objection | None:
    """Which calls and levels block new debt is the broker's choice (rulebook 7.2)."""
    choice = case.rules.value("topup_blocks_new_debt")
    if choice == "none":
        return None
    desk, rule = case.desk, case.rules.cite("topup_blocks_new_debt")
    row = desk.books.accounts.episode[case.account]
    if row >= 0 and desk.episodes.state[row] != NOTICE:
        figures = {"episode": desk.episode_name(row), "state": STATE_NAMES[desk.episodes.state[row]]}
        return Objection(rule, "a call of the account is open", figures)
    level = desk.books.accounts.hot[case.account * at.HOT_WIDTH + at.LEVEL]
    if choice == "warn" and level >= at.WARN:
        return Objection(rule, "the maintenance ratio is below the warn line", {"level": LEVELS[level]})
    return None


def priced(case: Case) -> Objection | None:
    """An account that cannot be valued takes no new debt and gives nothing out."""
    if not case.blind:
        return None
    return Objection(case.rules.engine("unpriced"), "something in the account has no price")


def owes(case: Case) -> Objection | None:
    """Who repays must owe money."""
    accounts, account = case.desk.books.accounts, case.account
    if accounts.principal[account] + accounts.interest[account] + accounts.owed_cash[account] > 0:
        return None
    return Objection(case.rules.engine("debt"), "the account owes no money")
