"""The schedule refuses what is out of order, has gaps or has the wrong type, and says where."""

import re

import pytest

from agents.rules.presets import BUILT_IN_SINCE, Presets
from agents.rules.schedule import NoRuleError, Schedule, ScheduleError, built_in
from schemas import decode
from schemas.errors import BadRecord
from schemas.units import parse_day

HEAD = "schema: 1\nparameters:\n  p:\n    type: {kind}\n    entries:\n"


def text(*entries: str, kind: str = "ratio") -> str:
    return HEAD.format(kind=kind) + "".join(f"      - {{{entry}}}\n" for entry in entries)


def entry(since: str = "2015-01-01", value: str = '"0.5"', more: str = "") -> str:
    return f'from: "{since}", value: {value}, conf: V1, source: s{more}'


def test_a_value_holds_from_its_day_until_the_next() -> None:
    schedule = Schedule.parse(text(entry(), entry("2016-01-01", '"0.8"')))
    assert schedule.number("p", parse_day("2015-12-31")) == 5_000
    assert schedule.number("p", parse_day("2016-01-01")) == 8_000
    assert schedule.entry("p", parse_day("2020-01-01")).rule == "p@2016-01-01"
    assert schedule.find("p", parse_day("2014-12-31")) is None


def test_before_its_first_day_the_first_value_stands_in_where_one_is_needed() -> None:
    assert Schedule.parse(text(entry())).number("p", parse_day("2014-12-31")) == 5_000


def test_a_value_may_end() -> None:
    schedule = Schedule.parse(text(entry(more=', to: "2015-01-31"')))
    assert schedule.find("p", parse_day("2015-01-31")) is not None
    assert schedule.find("p", parse_day("2015-02-01")) is None
    with pytest.raises(NoRuleError, match="no p is in force on 2015-02-01"):
        schedule.number("p", parse_day("2015-02-01"))


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (
            text(entry("2016-01-01"), entry("2015-01-01")),
            "parameters.p[1]: 2015-01-01 does not follow 2016-01-01",
        ),
        (text(entry(), entry()), "parameters.p[1]: 2015-01-01 does not follow 2015-01-01"),
        (
            text(entry(more=', to: "2015-02-01"'), entry("2015-03-01")),
            "parameters.p[1]: gap after 2015-02-01",
        ),
        (text(entry(more=', to: "2015-04-01"'), entry("2015-03-01")), "begins before the entry above ends"),
        (text(entry(more=', to: "2014-04-01"')), "ends before it begins"),
        (text(entry(value="0.5")), "parameters.p[0]: a decimal must be written in quotes, got 0.5"),
        (text(entry(value='"0.50001"')), "finer than 1/10000"),
        (text(entry(value='"-0.5"')), "negative"),
        (text(entry(value='"half"')), "is not a decimal"),
        (text(entry(value='"0.5"', more=", extra: 1")), "unknown ['extra']"),
        (text('from: "2015-01-01"'), "missing ['conf', 'source', 'value']"),
        (text(entry("2015-02-30")), "is not a date"),
        (
            text('from: 2015-01-01, value: "1", conf: V1, source: s'),
            'must be written as "YYYY-MM-DD", in quotes',
        ),
        (text(entry().replace("V1", "V9")), "'V9' is not a confidence code"),
        (text(entry(), kind="colour"), "type must be one of"),
        (text(entry(value="true"), kind="count"), "expected a whole number, got True"),
        (
            text(entry(value="{suspend: '0.2', resume: '0.3', remind: '0.1'}"), kind="lines"),
            "must not lie above suspend",
        ),
        (text(entry(value="{minimum: 100, step: 100, max: 150}"), kind="lot"), "max is a multiple of step"),
        (text(entry(value="{width: '0.02'}"), kind="cage"), "expected the fields width, ticks"),
        ("schema: 2\nparameters: {}", "schema must be 1"),
        ("schema: 1\nparameters: {}\nboundary: {x: maybe}", "boundary.x: 'maybe'"),
        ("schema: [", "not YAML"),
        ("schema: 1\nparameters: {p: 3}", "parameters.p: needs a type and a list of entries"),
    ],
)
def test_a_fault_is_named_with_its_place(broken: str, complaint: str) -> None:
    with pytest.raises(ScheduleError, match=re.escape(complaint)):
        Schedule.parse(broken)


