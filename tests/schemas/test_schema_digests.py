"""Digests of account events: the same meaning has the same digest, another meaning another one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import AccountBatch, encode
from schemas.account_decoding import decode_account_events
from tests.schemas import examples
from tests.schemas.event_strategies import ACCOUNT_EVENTS

slow = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _events(*changes: dict[str, Any]) -> AccountBatch:
    fill = examples.ACCOUNT_EVENTS["fill"]
    decoded = decode_account_events([orjson.dumps({**fill, **change}) for change in changes])
    assert not decoded.bad
    return decoded.batch


def test_a_digest_depends_on_the_meaning_not_on_the_writing() -> None:
    same: list[dict[str, Any]] = [
        {},
        {"price": 1500.1},
        {"price": "1500.1000"},
        {"fee": "5.00"},
        {"rate": "0.083500"},
        {"unknown": 1},
    ]
    fill = examples.ACCOUNT_EVENTS["fill"]
    backwards = decode_account_events([orjson.dumps(dict(reversed(fill.items())))]).batch
    digests = {*_events(*same).digest.tolist(), *backwards.digest.tolist()}
    assert len(digests) == 1


def test_a_digest_sees_every_field_but_account_and_id() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"ts": examples.TS + 1},
        {"business": "collateral_buy"},
        {"security": "600519.SZ"},
        {"qty": 200},
        {"price": "1500.101"},
        {"fee": 6},
        {"fee": None},
        {"order": "o2"},
        {"order": None},
        {"contract": "o1"},
        {"contract": "o1", "order": "F2"},
        {"rate": "0.08351"},
        {"margin_ratio": "0.81"},
        {"due": "2025-10-08"},
    ]
    assert len(set(_events(*changes).digest.tolist())) == len(changes)
    assert len(set(_events({}, {"id": "other"}, {"account": "B"}).digest.tolist())) == 1


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("opening", {"positions": []}),
        ("opening", {"cash": "100.001"}),
        ("opening", {"contracts": [{**examples.ACCOUNT_EVENTS["opening"]["contracts"][0], "accrued": 0}]}),
        ("opening", {"preset": "D"}),
        ("order_closed", {"reason": "cancelled"}),
        ("freeze", {"reason": "court"}),
        ("cash", {"action": "a1"}),
        ("cash", {"amount": "12.5"}),
        ("transfer", {"qty": 1}),
        ("extend", {"due": "2026-01-06"}),
    ],
)
def test_a_digest_sees_the_fields_of_every_kind(kind: str, change: dict[str, Any]) -> None:
    event = examples.ACCOUNT_EVENTS[kind]
    batch = decode_account_events([orjson.dumps(event), orjson.dumps({**event, **change})]).batch
    assert batch.digest[0] != batch.digest[1]


@given(st.lists(ACCOUNT_EVENTS, min_size=1, max_size=6))
@slow
def test_a_digest_is_the_same_in_any_company(events: list[Any]) -> None:
    values = [encode(event) for event in events]
    together = decode_account_events(values).batch.digest.tolist()
    assert together == [decode_account_events([value]).batch.digest[0] for value in values]


PINNED_DIGESTS = [
    "d26c05b806d3224a",
    "96c7d546b93e8ab7",
    "1b3111e0b6a730bd",
    "c8845ab65e03900e",
    "84bc7f911e1e9ab4",
    "e55aad203ef3ab1c",
    "c061db10157a0518",
    "d3c2c0edf088f05b",
    "7bd8072d1aa86e4a",
    "ff69adcbd874b67f",
    "fdb18170a0dfa6ca",
]
"""Of the examples, in the order of the kinds."""


def test_digests_never_change_since_checkpoints_hold_them() -> None:
    values = [orjson.dumps(event) for event in examples.ACCOUNT_EVENTS.values()]
    digests = decode_account_events(values).batch.digest
    assert [f"{d:016x}" for d in digests.tolist()] == PINNED_DIGESTS


def test_a_digest_does_not_see_what_changes_nothing_in_an_opening() -> None:
    opening = examples.ACCOUNT_EVENTS["opening"]
    first, second = opening["positions"]
    same = [
        opening,
        {**opening, "positions": [second, first]},
        {**opening, "positions": [{**first, "sellable": first["qty"]}, second]},
        {**opening, "cash": "100"},
    ]
    batch = decode_account_events([orjson.dumps(event) for event in same]).batch
    assert len(set(batch.digest.tolist())) == 1
