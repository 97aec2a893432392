"""The sequencer: live on arrival, in a replay window by window, never past what is not acknowledged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.core import Source
from streams.shardlog.composer import Limits
from streams.shardlog.fold import Effect, Fold
from streams.shardlog.inputs import Input
from streams.shardlog.records import Events, Frame, Lost, Marks, SessionCut
from streams.shardlog.sequencer import Sequencer
from tests.shardlog.made import (
    ACCOUNTS,
    COMMANDS,
    GENESIS,
    LAYOUT,
    MORNING,
    RULES,
    SESSIONS,
    TRADES,
    Recording,
    command,
    deposits,
    session,
    trades,
    values,
)


class Driven:
    """A sequencer whose records are applied at once."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.core = Recording()
        self.fold = Fold(self.core, LAYOUT)
        self.fold.apply(0, GENESIS)
        self.sequencer = Sequencer(LAYOUT, "w", self.fold.positions, limits or Limits())

    def take(self, *inputs: Input) -> None:
        for data in inputs:
            assert self.sequencer.take(data)

    def records(self) -> Iterator[Frame]:
        while (record := self.sequencer.next_record()) is not None:
            self.sequencer.acknowledged()
            assert self.fold.apply(self.fold.offset, record).effect is Effect.APPLIED
            yield record

    def drain(self) -> list[str]:
        first = len(self.core.notes)
        list(self.records())
        return self.core.notes[first:]

    def position(self, source: Source) -> int:
        slot = LAYOUT.slot(source)
        assert slot is not None
        return self.fold.positions[slot]


@pytest.fixture
def driven() -> Driven:
    return Driven()


# -- live --


def test_live_events_go_out_in_the_order_of_arrival(driven: Driven) -> None:
    driven.take(
        values(COMMANDS, {0: command("c1", ts=9)}),
        deposits({0: [("d1", 1)]}),
        values(COMMANDS, {1: command("c2", ts=2)}),
    )
    assert driven.drain() == ["commands:0:c1", "account.events:0:d1", "commands:1:c2"]


def test_live_marks_of_all_partitions_go_out_together_and_evaluate(driven: Driven) -> None:
    driven.take(trades({0: ("A", MORNING, 10), 1: ("A", MORNING + 1, 11), 2: ("B", MORNING, 7)}))
    assert driven.drain() == ["marks A=11 B=7 evaluate"]


def test_one_append_is_in_flight(driven: Driven) -> None:
    driven.take(values(COMMANDS, {0: command("c1")}))
    assert driven.sequencer.next_record() is not None
    driven.take(values(COMMANDS, {1: command("c2")}))
    assert driven.sequencer.next_record() is None
    driven.sequencer.acknowledged()
    assert driven.sequencer.next_record() is not None


def test_events_and_market_data_take_turns() -> None:
    driven = Driven(Limits(events=1))
    driven.take(values(COMMANDS, {n: command(f"c{n}") for n in range(3)}), trades({0: ("A", MORNING, 1)}))
    kinds = [type(record) for record in driven.records()]
    assert kinds == [Events, Marks, Events, Events]


def test_a_live_session_record_waits_for_what_was_published_before_it(driven: Driven) -> None:
    driven.take(values(SESSIONS, {0: session("settled")}))
    assert driven.sequencer.needs_ends()
    assert driven.sequencer.meet({ACCOUNTS: 2, COMMANDS: 0}) is None
    driven.take(deposits({0: [("d1", 1)]}))
    assert driven.drain() == ["account.events:0:d1"]
    driven.take(deposits({1: [("d2", 1)], 2: [("late", 1)]}))
    assert driven.drain() == ["account.events:1:d2", "settled", "account.events:2:late"]


def test_a_settled_that_brings_no_cut_is_told_from_other_sessions(driven: Driven) -> None:
    driven.take(
        values(SESSIONS, {4: session("close"), 5: session("settled"), 6: session("settled", {})}, start=0)
    )
    for waiting in (None, 5, None):
        assert driven.sequencer.needs_ends() or waiting is None
        assert driven.sequencer.live_settled() == waiting
        driven.sequencer.meet({})
        driven.drain()


def test_a_session_record_goes_on_without_its_ends_until_they_are_known(driven: Driven) -> None:
    driven.take(values(SESSIONS, {0: session("clock")}), deposits({0: [("d1", 1)]}))
    assert driven.drain() == ["account.events:0:d1"]
    assert driven.sequencer.needs_ends()
    driven.sequencer.meet({ACCOUNTS: 1})
    assert driven.drain() == ["clock"]


def test_end_offsets_that_may_be_older_than_a_session_record_are_ignored(driven: Driven) -> None:
    driven.take(values(SESSIONS, {0: session("close")}))
    assert driven.sequencer.needs_ends()
    driven.sequencer.restart(LAYOUT.vector({SESSIONS: 1}))  # somebody else wrote it meanwhile
    driven.take(values(SESSIONS, {1: session("settled")}))
    driven.sequencer.meet({ACCOUNTS: 0})
    assert driven.sequencer.needs_ends(), "the ends were fetched before this record was read"


