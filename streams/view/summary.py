"""What happened on the day, for a person, and the commands with which to look closer at one account of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.units import format_day, format_minute, format_money
from streams.view.board import BELOW, LIFE, NOTICES, Board, Episode
from streams.view.words import short_money

_RESIDUAL = {
    "limit_down": "locked at the lower limit",
    "limit_up": "locked at the upper limit",
    "suspended": "suspended",
    "halted": "halted",
    "t+1": "bought the same day (T+1)",
    "frozen": "frozen",
    "odd_lot": "odd lots",
    "lowers_ratio": "not worth selling",
    "no_cash": "without cash to buy back",
    "no_price": "without a price",
    "in_open_orders": "in the client's own open orders",
    "in_transit": "on their way from a corporate action",
    "participation": "left for a later slice, beyond the share of the market's volume",
}
_TELLING = ("called", "expired", "liquidating", "closed", "immediate", "partly_met", "cured", "shortfall")
_EXPLAINED = ("called", "liquidating", "immediate", "below_min", "warned")


def summary(board: Board, events: int, seconds: int, *, finished: bool = True) -> Iterator[str]:
    """Lines of the summary. `events` of the crash day were replayed in `seconds`."""
    if board.progress is None:
        return
    day = format_day(board.progress.date)
    how = "is over" if finished else "was left early"
    yield f"{day} {how}: {board.accounts:,} accounts, {events:,} events of the day in {seconds} s."
    yield ""
    yield from _levels(board)
    yield from _calls(board)
    yield from _liquidation(board)
    if board.signals:
        signals = ", ".join(f"{count} × {name}" for name, count in sorted(board.signals.items()))
        yield f"  securities           {signals}"
    if board.steps["shortfall"]:
        debt, bare = short_money(board.unsecured_milli), board.steps["shortfall"]
        told = "1 account, which still owes" if bare == 1 else f"{bare:,} accounts, which still owe"
        yield f"  left without assets  {told} {debt} yuan"
    if board.topics["dead.letters"]:
        yield f"  dead letters         {board.topics['dead.letters']:,}"


def figures(board: Board, events: int, seconds: float, *, finished: bool) -> dict[str, Any]:
    """The summary for other programs: counts, and yuan as decimal strings. `below` is by clock of the day,
    the accounts at each of the levels BELOW.
    """
    progress = board.progress
    history = {} if progress is None else board.history.get(progress.date, {})
    return {
        "date": None if progress is None else format_day(progress.date),
        "finished": finished,
        "events": events,
        "seconds": round(seconds, 1),
        "accounts": board.accounts,
        "below": {
            format_minute(minute): dict(zip(BELOW, levels, strict=True))
            for minute, levels in sorted(history.items())
        },
        "calls": dict(board.steps),
        "episodes": len(board.episodes),
        "plans": board.plans,
        "orders": dict(board.order_count),
        "sold": format_money(board.sold_milli),
        "repaid": format_money(board.repaid_milli),
        "residual": dict(board.residual),
        "unsecured": format_money(board.unsecured_milli),
        "signals": dict(board.signals),
        "dead_letters": board.topics["dead.letters"],
    }


def _levels(board: Board) -> Iterator[str]:
    assert board.progress is not None
    history = board.history.get(board.progress.date, {})
    if history:
        first, last = history[min(history)], history[max(history)]
        worst = max(history, key=lambda minute: (sum(history[minute]), -minute))
        yield (
            f"  below the warn line  {sum(first):,} accounts at first, {sum(history[worst]):,} seen at "
            f"{format_minute(worst)}, {sum(last):,} at the end"
        )
        yield f"  of these             {last[1]:,} below the minimum, {last[2]:,} the immediate line"


def _calls(board: Board) -> Iterator[str]:
    since = f" (since {format_day(min(board.history))})" if board.history else ""
    for label, events in (("notices", NOTICES), ("calls", LIFE)):
        told = "  ".join(f"{event} {board.steps[event]:,}" for event in events if board.steps[event])
        yield f"  {label:<19}  {told or 'none'}"
    ended = sum(board.steps[event] for event in ("cured", "closed", "recovered", "shortfall"))
    yield f"  episodes             {len(board.episodes):,}{since}, {ended:,} of them over"


def _liquidation(board: Board) -> Iterator[str]:
    orders = sum(board.order_count.values())
    yield (
        f"  forced liquidation   {board.plans:,} plans, {orders:,} orders: {short_money(board.sold_milli)} "
        f"yuan of stock sold, {short_money(board.repaid_milli)} repaid from cash"
    )
    if board.residual:
        kept = ", ".join(
            f"{count:,} {_RESIDUAL.get(why, why)}" for why, count in board.residual.most_common()
        )
        yield f"  not sold at once     {kept} (holdings, counted once a plan)"


def telling_episode(board: Board) -> Episode | None:
    """The episode that shows most of a call's life, with few orders if any; equal ones by account."""
    return min(board.episodes.values(), key=_little_to_tell, default=None)


def _little_to_tell(episode: Episode) -> tuple[int, int, str]:
    steps = len({event for event in episode.events if event in _TELLING})
    return -steps - 2 * bool(episode.orders), len(episode.orders), episode.account


def next_commands(board: Board, program: str) -> list[tuple[str, str]]:
    """(command, what it shows) with an account and an alert of this run."""
    episode = telling_episode(board)
    if episode is None or not episode.ids:
        return [(f"{program} subscribe margin.calls --from-beginning", "every call of the day")]
    by_event = {event: record for record, event in zip(episode.ids, episode.events, strict=True)}
    alert = next((by_event[event] for event in _EXPLAINED if event in by_event), episode.ids[-1])
    commands = [
        (
            f"{program} subscribe margin.calls --from-beginning --account {episode.account}",
            " → ".join(dict.fromkeys(episode.events)),
        ),
        (f"{program} account {episode.account}", "the account as it stands now"),
        (f"{program} explain {alert}", "the arithmetic, line by line"),
    ]
    if episode.orders:
        commands.append((f"{program} explain {episode.orders[-1]}", "a forced order and its plan"))
    return commands
