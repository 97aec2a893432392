"""What is known of a run while one watches it: everything is told to the board, it asks nobody."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.alerts import CALL_EVENTS, LEVELS
from schemas.units import parse_scaled, shanghai_minute
from streams.days.progress import Progress

Record = dict[str, Any]
LATEST = 60
BELOW = ("warn", "below_min", "immediate")
"""The levels that a picture of the day shows, mildest first."""
NOTICES = ("warned", "below_min", "recovered")
LIFE = tuple(event for event in CALL_EVENTS if event not in NOTICES)
"""The steps of a call, without the notices before it."""
_RATE_SECONDS = 3.0
_SHORTEST_SECONDS = 0.5


@dataclass(slots=True)
class Rate:
    """How many a second, over the last few seconds of the clock that is passed in."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, now: float, count: int) -> None:
        """`count` so far, at `now` seconds of any steady clock."""
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _RATE_SECONDS:
            self._seen.popleft()

    def per_second(self) -> int:
        """Rounded; 0 until observations span half a second."""
        if not self._seen:
            return 0
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        return round((after - before) / (last - first)) if last - first >= _SHORTEST_SECONDS else 0


@dataclass(slots=True)
class Episode:
    """A call as far as it was seen: its account, the events in order, and ids of its records."""

    account: str
    events: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    """Ids of orders in stocks; repayments from cash are left out."""


@dataclass(slots=True)
class Board:
    """Facts of a run."""

    title: str = ""
    pace: str = ""
    status: str = "starting"
    progress: Progress | None = None
    published: int = 0
    alerts: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    accounts: int = 0
    indebted: int = 0
    worst: list[Record] = field(default_factory=list)
    calls: deque[Record] = field(default_factory=lambda: deque(maxlen=LATEST))
    orders: deque[Record] = field(default_factory=lambda: deque(maxlen=LATEST))
    steps: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    residual: Counter[str] = field(default_factory=Counter)
    order_count: Counter[str] = field(default_factory=Counter)
    sold_milli: int = 0
    repaid_milli: int = 0
    unsecured_milli: int = 0
    plans: int = 0
    finals: set[str] = field(default_factory=set)
    episodes: dict[str, Episode] = field(default_factory=dict)
    history: dict[int, dict[int, tuple[int, ...]]] = field(default_factory=dict)
    in_rate: Rate = field(default_factory=Rate)
    out_rate: Rate = field(default_factory=Rate)

    def note_progress(self, progress: Progress, published: int) -> None:
        """How far the replay is; `published` counts events of all days."""
        self.progress = progress
        self.published = published

    def note_levels(
        self, shards: Iterable[Mapping[str, Any]], worst: Iterable[Record], show: int = 20
    ) -> None:
        """Counts of all shards, and their worst accounts; remembered for the picture of the day."""
        found = list(shards)
        self.levels = Counter({level: sum(shard["levels"][level] for shard in found) for level in LEVELS})
        self.accounts = sum(shard["accounts"] for shard in found)
        self.indebted = sum(shard["indebted"] for shard in found)
        self.worst = sorted(worst, key=_by_ratio)[:show]
        if self.progress is not None:
            minute = shanghai_minute(self.progress.ts)
            day = self.history.setdefault(self.progress.date, {})
            day[minute] = tuple(self.levels[level] for level in BELOW)

    def note_time(self, now: float) -> None:
        """Rates are measured against `now`, seconds of a steady clock; to be called a few times a second."""
        self.in_rate.note(now, self.published)
        self.out_rate.note(now, self.alerts)

    def note_alert(self, topic: str, value: Record) -> None:
        """One record of an alert topic, each once."""
        self.alerts += 1
        self.topics[topic] += 1
        if topic == "margin.calls":
            self._call(value)
        elif topic == "liquidation.orders":
            self._liquidation(value)
        elif topic == "security.signals":
            self.signals[f"{value.get('business')} {value.get('signal')}"] += 1
        elif topic == "system.events" and value.get("kind") == "day_final":
            self.finals.add(str(value.get("date")))

    def _call(self, value: Record) -> None:
        self.steps[str(value["event"])] += 1
        if value["event"] == "shortfall":
            self.unsecured_milli += parse_scaled(value["debt"], 3, "debt")
        self.calls.appendleft(value)
        episode = self.episodes.setdefault(value["episode"], Episode(value["account"]))
        episode.events.append(value["event"])
        episode.ids.append(value["id"])

    def _liquidation(self, value: Record) -> None:
        if value.get("event") == "plan":
            self.plans += 1
            for kept in value["residual"]:
                self.residual[str(kept["why"])] += 1
            return
        self.orders.appendleft(value)
        self.order_count[str(value["business"])] += 1
        if value["business"] == "repay":
            self.repaid_milli += parse_scaled(value["amount"], 3, "amount")
            return
        if value["side"] == "S":
            self.sold_milli += int(value["qty"]) * parse_scaled(value["expected_price"], 3, "expected_price")
        self.episodes.setdefault(value["episode"], Episode(value["account"])).orders.append(value["id"])

    def below(self) -> int:
        """Accounts below their warn line now."""
        return sum(self.levels[level] for level in BELOW)


def _by_ratio(account: Record) -> tuple[int, str]:
    ratio = account.get("ratio")
    return (parse_scaled(ratio, 6, "ratio") if ratio is not None else 10**18, account["account"])
