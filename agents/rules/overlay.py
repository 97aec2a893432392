"""A broker's own file laid over the built-in schedule, and what it must not contradict.

The file has the form of `schedule.yaml`: entries of parameters hold from their first day on in place of the
built-in ones, boundaries and presets are added or replaced. It may be stricter than the exchange, never
laxer (rulebook 1.2 `line.adjustable`, 3.1, 4 `h.broker`; CSRC measures Art. 27): a ratio below the exchange's
minimum or a haircut above its cap is refused with its place.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from agents.rules.presets import versions_of
from agents.rules.schedule import Entry, Parameter, Schedule, read_parameter, read_parts
from agents.rules.values import ScheduleError
from schemas.units import format_day

NOT_BELOW, NOT_ABOVE = "not below", "not above"

_STRICTER = {
    "mmr_floor_exchange": NOT_BELOW,
    "mmr_withdraw_line": NOT_BELOW,
    "topup_deadline_trading_days_max": NOT_ABOVE,
    "topup_target_min": NOT_BELOW,
    "margin_financing": NOT_BELOW,
    "margin_lending": NOT_BELOW,
    "margin_lending_private_fund": NOT_BELOW,
    "haircut_index_stock": NOT_ABOVE,
    "haircut_other_stock": NOT_ABOVE,
    "haircut_etf": NOT_ABOVE,
    "haircut_treasury": NOT_ABOVE,
    "haircut_other_fund_bond": NOT_ABOVE,
    "haircut_warrant": NOT_ABOVE,
    "haircut_st": NOT_ABOVE,
    "haircut_listing_suspended": NOT_ABOVE,
    "haircut_delisting": NOT_ABOVE,
    "haircut_cash_product": NOT_ABOVE,
    "haircut_bse_index_stock": NOT_ABOVE,
    "haircut_bse_other_stock": NOT_ABOVE,
    "haircut_bse_etf": NOT_ABOVE,
    "haircut_bse_treasury": NOT_ABOVE,
    "haircut_bse_cash_product": NOT_ABOVE,
    "haircut_bse_other_fund_bond": NOT_ABOVE,
    "haircut_pe_zero_from": NOT_ABOVE,
    "haircut_pe_negative_zero": NOT_BELOW,
    "short_uptick": NOT_BELOW,
    "short_uptick_own_shares": NOT_BELOW,
    "short_market_orders": NOT_ABOVE,
    "short_return_min_sessions_after_sale": NOT_BELOW,
    "contract_term_max_months": NOT_ABOVE,
    "contract_extension_max_months": NOT_ABOVE,
    "firm_client_financing_share": NOT_ABOVE,
    "firm_client_lending_share": NOT_ABOVE,
    "firm_single_collateral_share": NOT_ABOVE,
    "firm_total_multiple": NOT_ABOVE,
}
"""Parameters whose built-in value bounds the broker: on which side of it a broker's value may lie; of a flag,
`true` lies above `false`.
"""


def overlay(base: Schedule, text: str) -> Schedule:
    """`base` with a broker's file over it. Raises ScheduleError with the place of the first fault; `base`
    stays as it is.
    """
    parts = read_parts(text)
    if parts["sections"]:
        raise ScheduleError("sections: titles of the rulebook are not a broker's to change")
    unknown = set(parts["boundary"]) - set(base.boundary)
    if unknown:
        raise ScheduleError(f"boundary.{min(unknown)}: there is no such boundary")
    parameters = dict(base.parameters)
    for name, raw in parts["parameters"].items():
        parameters[name] = _over(base, name, raw)
    presets = base.presets | {
        name: _preset_versions(base.presets.get(name), name, raw) for name, raw in parts["presets"].items()
    }
    return Schedule(parameters, base.boundary | parts["boundary"], presets, base.sections)


def _over(base: Schedule, name: str, raw: Any) -> Parameter:
    known = base.parameters.get(name)
    if known is None:
        raise ScheduleError(f"parameters.{name}: there is no such parameter")
    if known.stated:
        raise ScheduleError(f"parameters.{name}: is only stated, nothing acts on it")
    own = read_parameter(name, raw, known)
    _check_bounds(known, own)
    first = own.entries[0].since
    kept = [entry for entry in known.entries if entry.since < first]
    if kept and (kept[-1].until or first) >= first:
        kept[-1] = replace(kept[-1], until=None)
    if kept and kept[-1].until is not None and kept[-1].until + 1 < first and not known.gaps:
        raise ScheduleError(f"parameters.{name}[0]: gap after {format_day(kept[-1].until)}")
    return replace(known, entries=(*kept, *own.entries))


def _preset_versions(known: Any, name: str, raw: Any) -> Any:
    """The YAML of a preset's versions: from the first day of the file's, the file's alone."""
    own = versions_of(name, raw)
    if known is None:
        return raw
    kept = known if isinstance(known, list) else [known]
    before = [
        part
        for part, version in zip(kept, versions_of(name, kept), strict=True)
        if version.valid_from < own[0].valid_from
    ]
    return [*before, *(raw if isinstance(raw, list) else [raw])]


def _check_bounds(known: Parameter, own: Parameter) -> None:
    """At every day on which either of them changes, the broker's value lies on the strict side."""
    side = _STRICTER.get(known.name)
    if side is None:
        return
    theirs, first = Schedule({known.name: known}, {}, {}), own.entries[0].since
    ours = Schedule({own.name: own}, {}, {})
    days = {entry.since for entry in (*known.entries, *own.entries) if entry.since >= first}
    for day in sorted(days):
        said, value = theirs.find(known.name, day), ours.find(own.name, day)
        bound = None if said is None else said.value
        if isinstance(bound, int) and value is not None and not _within(value.value, bound, side):
            place = own.entries.index(value)
            raise ScheduleError(
                f"parameters.{own.name}[{place}]: must lie {side} the exchange's on {format_day(day)}"
                f" ({theirs.entry(known.name, day).rule})"
            )


def _within(value: object, bound: int, side: str) -> bool:
    if not isinstance(value, int):
        return False
    return value >= bound if side == NOT_BELOW else value <= bound


def differences(
    schedule: Schedule, earlier: int, later: int
) -> Iterable[tuple[Parameter, Entry | None, Entry | None]]:
    """Parameters that say something else on one day than on the other, with both entries, in their order."""
    for name, parameter in schedule.parameters.items():
        before, after = schedule.find(name, earlier), schedule.find(name, later)
        if before != after:
            yield parameter, before, after
