"""Merging by time at the heads: one order however the input is cut up, no source reordered."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.shardlog.inputs import Input
from streams.shardlog.merge import Head, merge_heads, pieces_of
from streams.shardlog.queue import Piece
from tests.shardlog.made import COMMANDS, command, values

Times = list[list[int]]
"""Per source the event times in source order."""


def inputs_of(times: list[int], cuts: list[int], per_record: int) -> list[Input]:
    """A source's events, ``per_record`` of them at one offset, as several inputs cut between records."""
    found = []
    bounds = sorted({0, len(times), *(cut * per_record for cut in cuts if cut * per_record < len(times))})
    for first, end in pairwise(bounds):
        data = values(COMMANDS, {n: command(f"c{n}", times[n]) for n in range(first, end)})
        data.offsets[:] //= per_record
        found.append(data)
    return found


def merged(times: Times, cuts: list[int], per_record: int, rows: int) -> list[tuple[int, int]]:
    """(source, place in the source) of all events, merged about ``rows`` at a time."""
    left = [[Piece(data, 0, len(data)) for data in inputs_of(own, cuts, per_record)] for own in times]
    done = [0] * len(times)
    order: list[tuple[int, int]] = []
    while any(left):
        heads = [Head(pieces, complete=True) for pieces in left]
        for source, first, end in merge_heads(heads, rows):
            order += [(source, done[source] + n) for n in range(first, end)]
            assert sum(len(piece) for piece in pieces_of(heads[source], first, end)) == end - first
        for source, head in enumerate(heads):
            assert head.between_records
            left[source] = pieces_of(head, head.row, len(head.ts))
            done[source] += head.row
    return order


def expected(times: Times) -> list[tuple[int, int]]:
    at = [0] * len(times)
    order = []
    while any(at[s] < len(own) for s, own in enumerate(times)):
        _, source = min((own[at[s]], s) for s, own in enumerate(times) if at[s] < len(own))
        order.append((source, at[source]))
        at[source] += 1
    return order


sources = st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=1, max_size=3)


@given(sources, st.lists(st.integers(0, 8), max_size=3), st.integers(1, 9))
def test_the_order_is_that_of_the_heads_whatever_the_batches(
    times: Times, cuts: list[int], rows: int
) -> None:
    assert merged(times, cuts, 1, rows) == expected(times)


@given(sources, st.lists(st.integers(0, 4), max_size=3), st.integers(1, 9), st.integers(2, 3))
def test_published_frames_do_not_change_the_order_either(
    times: Times, cuts: list[int], rows: int, per_record: int
) -> None:
    assert merged(times, cuts, per_record, rows) == expected(times)


@given(sources, st.integers(1, 9), st.data())
def test_what_is_merged_before_everything_is_there_is_a_beginning_of_the_whole(
    times: Times, rows: int, data: st.DataObject
) -> None:
    known = [data.draw(st.integers(0, len(own))) for own in times]
    heads = [
        Head([Piece(i, 0, len(i)) for i in inputs_of(own[:n], [], 1)], complete=n == len(own))
        for own, n in zip(times, known, strict=True)
    ]
    begun = [(source, row) for source, first, end in merge_heads(heads, rows) for row in range(first, end)]
    assert begun == expected(times)[: len(begun)]
