"""Settings of an instance (contract section 5): environment variables, or options of the same names.

An option wins over the environment. Every problem is a `SettingsError` naming the variable.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from streams.errors import SettingsError

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Scope = Literal["firm", "market"]
Liquidation = Literal["propose", "auto", "simulate"]

DESCRIPTIONS = {
    "KAFKA_BOOTSTRAP": "host:port[,host:port] of the broker; absent: the embedded broker",
    "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT (default), SSL, SASL_PLAINTEXT or SASL_SSL",
    "KAFKA_SASL_MECHANISM": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "user of the SASL mechanism",
    "KAFKA_SASL_PASSWORD": "password of the SASL mechanism; better from the environment than as an option",
    "KAFKA_SSL_CAFILE": "file with the certificates of the authorities to trust (PEM)",
    "LIANGRONG_CHECKPOINTS": (
        "URL of the folder for checkpoints (default ./checkpoints; embedded broker: a temporary one)"
    ),
    "LIANGRONG_PARTITIONS": "partitions of the account topics, fixed when topics are created (default 8)",
    "LIANGRONG_MARKET_PARTITIONS": "partitions of market.trades and market.quotes, fixed as well (default 4)",
    "LIANGRONG_TOPIC_PREFIX": "put before every topic name: several instances on one broker",
    "LIANGRONG_SCOPE": "firm (default): published figures and notices decide halts; market: own balances",
    "LIANGRONG_LIQUIDATION": "propose (default), auto or simulate",
    "LIANGRONG_RULES": "the broker's own file of dated rules, laid over the built-in ones (default: none)",
    "LIANGRONG_CEILING_ACCOUNTS": "plans for more accounts in one slice wait for approval (default: none)",
    "LIANGRONG_CEILING_YUAN": "the same for their sum in yuan (default: none)",
    "LIANGRONG_WEB": "host:port of the worker's web page (default 127.0.0.1:6066)",
}

DEFAULT_CHECKPOINTS = "checkpoints"
MAX_PARTITIONS = 1024
MAX_CEILING = 10**14
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How to reach the broker. `bootstrap` None means the embedded one."""

    bootstrap: str | None = None
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_cafile: str | None = None

    def __repr__(self) -> str:
        """Everything but the password."""
        return f"KafkaSettings({self.bootstrap!r}, {self.security_protocol}, user={self.sasl_username!r})"

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context, host names checked; None for protocols without TLS."""
        if not self.security_protocol.endswith("SSL"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ssl_cafile)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"KAFKA_SSL_CAFILE: cannot read {self.ssl_cafile}: {error}") from error

    def client_options(self, bootstrap: str | None = None) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client; `bootstrap` stands in where none is set."""
        address = self.bootstrap or bootstrap
        if address is None:
            raise SettingsError("KAFKA_BOOTSTRAP is not set and no embedded broker was started")
        options: dict[str, Any] = {
            "bootstrap_servers": address,
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.sasl_mechanism is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an instance; `web` is (host, port), `checkpoints` a URL or path, counts are partitions;
    `rules` is read by `streams.rules_file`."""

    kafka: KafkaSettings = KafkaSettings()
    checkpoints: str = DEFAULT_CHECKPOINTS
    partitions: int = 8
    market_partitions: int = 4
    topic_prefix: str = ""
    scope: Scope = "firm"
    liquidation: Liquidation = "propose"
    ceiling_accounts: int | None = None
    ceiling_yuan: int | None = None
    rules: Path | None = None
    web: tuple[str, int] = ("127.0.0.1", 6066)

    def topic(self, name: str) -> str:
        """The name on the broker of a topic of the registry."""
        return self.topic_prefix + name

    def logical(self, topic: str) -> str | None:
        """The registry's name of a topic on the broker; None for topics of other instances."""
        return topic.removeprefix(self.topic_prefix) if topic.startswith(self.topic_prefix) else None


def load(options: Mapping[str, str | None] | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from `options` (by variable name, None: not given), else the environment."""
    source = os.environ if env is None else env
    values = {name: text for name, text in source.items() if name in DESCRIPTIONS}
    values.update({name: text for name, text in (options or {}).items() if text is not None})
    values = {name: text.strip() for name, text in values.items() if text.strip()}
    return Settings(
        kafka=_kafka(values),
        checkpoints=values.get("LIANGRONG_CHECKPOINTS", DEFAULT_CHECKPOINTS),
        partitions=_count(values, "LIANGRONG_PARTITIONS", 8),
        market_partitions=_count(values, "LIANGRONG_MARKET_PARTITIONS", 4),
        topic_prefix=_prefix(values),
        scope=cast("Scope", _choice(values, "LIANGRONG_SCOPE", get_args(Scope)) or "firm"),
        liquidation=cast(
            "Liquidation", _choice(values, "LIANGRONG_LIQUIDATION", get_args(Liquidation)) or "propose"
        ),
        ceiling_accounts=_ceiling(values, "LIANGRONG_CEILING_ACCOUNTS"),
        ceiling_yuan=_ceiling(values, "LIANGRONG_CEILING_YUAN"),
        rules=_file(values, "LIANGRONG_RULES"),
        web=_host_port("LIANGRONG_WEB", values.get("LIANGRONG_WEB", "127.0.0.1:6066")),
    )


def _kafka(values: Mapping[str, str]) -> KafkaSettings:
    bootstrap = values.get("KAFKA_BOOTSTRAP")
    for address in (bootstrap or "").split(",") if bootstrap else ():
        _host_port("KAFKA_BOOTSTRAP", address.strip())
    protocol = _choice(values, "KAFKA_SECURITY_PROTOCOL", get_args(SecurityProtocol)) or "PLAINTEXT"
    mechanism = _choice(values, "KAFKA_SASL_MECHANISM", get_args(SaslMechanism))
    if protocol.startswith("SASL"):
        mechanism = mechanism or "PLAIN"
        for name in ("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"):
            if name not in values:
                raise SettingsError(f"{name} is needed with KAFKA_SECURITY_PROTOCOL={protocol}")
    elif mechanism is not None:
        raise SettingsError(f"KAFKA_SASL_MECHANISM={mechanism} needs KAFKA_SECURITY_PROTOCOL=SASL_SSL")
    cafile = _file(values, "KAFKA_SSL_CAFILE")
    return KafkaSettings(
        bootstrap,
        cast("SecurityProtocol", protocol),
        cast("SaslMechanism | None", mechanism),
        values.get("KAFKA_SASL_USERNAME"),
        values.get("KAFKA_SASL_PASSWORD"),
        None if cafile is None else str(cafile),
    )


def _file(values: Mapping[str, str], name: str) -> Path | None:
    path = values.get(name)
    if path is not None and not Path(path).is_file():
        raise SettingsError(f"{name}: there is no file {path}")
    return None if path is None else Path(path)


def _choice(values: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    text = values.get(name)
    if text is None:
        return None
    for word in allowed:
        if text.casefold() == word.casefold():
            return word
    raise SettingsError(f"{name}={text} is not one of {', '.join(allowed)}")


def _count(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PARTITIONS:
        raise SettingsError(f"{name}={text} is not a number of partitions from 1 to {MAX_PARTITIONS}")
    return int(text)


def _ceiling(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) > MAX_CEILING:
        raise SettingsError(f"{name}={text} is not a whole number up to {MAX_CEILING}")
    return int(text)


def _prefix(values: Mapping[str, str]) -> str:
    text = values.get("LIANGRONG_TOPIC_PREFIX", "")
    if not _PREFIX.fullmatch(text):
        raise SettingsError(
            f"LIANGRONG_TOPIC_PREFIX={text} is no part of a topic name: letters, digits, . _ - only"
        )
    return text


def _host_port(name: str, address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) <= 65535):
        raise SettingsError(f"{name}={address} is not host:port")
    return host.strip("[]"), int(port)
