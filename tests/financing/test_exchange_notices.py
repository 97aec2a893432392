"""Real notices of the exchanges do what they say on their dates: as notices, and as what follows from the
figures they name (rulebook 5.1). Where they come from: `tests/data/margin/README.md`.

The financing core's signals go to a shard, whose gate answers an order of the day before and of the day.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.core import Output
from tests.financing.firm import Firm
from tests.gate.counter import Counter

Notice = dict[str, str]

_FILE = Path(__file__).parents[1] / "data" / "margin" / "exchange_notices.csv"
NOTICES: list[Notice] = list(csv.DictReader(_FILE.read_text(encoding="utf-8").splitlines()))
DECISIONS = [notice for notice in NOTICES if notice["effective"]]
SCALE = 100_000
FAR_ABOVE = {"stock": Decimal("0.30"), "etf": Decimal("0.80")}


def named(notice: Notice) -> str:
    return f"{notice['date']}-{notice['security']}"


def session_before(day: str) -> str:
    before = date.fromisoformat(day) - timedelta(days=1)
    while before.weekday() > 4:
        before -= timedelta(days=1)
    return before.isoformat()


class Both:
    """The firm and a shard; what the one signals the other obeys."""

    def __init__(self, notice: Notice) -> None:
        self.notice, self.firm = notice, Firm()
        first = session_before(notice["measured"])
        self.counter = Counter(first)
        self.about = {"kind": notice["kind"], "lendable_qty": 10**6}
        self.firm.security(first, notice["security"], kind=notice["kind"])
        self.counter.security(notice["security"], **self.about)
        self.begin(first)
        self.counter.open()

    def begin(self, day: str) -> None:
        self.firm.session(day, "pre_open", 9)
        self.counter.trading(day)
        self.counter.price("10.00", self.notice["security"])

    def tell(self, effective: str, action: str) -> None:
        record = {"security": self.notice["security"], "effective": effective, "action": action}
        self._pass_on(self.firm.events("reference.notices", record | {"business": self.notice["business"]}))

    def publish(self, day: str, indicator: Decimal) -> list[Output]:
        """The exchange's figures of a day, both legs of the indicator at this share."""
        share = int(indicator * SCALE)
        figures: dict[str, Any] = {"lending_qty": share, "float_shares": SCALE}
        if self.notice["business"] == "financing":
            figures = {"financing_balance": share, "credit_holding_value": share, "float_value": SCALE}
        record = {"security": self.notice["security"], "date": day, **figures}
        return self._pass_on(self.firm.events("reference.balances", record))

    def _pass_on(self, outputs: list[Output]) -> list[Output]:
        for output in outputs:
            self.counter.book.reference("security.signals", output.value)
        return outputs

    def halted(self) -> bool:
        """Whether an order for new debt of today is refused for a halt."""
        business = "financing_buy" if self.notice["business"] == "financing" else "short_sell"
        answer = self.counter.why(business, security=self.notice["security"], qty=100, price="10.00")
        assert answer in {"accept", f"limit_{self.notice['kind']}"}
        return answer != "accept"


@pytest.mark.parametrize("notice", DECISIONS, ids=named)
def test_a_decision_of_the_exchange_holds_from_its_day_on(notice: Notice) -> None:
    both, effective = Both(notice), notice["effective"]
    if notice["action"] == "resume":
        both.tell(both.counter.day, "halt")
    both.begin(notice["measured"])
    both.tell(effective, notice["action"])
    assert both.halted() == (notice["action"] == "resume")
    both.begin(effective)
    assert both.halted() == (notice["action"] == "halt")


@pytest.mark.parametrize("notice", DECISIONS, ids=named)
def test_the_figures_a_decision_names_lead_to_it_on_the_same_day(notice: Notice) -> None:
    both, effective = Both(notice), notice["effective"]
    if notice["action"] == "resume":
        both.publish(both.counter.day, FAR_ABOVE[notice["kind"]])
    both.begin(notice["measured"])
    below = Decimal(1) / SCALE if notice["relation"] == "lt" else 0
    (signal,) = both.publish(notice["measured"], Decimal(notice["indicator"]) - below)
    assert (signal.value["signal"], signal.value["basis"]) == (notice["action"], "published")
    assert both.halted() == (notice["action"] == "resume")
    both.begin(effective)
    assert both.halted() == (notice["action"] == "halt")


@pytest.mark.parametrize("notice", [n for n in NOTICES if not n["effective"]], ids=named)
def test_a_warning_warns_and_halts_nothing(notice: Notice) -> None:
    both = Both(notice)
    both.begin(notice["measured"])
    (signal,) = both.publish(notice["measured"], Decimal(notice["indicator"]))
    assert signal.value["signal"] == "remind"
    both.begin(notice["date"])
    assert not both.halted()
