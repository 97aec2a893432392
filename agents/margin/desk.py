"""Everything one shard supervises with: books, terms, episodes, calendar, open orders, and what it is about
to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.books.book import Books
from agents.books.columns import Snapshot
from agents.books.fold import Fold
from agents.books.terms import Terms
from agents.core import Output
from agents.gate.answers import Answers
from agents.gate.reservations import Reservations
from agents.kernels.layout import FLAGS, HOT_WIDTH
from agents.liquidation.disposal import RULEBOOK, Disposal
from agents.margin.calendar import Calendar
from agents.margin.courts import Courts
from agents.margin.episodes import Episodes
from agents.margin.ledger import ShortfallLedger
from agents.margin.orders import Orders
from agents.margin.slices import Slices
from agents.rules.presets import Preset
from agents.rules.schedule import Schedule, built_in
from schemas.units import format_day

PROPOSE, AUTO, SIMULATE = "propose", "auto", "simulate"


@dataclass(frozen=True, slots=True)
class ShardConfig:
    """Settings of a shard. `liquidation` is propose, auto or simulate. Once the plans of one slice of the
    day touch more than `ceiling_accounts` accounts or `ceiling_yuan` yuan (gross value at mark), those that
    follow in it are held until approved; None = no ceiling. `rules` are the dated parameters, `disposal`
    ranks what forced liquidation sells.
    """

    liquidation: str = PROPOSE
    ceiling_accounts: int | None = None
    ceiling_yuan: int | None = None
    shard: int = 0
    rules: Schedule = field(default_factory=built_in)
    disposal: Disposal = RULEBOOK

    def __post_init__(self) -> None:
        """Refuses a mode nobody knows."""
        if self.liquidation not in {PROPOSE, AUTO, SIMULATE}:
            raise ValueError(f"liquidation must be propose, auto or simulate, got {self.liquidation!r}")


@dataclass(slots=True)
class Moment:
    """One evaluation. `ts` is market time (ms); `own`: an event or a command is about the very account;
    `money_in`: assets came in by an account event; `opens`: the trading day begins; `begins`: continuous
    trading begins; `progressed`: accounts of which an order was filled or closed.
    """

    ts: int
    settled: bool = False
    own: bool = False
    money_in: bool = False
    opens: bool = False
    begins: bool = False
    progressed: frozenset[int] = frozenset()


class Desk:
    """The tables of a shard; the modules of this room work on it."""

    def __init__(self, config: ShardConfig) -> None:
        self.config = config
        self.rules = config.rules
        self.books = Books()
        self.terms = Terms(config.rules)
        self.fold = Fold(self.books, self.terms)
        self.episodes = Episodes()
        self.calendar = Calendar()
        self.orders = Orders()
        self.slices = Slices()
        self.shortfalls = ShortfallLedger()
        self.reservations = Reservations()
        self.answers = Answers()
        self.courts = Courts()
        self.told_topups: list[int] = []
        self.out: list[Output] = []

    def say(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """One more record to publish."""
        self.out.append(Output(topic, key, value))

    def take_outputs(self) -> list[Output]:
        """What was said since the last time."""
        said, self.out = self.out, []
        return said

    def preset(self, account: int) -> Preset:
        """The terms of an account today."""
        return self.terms.current[self.books.accounts.hot[account * HOT_WIDTH + FLAGS] >> 1]

    def cure_days(self, row: int) -> tuple[int, int]:
        """Trading days after the ratio's call to its deadline and to liquidation, without what operators
        added; before the call those of the preset today.
        """
        episodes = self.episodes
        if episodes.called_index[row] >= 0:
            return episodes.cure_by[row], episodes.liquidate_from[row]
        preset = self.preset(episodes.account[row])
        return preset.cure_by, preset.liquidate_from

    def watch(self, account: int, *, on: bool) -> None:
        """Whether every evaluation must look at the account, changed or not."""
        at = account * HOT_WIDTH + FLAGS
        flags = self.books.accounts.hot[at]
        self.books.accounts.hot[at] = flags | 1 if on else flags & ~1

    def episode_name(self, row: int) -> str:
        """`account:date:number` of an episode."""
        episodes = self.episodes
        account = self.books.accounts.names[episodes.account[row]]
        return f"{account}:{format_day(episodes.date[row])}:{episodes.number[row]}"

    def flags(self, account: int) -> list[str]:
        """Remarks on what is said about an account now."""
        return ["late"] if self.books.accounts.late[account] else []

    def snapshot(self) -> Snapshot:
        """The whole state."""
        found = self.books.snapshot()
        found.update(self.terms.snapshot())
        found.update(self.episodes.snapshot("episodes"))
        found.update(self.calendar.snapshot())
        found.update(self.orders.snapshot("orders"))
        found.update(self.slices.snapshot())
        found.update(self.shortfalls.snapshot())
        found.update(self.reservations.snapshot("reservations"))
        found.update(self.answers.snapshot())
        found.update(self.courts.snapshot())
        found["topups"] = orjson.dumps(self.told_topups)
        return found

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become the state of a snapshot."""
        self.books.restore(snapshot)
        self.terms.restore(snapshot)
        self.episodes.restore("episodes", snapshot)
        self.calendar.restore(snapshot)
        self.orders.restore("orders", snapshot)
        self.slices.restore(snapshot)
        self.shortfalls.restore(snapshot)
        self.reservations.restore("reservations", snapshot)
        self.answers.restore(snapshot)
        self.courts.restore(snapshot)
        self.told_topups = orjson.loads(bytes(snapshot["topups"]))
        self.out = []
