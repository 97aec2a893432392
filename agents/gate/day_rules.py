"""The dated parameters of one day, each looked up once."""

from __future__ import annotations

from agents.rules.costs import buy_cost, sell_cost
from agents.rules.lots import lot
from agents.rules.schedule import Entry, Schedule
from agents.rules.values import Lot, Value
from schemas.units import format_day


class DayRules:
    """Entries in force on `day`, by parameter."""

    def __init__(self, schedule: Schedule, day: int) -> None:
        self.schedule = schedule
        self.day = day
        self._entries: dict[str, Entry | None] = {}
        self._cited: dict[str, str] = {}
        self._lots: dict[tuple[str, str], Lot] = {}
        self._texts: dict[str, tuple[str, ...] | None] = {}
        self._costs: dict[tuple[bool, int, str], int] = {}

    def entry(self, parameter: str) -> Entry | None:
        """The entry in force, or None. Raises KeyError for a parameter that does not exist."""
        if parameter not in self._entries:
            self._entries[parameter] = self.schedule.find(parameter, self.day)
        return self._entries[parameter]

    def value(self, parameter: str) -> Value:
        """The value in force, None where there is none."""
        entry = self.entry(parameter)
        return None if entry is None else entry.value

    def number(self, parameter: str) -> int | None:
        """A numeric value in force, None where there is none."""
        value = self.value(parameter)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def texts(self, parameter: str) -> tuple[str, ...] | None:
        """A list of words in force, None where there is none."""
        if parameter not in self._texts:
            value = self.value(parameter)
            words = [word for word in value if isinstance(word, str)] if isinstance(value, tuple) else None
            self._texts[parameter] = None if words is None else tuple(words)
        return self._texts[parameter]

    def cost(self, *, buys: bool, commission: int, kind: str) -> int:
        """Costs of a trade in 1e-6 of its value (rulebook 7.3)."""
        key = (buys, commission, kind)
        found = self._costs.get(key)
        if found is None:
            rate = buy_cost if buys else sell_cost
            found = self._costs[key] = rate(self.day, commission, kind, self.schedule)
        return found

    def lot(self, parameter: str) -> Lot | None:
        """A legal order size in force."""
        value = self.value(parameter)
        return value if isinstance(value, Lot) else None

    def cite(self, parameter: str) -> str:
        """Name and date of the rule, as decisions cite it; a rule without an entry on the day by the day."""
        cited = self._cited.get(parameter)
        if cited is None:
            entry = self.entry(parameter)
            cited = self.engine(parameter) if entry is None else entry.rule
            self._cited[parameter] = cited
        return cited

    def engine(self, name: str) -> str:
        """A check of the books themselves, which no parameter gives, cited with the day it was made on."""
        return f"{name}@{format_day(self.day)}"

    def lot_of(self, board: str, kind: str) -> Lot:
        """The legal order sizes of a kind of security on a board."""
        found = self._lots.get((board, kind))
        if found is None:
            found = self._lots[board, kind] = lot(board, kind, self.day, self.schedule)
        return found

    def reads_inclusive(self, boundary: str) -> bool:
        """Whether a boundary counts as reached at equality."""
        return self.schedule.inclusive(boundary)
