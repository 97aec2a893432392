"""Equality of everything that comes out of oracle and core.

The oracle does not plan: of `liquidating` it knows when the first is due, later ones and `shortfall` are
taken from the core after a look at whether they may be.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import ZERO
from tests.oracle.calls import Step
from tests.oracle.driver import Driver, Record
from tests.oracle.gate import Gate
from tests.oracle.oracle import Oracle
from tests.oracle.plan_checks import check_plans
from tests.oracle.wire import shown_ratio


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Every field of `expected` that `actual` has otherwise; fields that only `actual` has do not count."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            found
            for key, value in expected.items()
            for found in differences(value, actual.get(key), f"{where}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [
            found for place, (one, other) in pairs for found in differences(one, other, f"{where}[{place}]")
        ]
    return [] if expected == actual else [f"{where}: oracle {expected}, core {actual}"]


def same(expected: Any, actual: Any, about: str) -> None:
    found = differences(expected, actual)
    assert not found, (about, found)


class Comparison:
    def __init__(self, oracle: Oracle, driver: Driver) -> None:
        self.oracle, self.driver = oracle, driver
        self.heard = 0
        self.steps: dict[str, int] = {}
        """Records so far of each episode."""
        self.planned: set[tuple[str, date | None]] = set()

    def outputs(self, steps: list[Step]) -> None:
        """What the core said since the last time against the `steps` and states the oracle expects."""
        said, self.heard = self.driver.outputs[self.heard :], len(self.driver.outputs)
        by_account: dict[str, list[Record]] = {}
        for output in said:
            if output.topic == "margin.calls":
                by_account.setdefault(output.key, []).append(output.value)
        for name in sorted(by_account.keys() | {step.account for step in steps}):
            self._calls([step for step in steps if step.account == name], by_account.get(name, []))
        check_plans(self.oracle, [o.value for o in said if o.topic == "liquidation.orders"])
        self._states([output.value for output in said if output.topic == "margin.ratios"])
        self._events([o.value for o in said if o.topic == "system.events"])
        self._totals([output.value for output in said if output.topic == "shard.totals"])
        self.accounts()

    def accounts(self) -> None:
        """Figures and evidence of every account."""
        for name, account in self.oracle.accounts.items():
            if account.closed:
                continue
            ours, theirs = self.oracle.view(name), self.driver.account(name)
            assert Decimal(theirs["assets"]) == ours.assets, name
            assert Decimal(theirs["debt"]) == ours.debt, name
            assert theirs["ratio"] == (None if ours.level == "unpriced" else ours.ratio), name
            assert theirs["level"] == ours.level, name
            assert (theirs.get("episode") or None) == ours.episode, name
            if ours.level != "unpriced" and not ours.unpriced:
                assert Decimal(theirs["available_margin"]) == self._floored_margin(name), name
            evidence = self.oracle.evidence(name)
            same(evidence, theirs["evidence"], name)
            sellable = {security: account.sellable(security) for security in account.held}
            assert self.driver.sellable(name) == sellable, name

    def _floored_margin(self, name: str) -> Decimal:
        return Decimal((self.oracle.available_margin(name) * 1000).__floor__()) / 1000

    def _calls(self, expected: list[Step], actual: list[Record]) -> None:
        left = list(expected)
        for record in actual:
            episode = record["episode"]
            self.steps[episode] = self.steps.get(episode, 0) + 1
            assert record["step"] == self.steps[episode], record
            assert record["id"] == f"{episode}:{self.steps[episode]}", record
            if record["event"] in ("liquidating", "shortfall"):
                due = left[:1] and left[0].event == "liquidating"
                self._plan_was_due(record, left.pop(0) if due else None)
                continue
            while left and left[0].event == "liquidating" and self._planned_today(left[0]):
                left.pop(0)
            assert left, ("the oracle expects nothing", record)
            self._step(left.pop(0), record)
        left = [step for step in left if step.event != "liquidating" or not self._planned_today(step)]
        assert not left, ("the core is silent", left)

    def _planned_today(self, step: Step) -> bool:
        """A second plan of the day comes only when there is something to send."""
        return (step.account, self.oracle.day) in self.planned

    def _step(self, step: Step, record: Record) -> None:
        assert (record["episode"], record["event"]) == (step.episode, step.event), (step, record)
        expected = {**step.record, **step.deadline}
        same(expected, record, record["event"])

    def _plan_was_due(self, record: Record, step: Step | None) -> None:
        """The first plan when the oracle says so; another while there is something to liquidate for."""
        name = record["account"]
        life = self.oracle.lives[name]
        assert life.episode is not None, record
        assert life.episode.name == record["episode"], record
        assert life.may_plan(self.oracle.moment(name)), record
        if step is not None:
            told = {k: v for k, v in step.record.items() if k != "shortfall" or record["event"] != k}
            same(told, record, record["event"])
        self.planned.add((name, self.oracle.day))
        assert record.get("command") == life.episode.command, record
        life.episode.command = None
        life.planned()
        if record["event"] == "shortfall":
            assert not self.oracle.accounts[record["account"]].held, record
            assert Decimal(record["debt"]) > 0, record
            life.write_off()

    def _states(self, actual: list[Record]) -> None:
        """Of the accounts that owe something, or changed their level; others may be told again."""
        expected, self.oracle.states = self.oracle.states, []
        for state in expected:
            name = state["account"]
            found = next((record for record in actual if record["account"] == name), None)
            assert found is not None, ("no margin.ratios", state)
            actual.remove(found)
            unpriced = state["level"] == "unpriced"
            wanted = {k: v for k, v in state.items() if not (unpriced and k == "available_margin")}
            same(wanted, found, name)
        for record in actual:
            assert record["level"] in ("no_debt", "unpriced"), ("the oracle expects nothing", record)

    def _events(self, actual: list[Record]) -> None:
        """Evidence between records, top-ups of the day, what custody finds."""
        oracle = self.oracle
        snapshots, oracle.snapshots = oracle.snapshots, []
        topups, oracle.topups = oracle.topups, []
        custody, oracle.custody.told = oracle.custody.told, []
        evidence = [record for record in actual if record["kind"] == "evidence"]
        assert len(evidence) == len(snapshots), (snapshots, evidence)
        for wanted, record in zip(snapshots, evidence, strict=True):
            same(wanted, record, "evidence")
        told = [record["figures"] for record in actual if record["kind"] == "topups"]
        assert len(told) == len(topups)
        for wanted, figures in zip(topups, told, strict=True):
            same(wanted, figures, "topups")
        found = [(r["kind"], r["account"]) for r in actual if r["kind"].startswith("custody")]
        assert found == custody, (custody, found)
        breaks = self.driver.custody_breaks()
        assert breaks == {name for name in oracle.custody.breaks if name in oracle.accounts}

    def _totals(self, actual: list[Record]) -> None:
        expected, self.oracle.totals = self.oracle.totals, []
        assert len(actual) == len(expected)
        for wanted, record in zip(expected, actual, strict=True):
            assert record["date"] == wanted["day"].isoformat()
            for security, total in wanted["securities"].items():
                found = record["securities"].get(security, [0] * 8)
                money = {"financing_balance", "buys", "repayments"}
                figures = [value * 1000 if name in money else value for name, value in total.items()]
                assert found == figures, (security, total)
            others = record["securities"].keys() - wanted["securities"].keys()
            assert not any(any(record["securities"][security]) for security in others), others

    # -- requests

    def decision(self, request: Gate, decided: Record) -> bool:
        """Whether the request was accepted; the answer is what the rules say, and so is its `limit`."""
        wanted = request.wanted()
        refused = request.refusal(wanted)
        assert decided["decision"] == ("accept" if refused is None else "reject"), (refused, decided)
        if refused is not None:
            prefixes = ("lot_", "market_order_max_") if refused in ("lot", "largest") else (refused,)
            assert decided["rule"].startswith(prefixes), (refused, decided)
        self._limit(request, decided)
        reservation = request.reservation()
        used = reservation.figures.get("margin", ZERO) if refused is None else ZERO
        assert Decimal(decided["margin_used"]) == used, decided
        if not request.blind:
            assert Decimal(decided["available_margin"]) == request.margin, decided
            value, owed = request.after(wanted)
            assert decided["ratio_after"] == (shown_ratio(value, owed) if owed > 0 else None), decided
        if refused is None:
            request.mine.by_order[decided["order"]] = reservation
        return refused is None

    def _limit(self, request: Gate, decided: Record) -> None:
        """It passes, and the next larger legal quantity does not."""
        limit = Decimal(str(decided["limit"]))
        assert limit == 0 or request.refusal(limit) is None, (request.refusal(limit), decided)
        larger = request.next_larger(limit)
        assert larger is None or request.refusal(larger) is not None, (larger, decided)
