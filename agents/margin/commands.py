"""Operators' commands on accounts and open episodes (contract section 2, `commands`).

Every shard reads every command; what concerns no account of this shard changes nothing. The next record of
a changed alert names the command.
"""

from __future__ import annotations

from agents.kernels.layout import FLAGS, HOT_WIDTH
from agents.margin.calls import Calls
from agents.margin.desk import Desk, Moment
from agents.margin.episodes import (
    AT_ONCE,
    CALLED,
    EXPIRED,
    FREEZE,
    LIQUIDATING,
    NOT_PURSUED,
    PURSUED,
)
from agents.margin.liquidation import Liquidation
from agents.margin.records import tell_call
from agents.margin.snapshots import ACKNOWLEDGED, tell_evidence
from agents.rules.presets import INTRADAY
from schemas.commands import Command
from schemas.errors import BadRecord

EVERYBODY = "*"


def obey(desk: Desk, calls: Calls, liquidation: Liquidation, command: Command) -> None:
    """Applies one command. Raises BadRecord for a preset nobody has described, and for a deadline that the
    exchange does not allow.
    """
    accounts = _accounts(desk, command)
    if command.command == "extend_deadline":
        accounts = _extensible(desk, accounts, command)
    moment = Moment(command.ts, own=True)
    if command.command in ("approve", "resume"):
        moment.progressed = frozenset(accounts)
    if command.command == "set_preset":
        index = desk.terms.index(command.preset or "")
        hot = desk.books.accounts.hot
        for account in accounts:
            flags = account * HOT_WIDTH + FLAGS
            hot[flags] = index << 1 | (hot[flags] & 1)
            _agree_deadline(desk, account)
    for account in accounts:
        row = desk.books.accounts.episode[account]
        if row >= 0 and _means(desk, row, command):
            _change(desk, row, account, command)
        if command.command not in ("acknowledge", "hold"):
            calls.evaluate(account, moment)
    liquidation.plan_due(moment)


def _agree_deadline(desk: Desk, account: int) -> None:
    """An open call runs by the operator's new preset."""
    row = desk.books.accounts.episode[account]
    if row >= 0 and desk.episodes.called_index[row] >= 0:
        desk.episodes.call(row, desk.episodes.called_index[row], desk.preset(account))


def _accounts(desk: Desk, command: Command) -> list[int]:
    """Accounts of this shard that a command is about, in the order of their names."""
    books = desk.books.accounts
    name = command.account
    if name is None and command.alert is not None:
        name = command.alert.split(":")[0]
    if name == EVERYBODY:
        everybody = range(books.rows) if command.command == "set_preset" else desk.episodes.living()
        return books.by_name(list(everybody))
    row = books.index.get(name, -1) if name is not None else -1
    return [row] if row >= 0 else []


def _means(desk: Desk, row: int, command: Command) -> bool:
    """Whether a command is about this open episode: it names none, the episode, or one of its alerts."""
    episode = desk.episode_name(row)
    return command.alert is None or command.alert == episode or command.alert.startswith(f"{episode}:")


def _extensible(desk: Desk, accounts: list[int], command: Command) -> list[int]:
    """Accounts whose call may last so much longer: until 2015-07-01 the exchange allows two trading days at
    most (rulebook 1.3). Raises BadRecord where it is the only account meant.
    """
    most = desk.rules.number_or_none("topup_deadline_trading_days_max", desk.books.day)
    if most is None:
        return accounts
    episodes, found = desk.episodes, []
    for account in accounts:
        row = desk.books.accounts.episode[account]
        days = episodes.extra_days[row] + (command.days or 0) if row >= 0 else 0
        if row < 0 or desk.cure_days(row)[0] + days <= most:
            found.append(account)
        elif command.account != EVERYBODY and _means(desk, row, command):
            raise BadRecord("days", f"the exchange allows {most} trading days from the call at most")
    return found


def _change(desk: Desk, row: int, account: int, command: Command) -> None:
    episodes = desk.episodes
    episodes.commands[row] = (command.id, command.by)
    match command.command:
        case "acknowledge":
            if not episodes.acknowledged[row]:
                tell_evidence(desk, row, ACKNOWLEDGED, command.ts, command=command.id, by=command.by)
            episodes.acknowledged[row] = 1
        case "extend_deadline":
            _extend(desk, row, account, command.days or 0)
        case "approve":
            _approve(desk, row, account, command.ts)
        case "hold":
            episodes.held[row] = 1
        case "resume":
            episodes.held[row] = 0


def _extend(desk: Desk, row: int, account: int, days: int) -> None:
    """So many trading days more, unless liquidation has begun; what had expired is open again if its
    deadline now lies ahead.
    """
    episodes = desk.episodes
    if episodes.state[row] in (AT_ONCE, LIQUIDATING):
        return
    episodes.extra_days[row] += days
    if episodes.state[row] != EXPIRED:
        return
    cure_by, index, extra = desk.cure_days(row)[0], desk.calendar.index, episodes.extra_days[row]
    if episodes.pursued[row] == PURSUED and index < episodes.called_index[row] + cure_by + extra:
        episodes.pursued[row] = NOT_PURSUED
    obligations_wait = not episodes.obliged[row] or index < episodes.obliged_index[row] + extra
    if episodes.pursued[row] == NOT_PURSUED and obligations_wait and episodes.obliged[row] != FREEZE:
        episodes.state[row] = CALLED
        desk.watch(account, on=desk.preset(account).cure_at == INTRADAY)


def _approve(desk: Desk, row: int, account: int, ts: int) -> None:
    """The operator lets the plan go on. One that was held by the ceiling is made anew, at the prices of
    now.
    """
    episodes = desk.episodes
    episodes.approved[row] = 1
    if episodes.capped[row]:
        episodes.capped[row] = 0
        return
    if episodes.state[row] == LIQUIDATING:
        names = [desk.orders.names[order] for order in desk.orders.of(account)]
        tell_call(desk, row, "liquidating", ts, orders=names)