def test_a_boundary_can_be_read_the_other_way() -> None:
    assert built_in().inclusive("resume_at")
    assert not built_in().with_boundary(resume_at="exclusive").inclusive("resume_at")
    with pytest.raises(ScheduleError):
        built_in().with_boundary(resume_at="sometimes")
    with pytest.raises(ScheduleError):
        built_in().with_boundary(no_such_boundary="inclusive")


def rules(**changes: object) -> bytes:
    import orjson

    record = {
        "preset": "C",
        "from": "2025-04-07",
        "warn": "1.45",
        "min": "1.35",
        "immediate": None,
        "immediate_mode": "realtime",
        "target": "1.60",
        "cure_by": 2,
        "cure_at": "intraday",
        "liquidate_from": 3,
        "rearm": "0.02",
        "commission": "0.0003",
        "financing_rate": "0.0835",
    }
    return orjson.dumps(record | changes)


def test_the_built_in_presets_are_those_of_the_rulebook() -> None:
    presets = Presets()
    lines = {
        name: (p.warn, p.min, p.immediate, p.target, p.cure_by, p.liquidate_from, p.immediate_mode)
        for name in "ABCD"
        for p in [presets.at(name, BUILT_IN_SINCE)]
    }
    assert lines == {
        "A": (15_000, 13_000, None, 15_000, 1, 2, "by_settled"),
        "B": (15_000, 13_000, None, 15_000, 2, 3, "by_settled"),
        "C": (14_000, 13_000, 11_000, 15_000, 1, 2, "by_settled"),
        "D": (15_000, 13_000, 11_500, 15_000, 1, 2, "realtime"),
    }


def test_accounts_without_a_preset_have_a_before_and_c_since_july_2015() -> None:
    presets = Presets()
    assert presets.default_name(parse_day("2015-07-01")) == "A"
    assert presets.default_name(parse_day("2015-07-02")) == "C"


def test_a_brokers_version_replaces_the_built_in_one_from_its_day() -> None:
    presets = Presets()
    presets.update(decode("reference.rules", rules()))
    before, after = presets.at("C", parse_day("2025-04-06")), presets.at("C", parse_day("2025-04-07"))
    assert (before.min, after.min) == (13_000, 13_500)
    assert (after.immediate, after.financing_rate, after.lending_rate, after.auto_pay) == (
        None,
        83_500,
        0,
        False,
    )
    assert after.rule == "preset C@2025-04-07"
    copy = Presets()
    copy.load(presets.dump())
    assert copy.dump() == presets.dump()


def test_a_new_name_holds_before_its_first_day_too_and_an_unknown_one_does_not_exist() -> None:
    presets = Presets()
    presets.update(decode("reference.rules", rules(preset="VIP")))
    assert "VIP" in presets
    assert presets.at("VIP", parse_day("2020-01-01")).min == 13_500
    with pytest.raises(KeyError):
        presets.at("NOBODY", parse_day("2020-01-01"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min": "1.50"}, "min"),
        ({"immediate": "1.40"}, "immediate"),
        ({"target": "1.30"}, "target"),
        ({"liquidate_from": 2}, "liquidate_from"),
    ],
)
def test_contradictory_lines_are_refused_with_their_field(changes: dict[str, object], field: str) -> None:
    presets = Presets()
    with pytest.raises(BadRecord) as caught:
        presets.update(decode("reference.rules", rules(**changes)))
    assert caught.value.field == field
    assert presets.dump() == Presets().dump()
