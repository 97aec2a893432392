"""The dated rules of an instance: the built-in schedule, and over it the broker's own file where the
settings name one (`LIANGRONG_RULES`).
"""

from __future__ import annotations

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