# -- windows --


def test_events_of_a_replay_are_held_until_a_cut_covers_them(driven: Driven) -> None:
    driven.take(deposits({0: [("d1", 1)], 1: [("d2", 2)]}, window=True))
    assert driven.drain() == []
    driven.take(values(SESSIONS, {0: session("clock", {"account.events-0": 1})}, window=True))
    assert driven.drain() == ["account.events:0:d1", "clock"]
    driven.take(values(SESSIONS, {1: session("clock", {"account.events-0": 2})}, window=True))
    assert driven.drain() == ["account.events:1:d2", "clock"]


def test_a_window_is_reference_data_then_events_by_time_then_marks_then_the_clock(driven: Driven) -> None:
    cut = {"account.events-0": 2, "commands-0": 2, "reference.rules-0": 1, "market.trades-0": 2}
    driven.take(
        values(SESSIONS, {0: session("clock", cut)}, window=True),
        trades({0: ("A", MORNING, 10), 1: ("A", MORNING + 1, 11)}, window=True),
        values(COMMANDS, {0: command("c1", MORNING + 2), 1: command("c2", MORNING + 4)}, window=True),
        deposits({0: [("d1", 1)], 1: [("d2", 3)]}, window=True),
        values(RULES, {0: {"id": "r1"}}, window=True),
    )
    assert driven.drain() == [
        "reference.rules:0:r1",
        "account.events:0:d1",
        "commands:0:c1",
        "account.events:1:d2",
        "commands:1:c2",
        "marks A=11",
        "clock",
    ]


def test_a_merge_waits_for_the_head_of_every_source_and_takes_it_up_where_it_stopped(driven: Driven) -> None:
    driven.take(
        values(SESSIONS, {0: session("clock", {"account.events-0": 2, "commands-0": 1})}, window=True),
        deposits({0: [("d1", 1)], 1: [("d2", 9)]}, window=True),
    )
    assert driven.sequencer.needs_ends()
    driven.sequencer.meet({ACCOUNTS: 2, COMMANDS: 1})
    assert driven.drain() == []
    driven.take(values(COMMANDS, {0: command("c1", MORNING + 5)}, window=True))
    assert driven.drain() == ["account.events:0:d1", "commands:0:c1", "account.events:1:d2", "clock"]


