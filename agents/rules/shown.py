"""A dated value as text, in the units in which it is written in the schedule."""

from agents.rules.values import (
    Breaker,
    CageWidth,
    ConcentrationGate,
    Lines,
    Lot,
    MarginAddOn,
    StockHalt,
    Tier,
    Value,
    Window,
)
from schemas.units import format_line, format_minute, format_money, format_rate

ABSENT = "—"
"""No rule in force, or none of the exchange: the contract or the broker decides."""


def _yuan(milli: int) -> str:
    whole, _, fraction = format_money(milli).partition(".")
    return f"{int(whole):,}.{fraction}"


_NUMBERS = {"ratio": format_line, "rate": format_rate, "money": _yuan}


def shown(kind: str, value: Value) -> str:
    """`value` of a parameter of type `kind`, for people: `1.30`, `09:30-11:30`, `below 1.80: 0.50`."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return format_minute(value) if kind == "time" else _NUMBERS.get(kind, "{:,}".format)(value)
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(_one(part) for part in value) or "none"
    return _one(value)


def _one(value: object) -> str:
    match value:
        case Tier(mmr, including, share):
            return f"{'up to' if including else 'below'} {format_line(mmr)}: {format_line(share)}"
        case Window(start, end):
            return f"{format_minute(start)}-{format_minute(end)}"
        case Lot(minimum, step, maximum):
            return f"from {minimum:,} by {step:,} to {maximum:,}"
        case CageWidth(width, ticks):
            return f"{format_line(width)}" + (f", at least {ticks} ticks" if ticks else "")
        case Lines(suspend, resume, remind):
            return (
                f"suspend {format_line(suspend)}, resume {format_line(resume)}, remind {format_line(remind)}"
            )
        case StockHalt(moves, minutes, until):
            return f"{', '.join(map(format_line, moves))}: {minutes} minutes, until {format_minute(until)}"
        case Breaker(first, minutes, to_close, second):
            return (
                f"{format_line(first)}: {minutes} minutes, from {format_minute(to_close)} to the close;"
                f" {format_line(second)}: to the close"
            )
        case ConcentrationGate():
            return _gate(value)
        case MarginAddOn():
            return _addon(value)
    return str(value)


def _gate(gate: ConcentrationGate) -> str:
    negative = " or negative" if gate.negative else ""
    return (
        f"ratio {format_line(gate.security_ratio)}, share {format_line(gate.client_share)},"
        f" mmr {format_line(gate.mmr)}, P/E {gate.pe_from}{negative}"
    )


def _addon(addon: MarginAddOn) -> str:
    base = format_line(addon.base)
    if addon.formula == "fixed":
        return base
    if addon.formula == "over_minimum":
        return f"minimum + (1 - haircut) + {base}"
    least = f", at least {format_line(addon.least)}" if addon.least else ""
    return f"{base} - haircut{least}"
