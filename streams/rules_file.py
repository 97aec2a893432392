"""The dated rules of an instance: the built-in schedule, and over it the broker's own file where the
settings name one (`LIANGRONG_RULES`); and all by which its cores judge, in words.
"""

from __future__ import annotations

from agents.rules.fingerprint import fingerprint
from agents.rules.overlay import overlay
from agents.rules.schedule import Schedule, ScheduleError, built_in
from streams.errors import SettingsError
from streams.settings import Settings


def load_rules(settings: Settings) -> Schedule:
    """The rules of `settings`. Raises SettingsError with the file, the place in it and what is wrong."""
    if settings.rules is None:
        return built_in()
    try:
        return overlay(built_in(), settings.rules.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"LIANGRONG_RULES: cannot read {settings.rules}: {error}") from error
    except ScheduleError as error:
        raise SettingsError(
            f"LIANGRONG_RULES: {settings.rules}: {error}",
            advice="The file has the form of agents/rules/schedule.yaml; nothing of it is in force.",
        ) from error


def in_force(settings: Settings, rules: Schedule) -> str:
    """By what the cores of an instance judge: the meaning of its dated rules and the settings that change
    what they say. Equal words mean equal records.
    """
    words = [f"rules {fingerprint(rules)}", f"scope {settings.scope}", f"liquidation {settings.liquidation}"]
    if settings.ceiling_accounts is not None:
        words.append(f"ceiling {settings.ceiling_accounts} accounts")
    if settings.ceiling_yuan is not None:
        words.append(f"ceiling {settings.ceiling_yuan} yuan")
    return ", ".join(words)
