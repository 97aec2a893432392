"""`make bench` finds every benchmark."""

from __future__ import annotations

from importlib.util import find_spec

from tests.bench.choice import chosen


def test_without_a_word_all_benchmarks_are_chosen_and_with_one_those_that_contain_it() -> None:
    assert {"gate", "latency", "margin", "path", "transport"} <= set(chosen())
    assert chosen("gat") == ["gate"]
    assert all(find_spec(f"tests.bench.bench_{name}") for name in chosen())
