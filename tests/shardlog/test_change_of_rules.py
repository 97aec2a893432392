"""Rules change only where no record of the log must be applied by other rules than before."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest

from agents.core import Output, Segment
from streams.shardlog.checkpoint import Checkpoint, restore_fold, take_checkpoint
from streams.shardlog.encoding import decode_record
from streams.shardlog.fold import Effect, Fold, OtherRulesError
from streams.shardlog.records import Claim, Record
from streams.shardlog.unit import Append, Phase, Unit
from tests.shardlog.made import COMMANDS, GENESIS, LAYOUT, Recording, command, values
from tests.shardlog.test_fold import apply, commands, fold_of


def judged_by(rules: str, *records: Record) -> Fold:
    """A fold whose core judges by these rules, after a genesis and these records."""
    fold = Fold(Recording(), LAYOUT, GENESIS, rules)
    for offset, record in enumerate((GENESIS, *records)):
        fold.apply(offset, record)
    return fold


OLD = Claim("n1", "w", "", "old")


def test_the_first_claim_puts_its_rules_in_force() -> None:
    fold = judged_by("old", OLD, commands(0, 1))
    assert (fold.rules, fold.moved, fold.core.notes) == ("old", 3, ["commands:0:c0"])  # type: ignore[attr-defined]


def test_a_frame_applied_by_other_rules_does_not_reach_the_core() -> None:
    fold = judged_by("new", OLD)
    with pytest.raises(OtherRulesError, match="what was in force: old. This worker has: new") as refused:
        fold.apply(2, commands(0, 1))
    assert refused.value.exit_code == 2
    assert "orderly" in refused.value.advice
    assert fold.core.notes == []  # type: ignore[attr-defined]


def test_rules_change_at_a_claim_that_starts_after_the_last_frame() -> None:
    fold = fold_of()
    records: list[Record] = [OLD, commands(0, 1), Claim("n2", "w", "", "old", 2)]
    for offset, record in enumerate(records, start=1):
        fold.apply(offset, record)
    assert fold.apply(4, Claim("n3", "w", "", "new", 3)).effect is Effect.APPLIED
    assert fold.rules == "new"


def test_a_claim_with_other_rules_that_starts_before_a_frame_changes_nothing() -> None:
    fold = judged_by("old", OLD, commands(0, 1))
    assert fold.apply(3, Claim("n2", "w", "", "new", 2)).effect is Effect.IGNORED
    assert fold.apply(4, Claim("n2", "w", "", "new", 4)).effect is Effect.REPEATED, (
        "only its first copy counts"
    )
    assert apply(fold, commands(1, 1)) == (Effect.APPLIED, ["commands:1:c1"])


def test_what_had_no_effect_does_not_stand_in_the_way_of_other_rules() -> None:
    fold = judged_by("old", OLD, commands(0, 1), commands(0, 1), commands(7, 1))
    assert fold.apply(5, Claim("n2", "w", "", "new", 3)).effect is Effect.APPLIED


def test_a_checkpoint_carries_the_rules_in_force_and_the_last_frame() -> None:
    fold = judged_by("old", OLD, commands(0, 1))
    other = Fold(Recording(), LAYOUT, GENESIS, "new")
    restore_fold(other, take_checkpoint(fold, epoch=1))
    assert (other.rules, other.moved) == ("old", 3)
    assert other.apply(3, Claim("n2", "w", "", "new", 2)).effect is Effect.IGNORED
    assert other.apply(4, Claim("n3", "w", "", "new", 3)).effect is Effect.APPLIED
    assert apply(other, commands(1, 1)) == (Effect.APPLIED, ["commands:1:c1"])


# -- random histories of workers with one or the other rules --


class Judge(Recording):
    """A core whose outputs say by which rules it judged."""

    def __init__(self, rules: str) -> None:
        super().__init__()
        self.rules = rules

    def apply_events(self, segment: Segment) -> list[Output]:
        super().apply_events(segment)
        return [Output("x", self.rules, {"n": len(segment)})]


@dataclass
class History:
    """One partition of the log, and workers that start, die, wake up late and race for it."""

    random: random.Random
    log: list[bytes] = field(default_factory=list)
    late: list[bytes] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    said: dict[int, set[str]] = field(default_factory=dict)
    """By log offset, the rules in the outputs of all who applied the record."""
    refused: int = 0
    switched: int = 0

    def started(self, rules: str) -> Unit:
        number = self.random.random()
        unit = Unit(
            Judge(rules),
            LAYOUT,
            replace(GENESIS, uuid=f"u{number}"),
            Claim(f"n{number}", "w", "", rules),
            checkpoint=max(self.checkpoints, key=lambda c: (c.offset, c.epoch), default=None),
            log_is_empty=not self.log,
        )
        self.units.append(unit)
        return unit

    def step(self, unit: Unit) -> None:
        """A small part of what a worker does; it ends where it must not go on."""
        try:
            self.random.choice([self.read, self.read, self.write, self.write, self.keep])(unit)
        except OtherRulesError:
            self.refused += 1
            self.units.remove(unit)

    def read(self, unit: Unit) -> None:
        offset = unit.log_position
        if unit.phase is Phase.FENCED:
            if self.random.random() < 0.3:
                unit.reclaim(f"n{self.random.random()}")
        elif offset < len(self.log):
            before = unit.fold.rules
            applied = unit.read(offset, self.log[offset])
            self.switched += before not in ("", unit.fold.rules)
            for output in applied.outputs if applied else ():
                self.said.setdefault(offset, set()).add(output.key)

    def write(self, unit: Unit) -> None:
        position = unit.wanted().get(COMMANDS)
        if position is not None:
            unit.take(values(COMMANDS, {position: command(f"c{position}")}))
        made: Append | None = unit.next_append()
        if made is None:
            return
        if self.random.random() < 0.1:
            self.late.append(made.data)  # written, or written again, much later
        if self.random.random() < 0.9:
            self.log.append(made.data)
            unit.appended(made.token)
        else:
            unit.append_failed(made.token)

    def keep(self, unit: Unit) -> None:
        checkpoint = unit.begin_checkpoint()
        if checkpoint is not None:
            self.checkpoints.append(checkpoint)

    def go_on(self, rules: str) -> bool:
        """Whether a worker with these rules, alone from now on, gets to work."""
        unit = self.started(rules)
        try:
            while unit.phase is not Phase.ACTIVE:
                made = unit.next_append()
                if made is not None:
                    self.log.append(made.data)
                    unit.appended(made.token)
                unit.read(unit.log_position, self.log[unit.log_position])
        except OtherRulesError:
            return False
        return True


def history(seed: int) -> History:
    told = History(random.Random(seed))
    chance = told.random
    for _ in range(300):
        x = chance.random()
        if x < 0.04 or not told.units:
            told.started(chance.choice(["old", "new"]))
        elif x < 0.06:
            told.units.remove(chance.choice(told.units))
        elif x < 0.08 and told.late:
            told.log.append(told.late.pop(0))
        else:
            told.step(chance.choice(told.units))
    return told


def test_whoever_races_each_record_is_judged_by_one_set_of_rules_and_one_of_them_goes_on() -> None:
    refused = switched = 0
    for seed in range(60):
        told = history(seed)
        assert all(len(rules) == 1 for rules in told.said.values()), seed
        assert any([told.go_on("old"), told.go_on("new")]), seed
        refused += told.refused
        switched += told.switched
    assert min(refused, switched) > 30


def test_a_worker_with_other_rules_may_start_where_one_stopped_after_its_last_record() -> None:
    told = History(random.Random(1))
    assert told.go_on("old")
    first = told.units[0]
    told.write(first)
    while first.log_position < len(told.log):
        told.read(first)
    assert not told.go_on("new"), "a frame must be applied again"
    told.keep(first)
    assert told.go_on("new")
    assert [decode_record(data).rules for data in told.log[-1:]] == ["new"]  # type: ignore[union-attr]
    assert told.go_on("old"), "and back, since nothing was applied by the new ones"
