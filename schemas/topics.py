"""The registry of topics: names, keys, partitions, retention kind (contract sections 2 and 3).

Names are logical: the configured prefix is put in front by whoever talks to a broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Partitions = Literal["account", "market", "one", "log"]
Direction = Literal["in", "out", "internal"]
Retention = Literal["delete", "compact"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    `partitions`: `account` = N (the setting LIANGRONG_PARTITIONS), `market` = the market's (default 4),
    `one` = 1, `log` = N + 1 (the last one is the firm log).
    `retention`: `compact` where only the newest record of a key matters.
    `direction`: `in` people publish, `out` people subscribe, `internal` belongs to the processor.
    """

    name: str
    key: str
    partitions: Partitions
    retention: Retention
    direction: Direction
    description: str

    @property
    def compacted(self) -> bool:
        """Whether only the newest record of a key matters."""
        return self.retention == "compact"

    def partition_count(self, account_partitions: int, market_partitions: int) -> int:
        """The number of partitions under the given settings."""
        counts = {"account": account_partitions, "market": market_partitions, "one": 1}
        return counts.get(self.partitions, account_partitions + 1)


DEFAULT_ACCOUNT_PARTITIONS = 8
DEFAULT_MARKET_PARTITIONS = 4

MARKET_TRADES = "market.trades"
MARKET_QUOTES = "market.quotes"
MARKET_SESSION = "market.session"
REFERENCE_SECURITIES = "reference.securities"
REFERENCE_ACTIONS = "reference.actions"
REFERENCE_BALANCES = "reference.balances"
REFERENCE_NOTICES = "reference.notices"
REFERENCE_RULES = "reference.rules"
REFERENCE_CUSTODY = "reference.custody"
ACCOUNT_EVENTS = "account.events"
ACCOUNT_ORDERS = "account.orders"
COMMANDS = "commands"
MARGIN_RATIOS = "margin.ratios"
MARGIN_CALLS = "margin.calls"
LIQUIDATION_ORDERS = "liquidation.orders"
ORDER_DECISIONS = "order.decisions"
SECURITY_SIGNALS = "security.signals"
FINANCING_BALANCES = "financing.balances"
DEAD_LETTERS = "dead.letters"
SYSTEM_EVENTS = "system.events"
SHARD_LOG = "shard.log"
SHARD_TOTALS = "shard.totals"
FIRM_TOTALS = "firm.totals"

_ALL = (
    Topic(MARKET_TRADES, "security", "market", "delete", "in", "Trades of the exchange, one event a trade."),
    Topic(MARKET_QUOTES, "security", "market", "delete", "in", "Snapshots of a security's book."),
    Topic(
        MARKET_SESSION, "market", "one", "delete", "in", "Phases of the day, the clock, halts; each a cut."
    ),
    Topic(REFERENCE_SECURITIES, "security", "one", "delete", "in", "What is true of a security on a date."),
    Topic(REFERENCE_ACTIONS, "security", "one", "delete", "in", "Corporate actions (公司行为)."),
    Topic(
        REFERENCE_BALANCES,
        "security",
        "one",
        "delete",
        "in",
        "Margin figures the exchange published for a day.",
    ),
    Topic(REFERENCE_NOTICES, "security", "one", "delete", "in", "An exchange's own halt or resumption."),
    Topic(REFERENCE_RULES, "preset", "one", "delete", "in", "Contract-level lines of a broker, by preset."),
    Topic(
        REFERENCE_CUSTODY, "account", "account", "delete", "in", "The custodian's statement of an account."
    ),
    Topic(ACCOUNT_EVENTS, "account", "account", "delete", "in", "Everything that changes an account."),
    Topic(ACCOUNT_ORDERS, "account", "account", "delete", "in", "Requests, answered on order.decisions."),
    Topic(COMMANDS, "account or *", "one", "delete", "in", "An operator's word."),
    Topic(MARGIN_RATIOS, "account", "account", "compact", "out", "Latest maintenance ratio (维持担保比例)."),
    Topic(
        MARGIN_CALLS,
        "account",
        "account",
        "delete",
        "out",
        "The life of a margin call (追保), step by step.",
    ),
    Topic(
        LIQUIDATION_ORDERS,
        "account",
        "account",
        "delete",
        "out",
        "Forced-liquidation (强制平仓) orders and plans.",
    ),
    Topic(ORDER_DECISIONS, "account", "account", "delete", "out", "Answers to account.orders."),
    Topic(
        SECURITY_SIGNALS,
        "security",
        "one",
        "delete",
        "out",
        "Halt, resume and remind signals of a security.",
    ),
    Topic(
        FINANCING_BALANCES,
        "security",
        "one",
        "compact",
        "out",
        "Financing (融资) and lending (融券) balances.",
    ),
    Topic(
        DEAD_LETTERS,
        "origin",
        "one",
        "delete",
        "out",
        "Records that could not be applied, with the reason.",
    ),
    Topic(SYSTEM_EVENTS, "kind", "one", "delete", "out", "What an operator must know."),
    Topic(
        SHARD_LOG,
        "shard",
        "log",
        "delete",
        "internal",
        "One totally ordered log per shard, and the firm's.",
    ),
    Topic(
        SHARD_TOTALS,
        "shard",
        "account",
        "delete",
        "internal",
        "Absolute per-security totals of each shard.",
    ),
    Topic(
        FIRM_TOTALS,
        "part",
        "one",
        "delete",
        "internal",
        "What the whole firm's credit accounts hold of each security, of the last final day, in parts.",
    ),
)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ALL}
"""All topics by logical name, in registry order (the order in which a window of a replay is written)."""

PUBLIC_TOPICS: tuple[str, ...] = tuple(t.name for t in _ALL if t.direction != "internal")
"""Topics whose records have a JSON Schema."""
