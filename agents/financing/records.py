"""Records the financing core publishes: a security's balances, the figures behind a signal, the end of a
day.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.core import Output
from agents.financing.days import DayTotals
from agents.financing.figures import Balances, MarketFigures
from agents.financing.halts import FINANCING, Signal
from agents.rules.halt_lines import HALT, REMIND, RESUME
from schemas.topics import FIRM_TOTALS
from schemas.units import RATE_SCALE, format_day, format_money, format_ratio

PART = 500
"""Securities in one record of the firm's totals."""
SHOWN_BREAKS = 20
"""How many broken identities a day's closing record names; it counts them all."""


def balance_record(
    security: str, day: int, own: Balances, close: int | None, float_shares: int | None
) -> dict[str, Any]:
    """The value of `financing.balances` but for `ts`. `close` in milli; without one `lending_value` is null
    unless nothing is lent. `collateral_share` is the own share of the tradable float.
    """
    value = own.lending_qty * close if close is not None else None if own.lending_qty else 0
    return {
        "security": security,
        "date": format_day(day),
        "financing_balance": format_money(own.financing_balance),
        "lending_qty": own.lending_qty,
        "lending_value": None if value is None else format_money(value),
        "credit_holding_qty": own.credit_holding_qty,
        "collateral_share": format_ratio(own.credit_holding_qty, float_shares) if float_shares else None,
        "accounts": own.accounts,
        "buys": format_money(own.buys),
        "repayments": format_money(own.repayments),
        "short_sales": own.short_sales,
        "returns": own.returns,
        "final": True,
    }


def firm_totals(
    day: int,
    ts: int,
    times: int,
    holdings: Sequence[tuple[str, int]],
    float_shares: Mapping[str, int | None] | None,
) -> list[Output]:
    """What the firm's credit accounts hold of each security in parts, for the shards: security -> [shares,
    share of the tradable float in 1e-6, rounded down].

    `float_shares` is given where the firm's accounts are the whole market, so that its share counts as the
    market's; `times`: how often the day was published.
    """
    date = format_day(day)
    outputs = []
    for part, start in enumerate(range(0, len(holdings), PART)):
        securities = {}
        for security, held in holdings[start : start + PART]:
            shares = float_shares.get(security) if float_shares is not None else None
            securities[security] = [held, held * RATE_SCALE // shares if shares else None]
        record = {"id": f"{date}:{times}:{part}", "ts": ts, "date": date, "securities": securities}
        outputs.append(Output(FIRM_TOTALS, str(part), record))
    return outputs


def _money(milli: int | None) -> str | None:
    return None if milli is None else format_money(milli)


def shown_figures(business: str, figures: MarketFigures, *, smaller: bool) -> dict[str, Any]:
    """What an indicator was computed from, for a reader with a calculator."""
    if business == FINANCING:
        return {
            "financing_balance": _money(figures.financing_balance),
            "credit_holding_value": _money(figures.credit_holding_value),
            "float_value": _money(figures.float_value),
            "definition": "min(financing_balance, credit_holding_value) / float_value"
            if smaller
            else "financing_balance / float_value",
        }
    return {
        "lending_qty": figures.lending_qty,
        "float_shares": figures.float_shares,
        "definition": "lending_qty / float_shares",
    }


def day_final(
    day: int,
    ts: int,
    totals: DayTotals,
    balances: Mapping[str, Balances],
    signals: Sequence[Signal],
    breaks: Sequence[str],
) -> dict[str, Any]:
    """The `system.events` record after which nothing of the day changes unless `settled` comes again."""
    date = format_day(day)
    counted = {
        name: sum(signal.signal == kind for signal in signals)
        for name, kind in (("halts", HALT), ("resumes", RESUME), ("reminds", REMIND))
    }
    lent = [
        (own.lending_qty, totals.closes.get(security))
        for security, own in balances.items()
        if own.lending_qty
    ]
    return {
        "id": f"day_final:{date}" if totals.finals == 1 else f"day_final:{date}:{totals.finals}",
        "ts": ts,
        "kind": "day_final",
        "date": date,
        "text": f"{date} is final: {len(balances)} securities of {len(totals.reports)} shards",
        "figures": {
            "shards": len(totals.reports),
            "securities": len(balances),
            "financing_balance": format_money(sum(own.financing_balance for own in balances.values())),
            "lending_value": format_money(sum(qty * close for qty, close in lent if close is not None)),
            "without_price": sum(close is None for _, close in lent),
            "buys": format_money(sum(own.buys for own in balances.values())),
            "repayments": format_money(sum(own.repayments for own in balances.values())),
            **counted,
            "identity_breaks": len(breaks),
            "identity_broken": list(breaks[:SHOWN_BREAKS]),
        },
    }
