"""The fold: overlap is skipped, a gap changes nothing, a session record waits for its cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from agents.core import Source
from agents.market.conflate import conflate_trades
from streams.shardlog.checkpoint import restore_fold, take_checkpoint
from streams.shardlog.fold import Effect, Fold, ForeignLogError
from streams.shardlog.records import Claim, Events, Genesis, Lost, Marks, SessionCut, Span
from tests.shardlog.made import (
    ACCOUNTS,
    COMMANDS,
    GENESIS,
    LAYOUT,
    MORNING,
    SESSIONS,
    SOURCES,
    TRADES,
    Recording,
    command,
    session,
    trade_batch,
    values,
)


def fold_of(genesis: Genesis | None = GENESIS) -> Fold:
    fold = Fold(Recording(), LAYOUT, GENESIS)
    if genesis is not None:
        fold.apply(0, genesis)
    return fold


def span(start: dict[Source, int], end: dict[Source, int]) -> Span:
    return Span(LAYOUT.sources, LAYOUT.vector(start), LAYOUT.vector({**start, **end}), "w", 0)


def commands(first: int, count: int, start: dict[Source, int] | None = None) -> Events:
    data = values(COMMANDS, {n: command(f"c{n}") for n in range(first, first + count)})
    moved = span({**(start or {}), COMMANDS: first}, {COMMANDS: first + count})
    return Events(moved, (data.segment(0, count),))


def cut(offset: int, reached: dict[Source, int], start: dict[Source, int] | None = None) -> SessionCut:
    moved = span({**(start or {}), SESSIONS: offset}, {SESSIONS: offset + 1})
    return SessionCut(moved, offset, 0, orjson.dumps(session("clock")), LAYOUT.vector(reached))


def apply(fold: Fold, record: Events | SessionCut | Marks | Lost) -> tuple[Effect, list[str]]:
    assert isinstance(fold.core, Recording)
    first = len(fold.core.notes)
    effect = fold.apply(fold.offset, record).effect
    return effect, fold.core.notes[first:]


def test_events_before_the_position_are_skipped_one_by_one() -> None:
    fold = fold_of()
    apply(fold, commands(0, 2))
    assert apply(fold, commands(1, 3)) == (Effect.APPLIED, ["commands:2:c2", "commands:3:c3"])
    assert fold.positions[LAYOUT.sources.index(COMMANDS)] == 4


def test_a_frame_that_moves_no_position_has_no_effect() -> None:
    fold = fold_of()
    apply(fold, commands(0, 2))
    assert apply(fold, commands(0, 2)) == (Effect.REPEATED, [])
    assert apply(fold, commands(1, 1)) == (Effect.REPEATED, [])


def test_repeated_marks_do_not_evaluate_again_and_overlapping_ones_do() -> None:
    marks = conflate_trades(trade_batch([("A", MORNING, 10)]), np.arange(1))
    fold = fold_of()
    first = Marks(span({}, {TRADES: 5}), marks, evaluate=True)
    assert apply(fold, first) == (Effect.APPLIED, ["marks A=10 evaluate"])
    assert apply(fold, first) == (Effect.REPEATED, [])
    assert apply(fold, Marks(span({TRADES: 3}, {TRADES: 6}), marks, evaluate=True))[0] is Effect.APPLIED


def test_a_gap_in_any_source_makes_a_frame_ignored_whole() -> None:
    fold = fold_of()
    assert apply(fold, commands(1, 2)) == (Effect.IGNORED, [])
    assert apply(fold, commands(0, 2, start={TRADES: 1})) == (Effect.IGNORED, [])
    assert fold.positions == [0] * len(LAYOUT)
    assert apply(fold, commands(0, 2))[0] is Effect.APPLIED


def test_a_session_record_applies_once_its_cut_is_reached() -> None:
    fold = fold_of()
    early = cut(0, {COMMANDS: 2})
    assert apply(fold, early) == (Effect.IGNORED, [])
    apply(fold, commands(0, 2))
    assert apply(fold, early) == (Effect.APPLIED, ["clock"])
    assert apply(fold, early) == (Effect.REPEATED, [])


def test_the_first_session_record_that_applies_stands() -> None:
    fold = fold_of()
    apply(fold, cut(0, {}))
    apply(fold, commands(0, 2))
    assert apply(fold, cut(0, {COMMANDS: 2})) == (Effect.REPEATED, [])


def test_a_session_record_does_not_jump_over_another() -> None:
    fold = fold_of()
    assert apply(fold, cut(1, {})) == (Effect.IGNORED, [])


def test_a_session_record_that_was_applied_does_not_apply_within_a_longer_frame() -> None:
    fold = fold_of()
    apply(fold, cut(0, {}))
    longer = replace(cut(0, {}), span=span({SESSIONS: 0}, {SESSIONS: 2}))
    assert apply(fold, longer) == (Effect.APPLIED, [])
    assert fold.positions[LAYOUT.session] == 2


def test_only_the_first_genesis_counts() -> None:
    fold = fold_of()
    assert fold.apply(1, replace(GENESIS, uuid="another")).effect is Effect.REPEATED
    assert fold.genesis == GENESIS


@pytest.mark.parametrize(
    "change", [{"partitions": 3}, {"market_partitions": 9}, {"prefix": "x."}, {"format": 99}]
)
def test_a_log_of_another_instance_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ForeignLogError, match=next(iter(change))):
        fold_of(replace(GENESIS, **change))


def test_a_log_that_does_not_begin_with_a_genesis_is_refused() -> None:
    for record in (Claim("n", "w", "", ""), commands(0, 1)):
        with pytest.raises(ForeignLogError, match="genesis"):
            fold_of(None).apply(0, record)


def test_only_the_first_copy_of_a_claim_counts() -> None:
    fold = fold_of()
    effects = [fold.apply(n, Claim(nonce, "w", "", "")).effect for n, nonce in enumerate("aba", start=1)]
    assert effects == [Effect.APPLIED, Effect.APPLIED, Effect.REPEATED]


def test_lost_input_is_reported_and_passed() -> None:
    fold = fold_of()
    outputs = fold.apply(1, Lost(span({}, {COMMANDS: 40}), COMMANDS, 777)).outputs
    assert [(o.topic, o.value["kind"], o.value["ts"]) for o in outputs] == [
        ("system.events", "input_lost", 777)
    ]
    assert outputs[0].value["figures"] == {"topic": "commands", "partition": 0, "first": 0, "next": 40}
    assert apply(fold, commands(40, 1)) == (Effect.APPLIED, ["commands:40:c40"])


def test_a_record_is_never_applied_twice_at_one_offset() -> None:
    fold = fold_of()
    fold.apply(4, commands(0, 1))
    with pytest.raises(ValueError, match="again"):
        fold.apply(4, commands(1, 1))


def test_a_source_that_a_frame_does_not_name_stays_where_it_is() -> None:
    fold = fold_of()
    older = Events(Span((COMMANDS,), (0,), (1,), "w", 0), commands(0, 1).segments)
    assert apply(fold, older) == (Effect.APPLIED, ["commands:0:c0"])


def test_a_checkpoint_gives_back_the_fold() -> None:
    fold = fold_of()
    fold.apply(1, Claim("n", "w", "", ""))
    apply(fold, commands(0, 2))
    checkpoint = take_checkpoint(fold, epoch=1)
    other = Fold(Recording(), LAYOUT, replace(GENESIS, uuid="fresh"))
    restore_fold(other, checkpoint)
    assert (other.offset, other.positions, other.nonces, other.genesis) == (3, fold.positions, {"n"}, GENESIS)
    assert isinstance(other.core, Recording)
    assert other.core.notes == ["commands:0:c0", "commands:1:c1"]


def test_a_checkpoint_of_another_partition_or_instance_is_refused() -> None:
    checkpoint = take_checkpoint(fold_of(), epoch=0)
    with pytest.raises(ForeignLogError, match="partition 0"):
        restore_fold(Fold(Recording(), SOURCES.of_shard(1), GENESIS), checkpoint)
    with pytest.raises(ForeignLogError, match="prefix"):
        restore_fold(Fold(Recording(), LAYOUT, replace(GENESIS, prefix="p.")), checkpoint)


def test_a_checkpoint_from_before_a_source_was_added_starts_it_at_the_beginning() -> None:
    checkpoint = take_checkpoint(fold_of(), epoch=0)
    del checkpoint.positions[ACCOUNTS]
    fold = Fold(Recording(), LAYOUT, GENESIS)
    restore_fold(fold, checkpoint)
    assert fold.positions == [0] * len(LAYOUT)
