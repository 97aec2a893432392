"""Errors a person can act on: one clear message, what to do, and the exit code of the command that met them.

Commands print these without a traceback (contract section 4: exit codes 0 done, 1 failed, 2 wrong
usage), and what the operating system refused (a full disk, a directory without rights) as well. Every
other exception is a defect of the program and keeps its traceback.
"""

import os


class UserError(Exception):
    """Something expected went wrong; `advice` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class UsageError(UserError):
    """The command or the settings do not make sense as given."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing or has a value that means nothing (contract section 5)."""


class BrokerError(UserError):
    """A broker cannot be started or reached."""


class TopicError(UserError):
    """The topics on the broker are not those of the registry."""


class PublishError(UserError):
    """A record was not acknowledged by the broker, or is no valid record."""


def expected(error: BaseException) -> UserError | None:
    """`error` as one that a person can act on; None if it is a defect of the program."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename is not None else ""
        return UserError(f"{place}{os.strerror(error.errno)}")
    return None
