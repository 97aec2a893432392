"""A calculator for tests: reads the workings of an explanation as a person would, in exact fractions."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor

_TOKEN = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?|[×÷+−=()≤≥<>]")
_WORKING = re.compile(r"[0-9.,×÷+−() ]+")
_ROUNDING = (", six places", ", up to 0.01", ", rounded down")


def number(text: str) -> Fraction | None:
    """`−1,234.50` as a fraction; None for what is no number (`1,000 shares` is one)."""
    plain = text.removesuffix(" shares").replace(",", "").replace("−", "-")
    return Fraction(plain) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain) else None


def computed(working: str) -> Fraction | None:
    """What a working comes to, rounded as it says; None for one in words."""
    plain, rounding = working, ""
    for words in _ROUNDING:
        if working.endswith(words):
            plain, rounding = working.removesuffix(words), words
    if not _WORKING.fullmatch(plain) or not re.search("[×÷+−]", plain):
        return None
    exact = _Parser(_TOKEN.findall(plain)).whole()
    match rounding:
        case ", six places":
            return Fraction(floor(exact * 10**6 + Fraction(1, 2)), 10**6)
        case ", up to 0.01":
            return max(Fraction(0), Fraction(ceil(exact * 100), 100))
        case ", rounded down":
            return Fraction(floor(exact))
    return exact


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def whole(self) -> Fraction:
        found = self.sum()
        assert not self.tokens, self.tokens
        return found

    def sum(self) -> Fraction:
        total = self.product()
        while self.tokens and self.tokens[0] in "+−":
            total += self.product() if self.tokens.pop(0) == "+" else -self.product()
        return total

    def product(self) -> Fraction:
        value = self.factor()
        while self.tokens and self.tokens[0] in "×÷":
            value = value * self.factor() if self.tokens.pop(0) == "×" else value / self.factor()
        return value

    def factor(self) -> Fraction:
        token = self.tokens.pop(0)
        if token == "−":
            return -self.factor()
        if token != "(":
            return Fraction(token.replace(",", ""))
        value = self.sum()
        assert self.tokens.pop(0) == ")"
        return value
