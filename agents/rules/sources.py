"""What stands behind the schedule's citations: `[S30a]` is part a of source S30 in `sources.yaml`."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

import yaml

_CITED = re.compile(r"\[(S[0-9]{2})[a-z]?'?\]")


@cache
def known_sources() -> dict[str, str]:
    """Every source by its number: description or address."""
    text = resources.files("agents.rules").joinpath("sources.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


def cited(texts: Iterable[str]) -> dict[str, str]:
    """The sources that some `source` texts cite, in the order of their numbers. Raises KeyError for one that
    is not listed.
    """
    numbers = {number for text in texts for number in _CITED.findall(text)}
    return {number: known_sources()[number] for number in sorted(numbers)}
