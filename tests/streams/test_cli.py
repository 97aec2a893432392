"""The command line as a person meets it: what it prints, its exit codes, and no traceback."""

from __future__ import annotations

import errno
import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.checkpoints import CheckpointStore
from streams.cli import _Seldom, main
from streams.doctor import check_checkpoints
from streams.errors import SettingsError, expected
from streams.settings import load
from tests.brokers import Broker
from tests.plain_client import read_all, send

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from streams.cli import main; main()"]
TRADE = '{"security":"600519.SH","ts":1743987600000,"price":"1499.50","qty":100}'


def environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "LIANGRONG_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), **env}


def liangrong(*arguments: str, env: Mapping[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [*MAIN, *arguments]
    done = subprocess.run(
        command,
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def printed_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


def test_help_names_commands_and_settings_and_loads_no_kafka_client() -> None:
    code = "import sys; from streams.cli import _run; _run(['--help']); assert 'aiokafka' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in ("publish", "subscribe", "doctor", "topics", "broker", "KAFKA_BOOTSTRAP", "LIANGRONG_SCOPE"):
        assert word in done.stdout


@pytest.mark.parametrize("command", ["broker", "topics", "publish", "subscribe", "record", "doctor"])
def test_every_command_explains_itself(command: str) -> None:
    assert "Usage: liangrong" in liangrong(command, "--help", env={}).stdout


@pytest.mark.parametrize(
    ("arguments", "env", "code", "says"),
    [
        (("nonsense",), {}, 2, "No such command"),
        (("topics", "list", "--partitions", "many"), {}, 2, "LIANGRONG_PARTITIONS=many"),
        (("topics", "list"), {"LIANGRONG_SCOPE": "moon"}, 2, "LIANGRONG_SCOPE=moon"),
        (("topics", "list"), {"KAFKA_BOOTSTRAP": "127.0.0.1:1"}, 1, "no Kafka broker answers at 127.0.0.1:1"),
        (("topics", "list"), {"XDG_RUNTIME_DIR": "/nowhere"}, 1, "there is no broker"),
        (("subscribe", "margin.call"), {}, 2, "there is no topic margin.call"),
        (("publish", "market.trades", "no.csv"), {}, 2, "there is no file no.csv"),
        (("publish", "margin.calls"), {}, 2, "not a topic that people publish to"),
        (("subscribe", "--since", "soon"), {}, 2, "soon is no moment"),
        (("worker", "--partitions", "3-1"), {}, 2, "3-1 ends before it begins"),
        (("books", "make", "--as-of", "2025-04-02", "--days", ".", "days"), {}, 2, "exclude each other"),
        (("worker", "--partitions", "0-8"), {}, 2, "this instance has partitions 0 to 7"),
        (("import", "daily", "no.csv", "days"), {}, 2, "there is no file no.csv"),
    ],
)
def test_what_cannot_work_is_one_message_and_an_exit_code(
    arguments: tuple[str, ...],
    env: dict[str, str],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in os.environ:
        if name.startswith(("KAFKA_", "LIANGRONG_")):
            monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == code
    assert says in printed.err
    assert printed.out == ""


def test_what_the_operating_system_refuses_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "Error writing bytes to file")

    monkeypatch.setattr("streams.importers.assemble.import_files", lambda *_, **__: full())
    with pytest.raises(SystemExit) as ended:
        main(["import", "daily", "bars.csv", str(tmp_path)])
    assert (ended.value.code, capsys.readouterr().err) == (1, "liangrong: No space left on device\n")
    assert expected(OSError("no number: a defect of the program")) is None


def test_checkpoints_at_a_url_of_an_unknown_kind_are_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="LIANGRONG_CHECKPOINTS=moon://crater: Protocol not known"):
        CheckpointStore("moon://crater")
    assert check_checkpoints(load(env={"LIANGRONG_CHECKPOINTS": "moon://crater"})).verdict == "failed"


def test_a_client_without_a_broker_does_not_say_the_same_all_the_time() -> None:
    seldom = _Seldom()

    def said(name: str, at: float) -> bool:
        record = logging.makeLogRecord({"name": name, "msg": "cannot connect to %s", "created": at})
        return seldom.filter(record)

    times = (100.0, 100.1, 129.9, 130.0, 130.1)
    assert [said("aiokafka.client", at) for at in times] == [True, False, False, True, False]
    assert all(said("streams.worker", at) for at in times)


def test_a_reader_who_has_had_enough_and_a_terminal_without_all_signs_are_no_failure() -> None:
    command = f"set -o pipefail; {shlex.join(MAIN)} rules --date 2025-04-07"
    for rest in (" | head -1", " >/dev/null"):
        done = subprocess.run(
            ["bash", "-c", command + rest],
            env=environment({"PYTHONIOENCODING": "ascii"}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_options_are_the_variables_by_their_names(broker: Broker) -> None:
    options = ["--kafka-bootstrap", broker.bootstrap, "--LIANGRONG_TOPIC_PREFIX", broker.prefix]
    created = printed_json(liangrong("topics", "create", "--partitions", "2", "--json", *options, env={}))
    assert {t["name"]: t["partitions"] for t in created}[broker.prefix + "margin.calls"] == 2


async def test_published_lines_reach_the_broker_and_a_bad_one_is_named(broker: Broker) -> None:
    assert "23 topics created" in liangrong("topics", "create", env=broker.env).stdout
    good = liangrong("publish", "market.trades", "--json", env=broker.env, stdin=f"{TRADE}\n{TRADE}\n")
    assert printed_json(good) == {"topic": "market.trades", "published": 2}
    bad = liangrong(
        "publish", "market.trades", env=broker.env, stdin=f'{TRADE}\n\n{{"security":1}}\n{TRADE}\n'
    )
    assert bad.returncode == 1
    assert "line 3: security" in bad.stderr
    assert "Published before it: 1" in bad.stderr
    rest = liangrong("publish", "market.trades", "-", "--no-validate", env=broker.env, stdin="oops\n")
    assert rest.returncode == 0
    assert len(await read_all(broker, "market.trades")) == 4


async def test_a_csv_file_can_be_published_as_frames(broker: Broker, tmp_path: Path) -> None:
    liangrong("topics", "create", env=broker.env)
    file = tmp_path / "trades.csv"
    rows = "".join(f"600519.SH,{1_743_987_600_000 + n},1499.5,{n + 1}\n" for n in range(1000))
    file.write_text("security,ts,price,qty\n" + rows)
    done = liangrong("publish", "market.trades", str(file), "--frames", "--json", env=broker.env)
    assert printed_json(done)["published"] == 1000
    assert len(await read_all(broker, "market.trades")) == 2


async def test_alerts_are_followed_from_the_beginning_and_printed_once(broker: Broker) -> None:
    liangrong("topics", "create", env=broker.env)
    call = {
        "id": "A1:2025-04-07:1:1",
        "account": "A1",
        "ts": 1_743_993_000_000,
        "event": "called",
        "ratio": "1.252151",
    }
    await send(broker, "margin.calls", [(b"A1", orjson.dumps(call))] * 2)
    follow = ("subscribe", "margin.calls", "--from-beginning", "--no-follow")
    person = liangrong(*follow, env=broker.env).stdout
    assert person == "2025-04-07 10:30:00.000  margin.calls  A1  event=called ratio=1.252151\n"
    assert printed_json(liangrong(*follow, "--json", env=broker.env)) == {
        "topic": "margin.calls",
        "key": "A1",
        "value": call,
    }
    assert liangrong(*follow, "--since", "2025-04-07T10:31", env=broker.env).stdout == ""
    assert liangrong(*follow, "--account", "A2", env=broker.env).stdout == ""
    assert (
        len(liangrong("subscribe", "--from-beginning", "--limit", "1", env=broker.env).stdout.splitlines())
        == 1
    )


def test_doctor_says_what_is_wrong_and_what_to_do(broker: Broker, tmp_path: Path) -> None:
    env = {**broker.env, "LIANGRONG_CHECKPOINTS": str(tmp_path / "checkpoints")}
    before = liangrong("doctor", env=env)
    assert before.returncode == 1
    assert "Run `liangrong topics create`." in before.stdout
    liangrong("topics", "create", env=env)
    report = printed_json(liangrong("doctor", "--json", env=env))
    assert report["ok"]
    verdicts = {check["check"]: check["verdict"] for check in report["checks"]}
    assert verdicts == {
        "settings": "ok",
        "rules": "ok",
        "time zone": "ok",
        "checkpoints": "ok",
        "broker": "ok",
        "topics": "ok",
        "clock": "ok",
        "lag": "warning",
    }
    other = liangrong("doctor", "--partitions", "3", env=env)
    assert other.returncode == 1
    assert "LIANGRONG_PARTITIONS" in other.stdout


def test_a_broker_in_the_foreground_is_found_by_other_commands_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [*MAIN, "broker", "--json"],
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    started = orjson.loads(process.stdout.readline())
    try:
        assert len(printed_json(liangrong("topics", "create", "--json", env=env))) == 23
        port = started["bootstrap"].rpartition(":")[2]
        taken = liangrong("broker", "--port", port, env=env)
        assert taken.returncode == 1
        assert f"port {port} of 127.0.0.1 is in use" in taken.stderr
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert list(tmp_path.iterdir()) == []
    assert liangrong("topics", "list", env=env).returncode == 1


def test_publishing_from_a_pipe_that_stays_open_ends_with_ctrl_c(broker: Broker) -> None:
    liangrong("topics", "create", env=broker.env)
    process = subprocess.Popen(
        [*MAIN, "publish", "market.trades"],
        env=environment({**broker.env, "PYTHONUNBUFFERED": "1"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(TRADE + "\n")
    process.stdin.flush()
    watch = ("subscribe", "market.trades", "--from-beginning", "--limit", "1")
    assert "600519.SH" in liangrong(*watch, env=broker.env).stdout
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert process.stderr is not None
    assert (process.returncode, process.stderr.read().strip()) == (130, "")
