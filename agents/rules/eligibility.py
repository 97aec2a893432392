"""Which securities may be bought on credit or sold short (标的证券): the criteria of rulebook 10, by date.

Exchanges publish lists, and a list always wins; meeting the criteria is necessary, not sufficient. What is
recomputed here serves where no list says anything, and shows what a list's change stems from.
"""

from dataclasses import dataclass

from agents.rules.maturity import months_later
from agents.rules.schedule import Schedule, built_in
from schemas.reference import SecurityReference
from schemas.units import RATIO_SCALE

FINANCING, LENDING = "financing", "lending"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stock as the criteria see it on a day; None where a figure is not known, which meets no criterion.

    Money in milli. Turnover, change and amplitude in 1e-6, averages over the last `eligibility_window_months`
    months, beside those of the benchmark index. `listed` is the day number of its listing; `registered`:
    listed under the registration system (注册制).
    """

    board: str
    listed: int
    float_shares: int | None = None
    float_value: int | None = None
    holders: int | None = None
    turnover: int | None = None
    benchmark_turnover: int | None = None
    daily_value: int | None = None
    change: int | None = None
    benchmark_change: int | None = None
    amplitude: int | None = None
    benchmark_amplitude: int | None = None
    reformed: bool = True
    registered: bool = False
    st: bool = False
    delisting: bool = False


@dataclass(frozen=True, slots=True)
class FundCandidate:
    """An exchange-traded fund as the criteria see it; size and value of the index in milli. `sessions`: how
    many it has traded.
    """

    market: str
    listed: int
    sessions: int
    size: int | None = None
    holders: int | None = None
    index_stocks: int | None = None
    index_value: int | None = None


def underlying(listed: bool | None, unmet: tuple[str, ...] | None) -> bool | None:
    """Whether a security is an underlying: by the published list if it says so or not, else by the criteria
    unmet (None: not recomputed, then nothing is known).
    """
    if listed is not None:
        return listed
    return None if unmet is None else not unmet


def taken_off(reference: SecurityReference, day: int, schedule: Schedule | None = None) -> bool:
    """Whether a security leaves the lists on the day this is said of it: risk warning (ST), delisting."""
    rules = built_in() if schedule is None else schedule
    return any(
        bool(said) and bool(rules.entry(name, day).value)
        for said, name in (
            (reference.st, "eligibility_removed_on_st"),
            (reference.delisting, "eligibility_removed_on_delisting"),
        )
    )


def unmet_by_stock(
    stock: Candidate, business: str, day: int, schedule: Schedule | None = None
) -> tuple[str, ...]:
    """Names of the parameters that a stock does not meet on `day` for `business`; empty: it meets all."""
    rules = built_in() if schedule is None else schedule
    found = []
    if stock.st:
        found.append("eligibility_removed_on_st")
    if stock.delisting:
        found.append("eligibility_removed_on_delisting")
    if found or _from_first_day(stock, rules):
        return tuple(found)
    if day <= months_later(stock.listed, rules.number("eligibility_listed_months", day)):
        found.append("eligibility_listed_months")
    found += _unmet_size(stock, business, day, rules)
    if not stock.reformed:
        found.append("eligibility_reformed")
    return tuple(found + _unmet_trading(stock, day, rules))


def unmet_by_fund(fund: FundCandidate, day: int, schedule: Schedule | None = None) -> tuple[str, ...]:
    """The same for an exchange-traded fund. Shanghai's own criteria replace the general ones once they
    begin.
    """
    rules = built_in() if schedule is None else schedule
    if rules.find("eligibility_etf_size", day) is None:
        return ("eligibility_etf_size",)
    figures: tuple[tuple[str, int | None], ...]
    if fund.market != "SH" or rules.find("eligibility_etf_size_sh", day) is None:
        found = (
            [] if day > _listed_long_enough(fund.listed, day, rules) else ["eligibility_etf_listed_months"]
        )
        figures = (("eligibility_etf_size", fund.size), ("eligibility_etf_holders", fund.holders))
    else:
        found = []
        figures = (
            ("eligibility_etf_listed_sessions_sh", fund.sessions),
            ("eligibility_etf_size_sh", fund.size),
            ("eligibility_etf_holders_sh", fund.holders),
            ("eligibility_etf_index_stocks_sh", fund.index_stocks),
            ("eligibility_etf_index_value_sh", fund.index_value),
        )
    return tuple(found + [name for name, figure in figures if not _at_least(figure, name, day, rules)])


def _listed_long_enough(listed: int, day: int, rules: Schedule) -> int:
    return months_later(listed, rules.number("eligibility_etf_listed_months", day))


def _from_first_day(stock: Candidate, rules: Schedule) -> bool:
    """A registration-based listing is an underlying from its first day where the rule said so."""
    if not stock.registered or stock.board == "bse":
        return False
    entry = rules.find(f"eligibility_from_first_day_{stock.board}", stock.listed)
    return entry is not None and bool(entry.value)


def _at_least(figure: int | None, name: str, day: int, rules: Schedule) -> bool:
    least = rules.number(name, day)
    return figure is not None and (figure > least or (figure == least and rules.inclusive("eligibility_at")))


def _unmet_size(stock: Candidate, business: str, day: int, rules: Schedule) -> list[str]:
    """Float in shares or, instead, in value; shareholders."""
    name = f"eligibility_{business}_float"
    found = []
    enough = _at_least(stock.float_shares, f"{name}_shares", day, rules)
    if not enough and not _at_least(stock.float_value, f"{name}_value", day, rules):
        found.append(f"{name}_shares")
    if not _at_least(stock.holders, "eligibility_holders", day, rules):
        found.append("eligibility_holders")
    return found


def _unmet_trading(stock: Candidate, day: int, rules: Schedule) -> list[str]:
    """Turnover, mean change and amplitude of the window beside the benchmark's."""
    found = []
    if _thinly_traded(stock, day, rules):
        found.append("eligibility_turnover_share")
    if stock.change is None or stock.benchmark_change is None:
        found.append("eligibility_deviation")
    else:
        apart = abs(stock.change - stock.benchmark_change) * RATIO_SCALE
        line = rules.number("eligibility_deviation", day) * 1_000_000
        if apart > line or (apart == line and rules.inclusive("deviation_above")):
            found.append("eligibility_deviation")
    if stock.amplitude is None or stock.benchmark_amplitude is None:
        found.append("eligibility_volatility_multiple")
    else:
        line = rules.number("eligibility_volatility_multiple", day) * stock.benchmark_amplitude
        if stock.amplitude > line or (stock.amplitude == line and rules.inclusive("volatility_above")):
            found.append("eligibility_volatility_multiple")
    return found


def _thinly_traded(stock: Candidate, day: int, rules: Schedule) -> bool:
    """Turnover below a share of the benchmark's and, where the rule says so, too little value a day."""
    if stock.turnover is None or stock.benchmark_turnover is None:
        return True
    inclusive = rules.inclusive("turnover_below")
    own = stock.turnover * RATIO_SCALE
    line = stock.benchmark_turnover * rules.number("eligibility_turnover_share", day)
    low = own < line or (inclusive and own == line)
    least = rules.entry("eligibility_turnover_value", day).value
    if not low or not isinstance(least, int):
        return low
    value = stock.daily_value
    return value is None or value < least or (inclusive and value == least)
