"""One worker's hold on a partition: claim, epoch, fence, reclaim, outputs in order, valid checkpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.encoding import decode_record, encode_record
from streams.shardlog.fold import Effect
from streams.shardlog.records import Claim, Genesis, Record
from streams.shardlog.unit import Append, Phase, Unit
from tests.shardlog.made import COMMANDS, GENESIS, LAYOUT, Recording, command, values

IN_FORCE = "rules of the tests"


class Log(list[bytes]):
    """A partition of shard.log."""

    def put(self, record: Record) -> None:
        self.append(encode_record(record))

    def records(self) -> list[Record]:
        return [decode_record(data) for data in self]


@pytest.fixture
def log() -> Log:
    return Log()


def unit_on(log: Log, name: str, checkpoint: Checkpoint | None = None) -> Unit:
    genesis = replace(GENESIS, uuid=f"uuid of {name}")
    claim = Claim(f"nonce of {name}", name, "", IN_FORCE)
    return Unit(Recording(), LAYOUT, genesis, claim, checkpoint=checkpoint, log_is_empty=not log)


def append(unit: Unit, log: Log) -> Append:
    made = unit.next_append()
    assert made is not None
    log.append(made.data)
    unit.appended(made.token)
    return made


def read(unit: Unit, log: Log) -> None:
    while unit.log_position < len(log) and unit.read(unit.log_position, log[unit.log_position]) is not None:
        pass


def owner_on(log: Log, name: str = "a", checkpoint: Checkpoint | None = None) -> Unit:
    """A unit that has made its claim and read it."""
    unit = unit_on(log, name, checkpoint)
    while (made := unit.next_append()) is not None:
        log.append(made.data)
        unit.appended(made.token)
    read(unit, log)
    return unit


def sequence(unit: Unit, log: Log, first: int, count: int = 1) -> None:
    assert unit.take(values(COMMANDS, {n: command(f"c{n}") for n in range(first, first + count)}))
    append(unit, log)


def notes(unit: Unit) -> list[str]:
    assert isinstance(unit.fold.core, Recording)
    return unit.fold.core.notes


def test_an_empty_log_is_begun_with_a_genesis_and_a_claim(log: Log) -> None:
    unit = owner_on(log)
    genesis, claim = log.records()
    assert (genesis, claim) == (replace(GENESIS, uuid="uuid of a"), Claim("nonce of a", "a", "", IN_FORCE))
    assert (unit.phase, unit.epoch) == (Phase.ACTIVE, 1)


def test_a_genesis_whose_append_failed_is_written_before_the_claim(log: Log) -> None:
    unit = unit_on(log, "a")
    lost = unit.next_append()
    assert lost is not None
    unit.append_failed(lost.token)
    append(unit, log)
    append(unit, log)
    assert [type(record) for record in log.records()] == [Genesis, Claim]


def test_of_two_workers_that_begin_a_log_the_first_genesis_stands(log: Log) -> None:
    a, b = unit_on(log, "a"), unit_on(log, "b")
    for _ in range(2):
        append(a, log)
        append(b, log)
    read(a, log)
    read(b, log)
    assert a.fold.genesis == b.fold.genesis == replace(GENESIS, uuid="uuid of a")
    assert (a.phase, b.phase) == (Phase.FENCED, Phase.ACTIVE)


def test_nothing_is_sequenced_or_read_from_sources_before_the_claim_is_read(log: Log) -> None:
    unit = unit_on(log, "a")
    append(unit, log)
    append(unit, log)
    assert unit.wanted() == {}
    assert not unit.take(values(COMMANDS, {0: command("c0")}))
    assert unit.next_append() is None


def test_only_what_is_read_back_is_applied(log: Log) -> None:
    unit = owner_on(log)
    sequence(unit, log, 0)
    assert notes(unit) == []
    read(unit, log)
    assert notes(unit) == ["commands:0:c0"]


def test_one_append_is_in_flight_until_acknowledged(log: Log) -> None:
    unit = owner_on(log)
    unit.take(values(COMMANDS, {0: command("c0")}))
    made = unit.next_append()
    unit.take(values(COMMANDS, {1: command("c1")}))
    assert made is not None
    assert unit.next_append() is None
    unit.appended(made.token)
    assert unit.next_append() is not None


def test_a_failed_append_goes_back_to_the_folds_positions_and_may_arrive_all_the_same(log: Log) -> None:
    unit = owner_on(log)
    sequence(unit, log, 0)
    unit.take(values(COMMANDS, {1: command("c1"), 2: command("c2")}))
    made = unit.next_append()
    assert made is not None
    unit.append_failed(made.token)
    assert unit.wanted()[COMMANDS] == 0
    sequence(unit, log, 0, count=2)
    log.append(made.data)  # late
    read(unit, log)
    assert notes(unit) == ["commands:0:c0", "commands:1:c1", "commands:2:c2"]


def test_a_late_word_about_an_append_given_up_is_ignored(log: Log) -> None:
    unit = owner_on(log)
    unit.take(values(COMMANDS, {0: command("c0")}))
    made = unit.next_append()
    assert made is not None
    unit.append_failed(made.token)
    unit.take(values(COMMANDS, {0: command("c0")}))
    again = unit.next_append()
    assert again is not None
    unit.appended(made.token)
    assert unit.next_append() is None, "the second append is still in flight"


def test_reading_an_ignored_frame_of_ones_own_leads_back_once(log: Log) -> None:
    unit = owner_on(log)
    unit.take(values(COMMANDS, {0: command("c0")}))
    forgotten = unit.next_append()
    assert forgotten is not None
    unit.appended(forgotten.token)  # acknowledged, but the broker lost it
    sequence(unit, log, 1)
    sequence(unit, log, 2)
    read(unit, log)
    assert notes(unit) == []
    assert unit.wanted()[COMMANDS] == 0
    sequence(unit, log, 0, count=3)
    read(unit, log)
    assert notes(unit) == ["commands:0:c0", "commands:1:c1", "commands:2:c2"]


def test_a_later_foreign_claim_freezes_a_unit(log: Log) -> None:
    old = owner_on(log, "a")
    sequence(old, log, 0)
    owner_on(log, "b")
    read(old, log)
    at = old.log_position
    assert old.phase is Phase.FENCED
    assert (old.send(10), old.next_append(), old.begin_checkpoint(), old.wanted()) == ([], None, None, {})
    log.put(Claim("later", "c", "", IN_FORCE))
    assert old.read(at, log[at]) is None
    assert old.log_position == at


def test_a_repeated_claim_of_the_past_fences_nobody(log: Log) -> None:
    owner_on(log, "a")
    unit = owner_on(log, "b")
    log.put(Claim("nonce of a", "a", "", IN_FORCE))
    log.put(unit.claim)
    read(unit, log)
    assert (unit.phase, unit.epoch) == (Phase.ACTIVE, 2)


def test_a_fenced_unit_claims_again_from_memory_with_its_unsent_outputs(log: Log) -> None:
    old = owner_on(log, "a")
    sequence(old, log, 0)
    new = owner_on(log, "b")
    sequence(new, log, 1)
    read(old, log)
    assert notes(old) == ["commands:0:c0"]
    old.reclaim("nonce of a, again")
    append(old, log)
    read(old, log)
    assert (old.phase, old.epoch) == (Phase.ACTIVE, len(log) - 1)
    assert notes(old) == ["commands:0:c0", "commands:1:c1"]
    assert [outgoing.offset for outgoing in old.send(10)] == [2, 4]


def test_sequencing_goes_on_from_the_folds_positions_at_the_own_claim(log: Log) -> None:
    first = owner_on(log, "a")
    sequence(first, log, 0, count=3)
    second = owner_on(log, "b")
    assert second.wanted()[COMMANDS] == 3


def test_everything_after_the_checkpoint_is_published_again(log: Log) -> None:
    old = owner_on(log, "a")
    sequence(old, log, 0)
    read(old, log)
    checkpoint = old.begin_checkpoint()
    sequence(old, log, 1)
    read(old, log)
    new = owner_on(log, "b", checkpoint)
    assert [outgoing.offset for outgoing in new.send(10)] == [3]
    assert notes(new) == ["commands:0:c0", "commands:1:c1"]


def test_outputs_go_out_in_order_with_their_log_offset_and_place(log: Log) -> None:
    unit = owner_on(log)
    sequence(unit, log, 0)
    sequence(unit, log, 1)
    read(unit, log)
    assert [(o.offset, o.place) for o in unit.send(1)] == [(2, 0)]
    assert [(o.offset, o.place) for o in unit.send(9)] == [(3, 0)]
    unit.outbox.failed()
    assert [(o.offset, o.place) for o in unit.send(9)] == [(2, 0), (3, 0)]


def test_a_checkpoint_is_valid_once_the_outputs_of_its_prefix_are_acknowledged(log: Log) -> None:
    unit = owner_on(log)
    sequence(unit, log, 0)
    read(unit, log)
    checkpoint = unit.begin_checkpoint()
    assert checkpoint is not None
    assert (checkpoint.epoch, checkpoint.offset) == (1, 3)
    sequence(unit, log, 1)
    read(unit, log)
    assert not unit.is_valid(checkpoint)
    unit.send(2)
    assert not unit.is_valid(checkpoint)
    unit.outbox.acknowledged(1)
    assert unit.is_valid(checkpoint), "the later output does not belong to its prefix"


def test_records_that_had_no_effect_publish_nothing(log: Log) -> None:
    unit = owner_on(log)
    sequence(unit, log, 0)
    log.append(log[-1])
    read(unit, log)
    assert len(unit.send(9)) == 1
    applied = unit.read(len(log), log[2])
    assert applied is not None
    assert (applied.effect, applied.outputs) == (Effect.REPEATED, [])
