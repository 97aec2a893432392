"""Rules and boundaries reach the cores that judge accounts, whatever brought them: file, setting, record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from agents.financing.core import FinancingCore
from agents.margin.shard import MarginShard
from agents.rules.overlay import overlay
from agents.rules.schedule import Schedule, built_in
from schemas.errors import BadRecord
from streams.checkpoints import CheckpointStore
from streams.cli import main, root
from streams.doctor import check_rules
from streams.errors import SettingsError
from streams.rules_file import in_force, load_rules
from streams.run import OfflineRun, RunOptions
from streams.settings import load
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.records import Genesis
from tests.margin.books import BANK, MONDAY, Diary, at, opening

OURS = """
schema: 1
boundary: {call_below: inclusive}
parameters:
  margin_financing:
    entries:
      - {from: "2024-03-01", value: "1.20", conf: P, source: our board}
"""
PRESET = """
presets:
  own: {warn: "1.50", min: "1.40", immediate: null, immediate_mode: by_settled, target: "1.60", cure_by: 1,
      cure_at: settled, liquidate_from: 2, rearm: "0.01", commission: "0.0003", source: our board}
"""


def levels_at(price: str, rules: Schedule | None = None) -> list[str]:
    """What a settled day says of 1,000 shares against 1,000 owed, level and calls: the price is the ratio."""
    diary = Diary(rules=rules or built_in()).at(MONDAY, "09:31")
    book = diary.book
    book.session("pre_open", MONDAY, at(MONDAY, "09:00"))
    book.event(opening(held={BANK: 1_000}, owes="1000"))
    said = diary.price(BANK, price) + book.session("settled", MONDAY, at(MONDAY, "16:00"))
    ratios = [record["level"] for record in said if "level" in record]
    return [*ratios[-1:], *(record["event"] for record in said if "event" in record)]


def test_a_ratio_that_equals_the_minimum_calls_only_where_it_is_read_inclusive() -> None:
    inclusive = built_in().with_boundary(call_below="inclusive")
    assert levels_at("1.30") == ["warn", "warned"]
    assert levels_at("1.299")[:1] == ["below_min"]
    assert levels_at("1.30", inclusive) == ["below_min", "below_min", "called"]
    assert levels_at("1.301", inclusive) == ["warn", "warned"]
    assert levels_at("1.40") == ["normal"]
    assert levels_at("1.40", inclusive) == ["warn", "warned"]
    assert levels_at("1.10") == ["below_min", "below_min", "called"]
    assert levels_at("1.10", inclusive)[-1] == "immediate"


def test_records_that_contradict_themselves_leave_the_old_preset_in_force() -> None:
    diary = Diary()
    lines: dict[str, Any] = {
        "preset": "C", "from": MONDAY, "warn": "1.50", "min": "1.45", "immediate": None,
        "immediate_mode": "by_settled", "target": "1.60", "cure_by": 1, "cure_at": "settled",
        "liquidate_from": 2, "rearm": "0.01", "commission": "0.00025",
    }  # fmt: skip
    shard = diary.book.core
    before = shard.desk.terms.presets.dump()
    with pytest.raises(BadRecord, match="min"):
        diary.book.reference("reference.rules", lines | {"warn": "1.40"})
    low = {"warn": "1.00", "min": "0.90", "target": "1.00"}
    with pytest.raises(BadRecord, match=r"target: must lie above 1\.00"):
        diary.book.reference("reference.rules", lines | low)
    assert shard.desk.terms.presets.dump() == before
    diary.book.reference("reference.rules", lines)
    assert [preset["min"] for preset in shard.desk.terms.presets.dump()] == [14_500]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(OURS, encoding="utf-8")
    return path


def test_the_file_of_the_setting_reaches_every_core(ours: Path) -> None:
    rules = load_rules(load(env={"LIANGRONG_RULES": str(ours)}))
    assert rules.inclusive("call_below")
    cores = OfflineRun(RunOptions(partitions=2, rules=rules)).cores
    shards = [core for core in cores if isinstance(core, MarginShard)]
    assert [shard.desk.rules for shard in shards] == [rules, rules]
    assert all(shard.desk.terms.rules is rules for shard in shards)
    firm = cores[-1]
    assert isinstance(firm, FinancingCore)
    assert firm.config.schedule is rules


def test_without_the_setting_the_built_in_rules_hold() -> None:
    assert load_rules(load(env={})) is built_in()


def test_a_file_that_is_not_there_or_contradicts_is_a_settings_error_with_its_place(ours: Path) -> None:
    with pytest.raises(SettingsError, match=r"LIANGRONG_RULES: there is no file"):
        load(env={"LIANGRONG_RULES": str(ours.parent / "none.yaml")})
    ours.write_text(OURS.replace('"1.20"', '"0.20"'), encoding="utf-8")
    with pytest.raises(
        SettingsError, match=r"ours.yaml: parameters.margin_financing\[0\]: must lie not below"
    ):
        load_rules(load(env={"LIANGRONG_RULES": str(ours)}))


def said(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["rules", *arguments])


def test_the_command_shows_what_holds_and_since_when(ours: Path) -> None:
    shown = said("--date", "2025-04-07").output.splitlines()
    line = next(line for line in shown if line.startswith("margin_financing "))
    assert line.split() == ["margin_financing", "0.80", "2023-09-11", "V1", "3.1", "[S17]"]
    with_file = said("--date", "2025-04-07", "--rules", str(ours)).output.splitlines()
    line = next(line for line in with_file if line.startswith("margin_financing "))
    assert line.split() == ["margin_financing", "1.20", "2024-03-01", "P", "our", "board"]
    assert any(line.startswith("  inclusive: call_below") for line in with_file)


def test_the_command_as_json_has_every_parameter_once() -> None:
    found = orjson.loads(said("--date", "2015-07-01", "--json").output)
    names = [row["parameter"] for row in found["parameters"]]
    assert len(names) == len(set(names))
    floor = next(row for row in found["parameters"] if row["parameter"] == "mmr_floor_exchange")
    assert (floor["value"], floor["from"], floor["conf"]) == ("1.30", "2006-08-21", "V1")
    assert {preset["preset"] for preset in found["presets"]} == {"A", "B", "C", "D"}


def test_the_command_shows_what_changed_between_two_days() -> None:
    found = orjson.loads(said("--date", "2023-10-27", "--diff", "2023-10-30", "--json").output)
    changes = {row["parameter"]: (row["before"]["value"], row["after"]["value"]) for row in found["changes"]}
    assert changes == {"margin_lending": ("0.50", "0.80"), "margin_lending_private_fund": ("0.50", "1.00")}
    assert "The same rules hold" in said("--date", "2023-10-25", "--diff", "2023-10-26").output
    assert "S18" in said("--date", "2023-10-27", "--diff", "2023-10-30", "--sources").output


def test_a_date_that_is_none_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", "--date", "2015-02-30"])
    assert ended.value.code == 2
    assert "--date 2015-02-30 is no day of the calendar" in capsys.readouterr().err


def test_a_day_before_all_rules_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", "--date", "1990-01-01"])
    assert ended.value.code == 2
    assert "no rule is known for 1990-01-01" in capsys.readouterr().err


def test_before_the_business_began_no_preset_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rules", "--date", "1999-01-04"])
    printed = capsys.readouterr().out
    assert "limit_main" in printed
    assert "Presets" not in printed
    assert "Only stated" not in printed


ADDON = """
schema: 1
parameters: {margin_addon: {entries: [{from: "2025-01-02", value: discount, conf: P, source: our board}]}}
"""


def margin_of_a_new_contract(rules: Schedule, **published: str) -> int:
    """What a financing buy of a stock with haircut 0.70 fixes on 2025-04-07, 1e-4."""
    diary = Diary(rules=rules).at(MONDAY, "09:31")
    about = {"security": BANK, "date": MONDAY, "kind": "stock", "board": "main", "index_member": True}
    diary.book.reference("reference.securities", about | {"haircut": "0.70"} | published)
    diary.book.session("pre_open", MONDAY, at(MONDAY, "09:00"))
    diary.book.event(opening(cash="10000"))
    diary.fill("financing_buy", BANK, 100, "10.00")
    contracts = diary.book.core.desk.books.contracts
    return contracts.margin_ratio[0]


def test_a_new_contract_has_the_brokers_add_on_or_the_published_ratio_never_less_than_the_exchanges() -> None:
    assert margin_of_a_new_contract(built_in()) == 8_000
    assert margin_of_a_new_contract(overlay(built_in(), ADDON)) == 11_000
    assert margin_of_a_new_contract(built_in(), financing_margin="0.95") == 9_500
    assert margin_of_a_new_contract(built_in(), financing_margin="0.50") == 8_000


def in_force_with(ours: Path, text: str, **more: str) -> str:
    ours.write_text(text, encoding="utf-8")
    settings = load(env={"LIANGRONG_RULES": str(ours), **more})
    return in_force(settings, load_rules(settings))


def test_what_is_in_force_is_known_by_its_meaning(ours: Path) -> None:
    own = in_force_with(ours, OURS)
    built_in_rules = in_force(load(env={}), built_in())
    assert own != built_in_rules
    assert in_force_with(ours, "# a comment\n" + OURS.replace("our board", "the board")) == own
    assert in_force_with(ours, "schema: 1") == built_in_rules
    assert in_force_with(ours, OURS.replace("2024-03-01", "2024-03-04")) != own
    assert in_force_with(ours, OURS.replace("inclusive", "exclusive")) != own
    assert in_force_with(ours, OURS + PRESET) != own
    assert in_force_with(ours, OURS + PRESET.replace("1.50", "1.500")) == in_force_with(ours, OURS + PRESET)
    for setting, value in (("LIQUIDATION", "auto"), ("SCOPE", "market"), ("CEILING_YUAN", "5")):
        assert in_force_with(ours, OURS, **{f"LIANGRONG_{setting}": value}) != own


def test_doctor_says_where_the_checkpoints_were_taken_by_other_rules(ours: Path, tmp_path: Path) -> None:
    env = {"LIANGRONG_RULES": str(ours), "LIANGRONG_CHECKPOINTS": str(tmp_path / "kept")}
    settings = load(env=env)
    own = in_force(settings, load_rules(settings))
    store = CheckpointStore(settings.checkpoints)
    for partition, rules in ((0, own), (3, "rules of yesterday")):
        assert check_rules(settings).verdict == "ok"
        genesis = Genesis("u", 8, 4, "")
        store.publish(store.prepare(Checkpoint(partition, 1, 2, genesis, (), rules, 2, {}, {})))
    found = check_rules(settings)
    assert found.verdict == "warning"
    assert "partition 3 of shard.log was last kept by: rules of yesterday" in found.text
    assert "orderly stop" in found.advice


def test_doctor_reads_the_rules_and_tells_files_apart(ours: Path) -> None:
    settings = load(env={"LIANGRONG_RULES": str(ours)})
    assert check_rules(load(env={})).text.startswith("built in: rules ")
    first = check_rules(settings)
    ours.write_text(OURS.replace('"1.20"', '"1.30"'), encoding="utf-8")
    assert (first.verdict, check_rules(settings).verdict) == ("ok", "ok")
    assert first.text != check_rules(settings).text
    ours.write_text("schema: 2", encoding="utf-8")
    assert check_rules(settings).verdict == "failed"
