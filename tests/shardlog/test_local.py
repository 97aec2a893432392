"""Sequencer and fold without a broker."""

from __future__ import annotations

import pytest

from streams.shardlog.local import LocalLog
from tests.shardlog.made import (
    COMMANDS,
    GENESIS,
    LAYOUT,
    SESSIONS,
    Recording,
    command,
    deposits,
    session,
    values,
)


def local() -> tuple[LocalLog, Recording]:
    core = Recording()
    return LocalLog(core, LAYOUT, GENESIS), core


def test_what_was_taken_is_all_there_is_before_a_session_record() -> None:
    log, core = local()
    log.take(values(SESSIONS, {0: session("settled")}))
    log.take(deposits({0: [("d1", 1), ("d2", 2)]}))
    outputs = list(log.drain())
    assert core.notes == ["account.events:0:d1", "account.events:0:d2", "settled"]
    assert [(o.offset, o.place, o.output.value) for o in outputs] == [(1, 0, {"n": 2})]


def test_a_window_is_applied_once_its_cut_is_here() -> None:
    log, core = local()
    log.take(values(COMMANDS, {0: command("c0"), 1: command("c1")}, window=True))
    assert list(log.drain()) == []
    log.take(values(SESSIONS, {0: session("clock", {"commands-0": 1})}, window=True))
    list(log.drain())
    assert core.notes == ["commands:0:c0", "clock"]


def test_a_cut_beyond_the_input_becomes_a_dead_letter() -> None:
    log, core = local()
    log.take(values(SESSIONS, {0: session("clock", {"commands-0": 9}), 1: session("close")}))
    assert [o.output.topic for o in log.drain()] == ["dead.letters"]
    assert core.notes == ["close"]


def test_missing_input_is_an_error() -> None:
    log, _ = local()
    with pytest.raises(ValueError, match="missing"):
        log.take(values(COMMANDS, {5: command("c5")}))
