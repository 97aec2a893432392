"""Settings come from the environment or from options of the same names (contract section 5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import SettingsError
from streams.settings import load


def test_without_any_setting_the_defaults_of_the_contract_hold() -> None:
    settings = load(env={})
    assert settings.kafka.bootstrap is None
    assert (settings.partitions, settings.market_partitions, settings.topic_prefix) == (8, 4, "")
    assert (settings.scope, settings.liquidation) == ("firm", "propose")
    assert settings.web == ("127.0.0.1", 6066)


def test_an_option_wins_over_the_environment_and_an_option_not_given_does_not() -> None:
    env = {"LIANGRONG_PARTITIONS": "4", "LIANGRONG_SCOPE": "market"}
    settings = load({"LIANGRONG_PARTITIONS": "2", "LIANGRONG_SCOPE": None}, env)
    assert (settings.partitions, settings.scope) == (2, "market")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load(env={"KAFKA_BOOTSTRAP": "  ", "LIANGRONG_LIQUIDATION": ""}) == load(env={})


def test_the_prefix_is_put_before_topic_names_and_taken_off_again() -> None:
    settings = load(env={"LIANGRONG_TOPIC_PREFIX": "desk-7."})
    assert settings.topic("margin.calls") == "desk-7.margin.calls"
    assert settings.logical("desk-7.margin.calls") == "margin.calls"
    assert settings.logical("margin.calls") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP", "localhost"),
        ("KAFKA_BOOTSTRAP", "localhost:99999"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_SASL_MECHANISM", "PLAIN"),
        ("KAFKA_SSL_CAFILE", "/no/such/file"),
        ("LIANGRONG_PARTITIONS", "0"),
        ("LIANGRONG_PARTITIONS", "eight"),
        ("LIANGRONG_TOPIC_PREFIX", "a b"),
        ("LIANGRONG_SCOPE", "world"),
        ("LIANGRONG_LIQUIDATION", "yes"),
        ("LIANGRONG_CEILING_ACCOUNTS", "-1"),
        ("LIANGRONG_CEILING_YUAN", "1.5"),
        ("LIANGRONG_WEB", "6066"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refused:
        load(env={name: value})
    assert refused.value.exit_code == 2


def test_sasl_needs_a_user_and_a_password_and_shows_no_password() -> None:
    env = {
        "KAFKA_BOOTSTRAP": "kafka:9093",
        "KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "KAFKA_SASL_USERNAME": "risk",
    }
    with pytest.raises(SettingsError, match="KAFKA_SASL_PASSWORD"):
        load(env=env)
    kafka = load(env={**env, "KAFKA_SASL_PASSWORD": "s3cret"}).kafka
    assert "s3cret" not in repr(kafka)
    options = kafka.client_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "PLAIN"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("risk", "s3cret")
    assert options["ssl_context"].check_hostname


def test_a_file_that_holds_no_certificate_is_refused_by_name(tmp_path: Path) -> None:
    cafile = tmp_path / "ca.pem"
    cafile.write_text("not a certificate")
    env = {"KAFKA_BOOTSTRAP": "kafka:9093", "KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": str(cafile)}
    with pytest.raises(SettingsError, match="KAFKA_SSL_CAFILE"):
        load(env=env).kafka.client_options()
