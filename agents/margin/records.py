"""Records of margin.ratios and margin.calls as they are published (contract section 3)."""

from __future__ import annotations

from typing import Any

from agents.books.accounts import Accounts
from agents.kernels.layout import HOT_WIDTH as WIDTH
from agents.kernels.layout import SHOWN, UNPRICED
from agents.kernels.levels import beyond_bounds
from agents.margin.desk import Desk
from agents.margin.episodes import RATIO
from agents.margin.evidence import available, evidence, last_close_change, shown_ratio, unpriced
from agents.margin.obligations import liquidation_after, owed
from agents.rules.presets import Preset
from agents.rules.topup import shortfall_milli
from schemas.alerts import CALL_REASONS, LEVELS
from schemas.topics import MARGIN_CALLS, MARGIN_RATIOS
from schemas.units import format_day, format_line, format_money

Record = dict[str, Any]

BOUNDS_FLAG = "bounds"
_LEAST, _MOST = -(2**63), 2**63 - 1
_STILL_SHORT = frozenset(
    {"called", "partly_met", "expired", "immediate", "below_min", "warned", "liquidating"}
)


def tell_ratio(
    desk: Desk,
    account: int,
    ts: int,
    *,
    settled: bool,
    margin: int | None = None,
    change: int | None = None,
) -> bool:
    """Publishes the account's latest state; at a second `settled` of a day only if it differs from the
    first's. Returns whether it did. `margin` and `change`: its available margin and `last_close_change`, if
    known.
    """
    accounts = desk.books.accounts
    assets, debt = accounts.assets(account), accounts.debt(account)
    shown = accounts.hot[account * WIDTH + SHOWN]
    free = available(desk.books, [account])[0] if margin is None else margin
    if change is None:
        change = last_close_change(desk.books, account)
    now = (desk.books.day, int(settled), shown, assets, debt, free, change)
    if settled and now == _told(accounts, account):
        return False
    accounts.told_date[account], accounts.told_settled[account], accounts.told_shown[account] = now[:3]
    accounts.told_assets[account], accounts.told_debt[account] = _stored(assets), _stored(debt)
    accounts.told_margin[account], accounts.told_last_close[account] = _stored(free), _stored(change)
    name = accounts.names[account]
    desk.say(
        MARGIN_RATIOS, name, ratio_record(desk, account, ts, settled=settled, margin=free, change=change)
    )
    return True


def _told(accounts: Accounts, account: int) -> tuple[int, ...]:
    """What the account's latest record said."""
    return (
        accounts.told_date[account],
        accounts.told_settled[account],
        accounts.told_shown[account],
        accounts.told_assets[account],
        accounts.told_debt[account],
        accounts.told_margin[account],
        accounts.told_last_close[account],
    )


def _stored(value: int) -> int:
    """Kept only to be compared; beyond int64 it is cut."""
    return value if _LEAST <= value <= _MOST else max(_LEAST, min(value, _MOST))


def ratio_record(desk: Desk, account: int, ts: int, *, settled: bool, margin: int, change: int) -> Record:
    """The value of a margin.ratios record."""
    accounts = desk.books.accounts
    assets, debt = accounts.assets(account), accounts.debt(account)
    shown = accounts.hot[account * WIDTH + SHOWN]
    record: Record = {
        "account": accounts.names[account],
        "ts": ts,
        "date": format_day(desk.books.day),
        "level": LEVELS[shown],
        "ratio": None if shown == UNPRICED else shown_ratio(assets, debt),
    }
    if change:
        record["ratio_last_close"] = shown_ratio(assets + change, debt)
    record["assets"] = format_money(assets)
    record["debt"] = format_money(debt)
    record["available_margin"] = format_money(margin)
    flags = desk.flags(account)
    if shown == UNPRICED:
        missing = unpriced(desk.books, account)
        if missing:
            record["unpriced"] = missing
        if not missing or beyond_bounds.py_func(assets, debt):
            flags.append(BOUNDS_FLAG)
            del record["available_margin"]
    record["settled"] = settled
    if flags:
        record["flags"] = flags
    return record


def lines_of(preset: Preset) -> Record:
    """The lines of a preset as they are published."""
    return {
        "warn": format_line(preset.warn),
        "min": format_line(preset.min),
        "immediate": None if preset.immediate is None else format_line(preset.immediate),
        "target": format_line(preset.target),
        "rearm": format_line(preset.rearm),
    }


def tell_call(desk: Desk, row: int, event: str, ts: int, **more: Any) -> str:
    """Publishes one more step of an episode; returns the record's id."""
    episodes, accounts = desk.episodes, desk.books.accounts
    episodes.step[row] += 1
    account, episode = episodes.account[row], desk.episode_name(row)
    preset = desk.preset(account)
    assets, debt = accounts.assets(account), accounts.debt(account)
    missing = shortfall_milli(assets, debt, preset.target) if event in _STILL_SHORT else 0
    record: Record = {
        "id": f"{episode}:{episodes.step[row]}",
        "account": accounts.names[account],
        "episode": episode,
        "step": episodes.step[row],
        "event": event,
        "reason": CALL_REASONS[episodes.reason[row]],
        "ts": ts,
        "date": format_day(desk.books.day),
        "preset": preset.name,
        "lines": lines_of(preset),
        "ratio": shown_ratio(assets, debt),
        **_last_close(desk, account, assets, debt),
        "assets": format_money(assets),
        "debt": format_money(debt),
        "shortfall": format_money(missing),
        **obligations_of(desk, account, row),
        **_deadline(desk, row),
        "evidence": evidence(desk.books, account),
        "rule": preset.rule,
        **more,
    }
    flags = desk.flags(account) + record.get("flags", [])
    if flags:
        record["flags"] = flags
    command = episodes.commands.pop(row, None)
    if command is not None:
        record["command"] = {"id": command[0], "by": command[1]}
    desk.say(MARGIN_CALLS, accounts.names[account], record)
    return str(record["id"])


def _last_close(desk: Desk, account: int, assets: int, debt: int) -> Record:
    """The ratio at last prices, where another valuation is in force."""
    change = last_close_change(desk.books, account)
    return {"ratio_last_close": shown_ratio(assets + change, debt)} if change else {}


def obligations_of(desk: Desk, account: int, row: int) -> Record:
    """What must be paid or returned whatever the ratio, while that is demanded."""
    what = owed(desk, account) if desk.episodes.obliged[row] else None
    if not what:
        return {}
    contracts = desk.books.contracts
    names = sorted(contracts.names[contract] for contract in what.loans | what.contracts)
    return {"obligations": {"reason": what.reason, "money": format_money(what.money), "contracts": names}}


def _deadline(desk: Desk, row: int) -> Record:
    """Deadlines in trading days after the call or maturity; a date only once that trading day has begun."""
    episodes = desk.episodes
    if episodes.at_once[row]:
        return {"deadline": "T", "deadline_date": format_day(desk.books.day), "liquidate_from": "T"}
    if episodes.reason[row] == RATIO:
        called, (cure, start) = episodes.called_index[row], desk.cure_days(row)
    else:
        called, cure, start = episodes.obliged_index[row], 0, liquidation_after(desk)
    cure, start = cure + episodes.extra_days[row], start + episodes.extra_days[row]
    record: Record = {"deadline": _day_t(cure)}
    date = desk.calendar.date_of(called + cure) if called >= 0 else -1
    if date >= 0:
        record["deadline_date"] = format_day(date)
    record["liquidate_from"] = _day_t(start)
    return record


def _day_t(days: int) -> str:
    return f"T+{days}" if days else "T"