def test_a_merge_never_reorders_a_source_and_prefers_account_events_at_one_moment(driven: Driven) -> None:
    driven.take(
        values(SESSIONS, {0: session("clock", {"account.events-0": 2, "commands-0": 1})}, window=True),
        deposits({0: [("d1", 5)], 1: [("d2", 1)]}, window=True),
        values(COMMANDS, {0: command("c1", MORNING + 5)}, window=True),
    )
    assert driven.drain() == ["account.events:0:d1", "account.events:1:d2", "commands:0:c1", "clock"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_order_of_a_window_does_not_depend_on_the_size_of_records(limit: int) -> None:
    driven = Driven(Limits(events=limit, size=70 * limit))
    driven.take(
        values(SESSIONS, {0: session("clock", {"account.events-0": 3, "commands-0": 3})}, window=True),
        deposits({0: [("d1", 1)], 1: [("d2", 4)], 2: [("d3", 5)]}, window=True),
        values(COMMANDS, {n: command(f"c{n}", MORNING + 2 * n) for n in range(3)}, window=True),
    )
    order = [note.split(":")[2] for note in driven.drain()[:-1]]
    assert order == ["c0", "d1", "c1", "d2", "c2", "d3"]


def test_events_of_one_published_frame_stay_in_one_record_even_where_others_come_between() -> None:
    driven = Driven(Limits(events=1))
    driven.take(
        values(SESSIONS, {0: session("clock", {"account.events-0": 2, "commands-0": 1})}, window=True),
        deposits({0: [("d1", 1), ("d2", 7)], 1: [("d3", 8)]}, window=True),
        values(COMMANDS, {0: command("c1", MORNING + 5)}, window=True),
    )
    first = next(driven.records())
    assert isinstance(first, Events)
    assert driven.core.notes == ["account.events:0:d1", "commands:0:c1", "account.events:0:d2"]
    assert driven.drain() == ["account.events:1:d3", "clock"]


def test_a_published_frame_with_more_between_its_events_than_a_record_carries_is_written_all_the_same() -> (
    None
):
    driven = Driven(Limits(events=1))
    driven.take(
        values(SESSIONS, {0: session("clock", {"account.events-0": 1, "commands-0": 9})}, window=True)
    )
    driven.take(deposits({0: [("d1", 1), ("d2", 50)]}, window=True))
    for n in range(9):
        driven.take(values(COMMANDS, {n: command(f"c{n}", MORNING + 2 + n)}, window=True))
    notes = driven.drain()
    assert notes[0] == "account.events:0:d1"
    assert notes[-2:] == ["account.events:0:d2", "clock"]


def test_marks_of_a_window_may_be_split_and_never_evaluate() -> None:
    driven = Driven(Limits(ticks=2))
    driven.take(trades({n: ("A", MORNING + n, n + 1) for n in range(2)}, window=True))
    driven.take(trades({n: ("A", MORNING + n, n + 1) for n in range(2, 4)}, window=True))
    driven.take(values(SESSIONS, {0: session("clock", {"market.trades-0": 4})}, window=True))
    notes = driven.drain()
    assert notes[-1] == "clock"
    assert all(note.startswith("marks") and "evaluate" not in note for note in notes[:-1])


def test_live_traffic_is_sequenced_between_windows_of_a_replay(driven: Driven) -> None:
    driven.take(deposits({0: [("d1", 1)]}, window=True), values(COMMANDS, {0: command("c1")}))
    assert driven.drain() == ["commands:0:c1"]


# -- positions --


def test_rejected_records_and_holes_count_as_read(driven: Driven) -> None:
    driven.take(values(COMMANDS, {3: command("c1")}, start=0, end=9))
    driven.drain()
    assert driven.position(COMMANDS) == 9


def test_no_record_passes_what_is_not_acknowledged_yet(driven: Driven) -> None:
    data = deposits({0: [("d1", 1)], 2: [("d2", 1)]}, end=5)
    assert driven.sequencer.take(data, pending=[1, 4])
    assert driven.drain() == ["account.events:0:d1"]
    assert driven.position(ACCOUNTS) == 1
    driven.sequencer.release(ACCOUNTS, 1)
    assert driven.drain() == ["account.events:2:d2"]
    assert driven.position(ACCOUNTS) == 4
    driven.sequencer.release(ACCOUNTS, 4)
    assert driven.drain() == []
    assert driven.position(ACCOUNTS) == 5


def test_what_was_read_twice_is_dropped_and_a_gap_is_refused(driven: Driven) -> None:
    driven.take(values(COMMANDS, {0: command("c1"), 1: command("c2")}))
    driven.take(values(COMMANDS, {1: command("c2"), 2: command("c3")}))
    assert not driven.sequencer.take(values(COMMANDS, {5: command("c6")}))
    assert driven.sequencer.wanted()[COMMANDS] == 3
    assert driven.drain() == ["commands:0:c1", "commands:1:c2", "commands:2:c3"]


def test_a_restart_goes_on_from_the_positions_given(driven: Driven) -> None:
    driven.take(values(COMMANDS, {0: command("c1"), 1: command("c2")}))
    record = driven.sequencer.next_record()
    assert record is not None
    driven.sequencer.restart(driven.fold.positions)
    assert driven.sequencer.wanted()[COMMANDS] == 0
    assert driven.sequencer.next_record() is None
    driven.take(values(COMMANDS, {0: command("c1")}))
    again = driven.sequencer.next_record()
    assert again is not None
    assert again.span.attempt == record.span.attempt + 1


def test_a_cut_beyond_the_end_of_a_topic_is_a_bad_record_and_stalls_nobody(driven: Driven) -> None:
    driven.take(values(SESSIONS, {0: session("clock", {"account.events-0": 10**9}), 1: session("close", {})}))
    assert driven.sequencer.needs_ends()
    letter = driven.sequencer.meet({ACCOUNTS: 0})
    assert letter is not None
    assert (letter.value["id"], letter.value["field"]) == ("market.session/0/0", "cut")
    assert driven.drain() == []
    driven.sequencer.release(SESSIONS, 0)
    assert driven.drain() == ["close"]


def test_lost_input_is_passed_only_by_its_own_record(driven: Driven) -> None:
    driven.take(values(COMMANDS, {0: command("c1")}))
    driven.sequencer.lose(COMMANDS, 40, 777)
    driven.take(values(COMMANDS, {40: command("c2")}))
    records = list(driven.records())
    assert [type(record) for record in records] == [Events, Lost, Events]
    assert driven.core.notes == ["commands:0:c1", "commands:40:c2"]


def test_a_session_record_names_the_cut_it_was_given(driven: Driven) -> None:
    driven.take(
        values(SESSIONS, {0: session("clock", {"commands-0": 1})}), values(COMMANDS, {0: command("c")})
    )
    cut = list(driven.records())[-1]
    assert isinstance(cut, SessionCut)
    assert LAYOUT.named(cut.cut)[COMMANDS] == 1


def test_a_reader_is_asked_to_pause_when_much_waits_to_be_written() -> None:
    driven = Driven(Limits(buffered=2))
    driven.take(deposits({0: [("d1", 1)], 1: [("d2", 2)]}))
    assert not driven.sequencer.has_room(ACCOUNTS)
    assert driven.sequencer.has_room(TRADES)


def test_a_window_is_read_to_its_cut_however_long_it_is() -> None:
    driven = Driven(Limits(buffered=2))
    driven.take(deposits({0: [("d1", 1)], 1: [("d2", 2)]}, window=True))
    assert driven.sequencer.has_room(ACCOUNTS)
    driven.take(values(SESSIONS, {0: session("clock", {"account.events-0": 3})}))
    assert driven.sequencer.has_room(ACCOUNTS)
    driven.take(deposits({2: [("d3", 3)]}, window=True))
    assert not driven.sequencer.has_room(ACCOUNTS)
