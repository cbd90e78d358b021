"""Marking of reports: pure. A response holds ``part/choice`` for each part that is marked."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

PLACES = Decimal("0.0001")


def correct_choices(content: dict[str, Any]) -> dict[str, str]:
    """The key of the correct choice by the key of each part that is marked."""
    return {
        part["key"]: next(choice["key"] for choice in part["choices"] if choice["correct"])
        for part in content["parts"]
        if part["kind"] == "choice"
    }


def mark_report(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """Correct choice parts ÷ choice parts, cut to four places; a part with two answers is not correct."""
    key = correct_choices(content)
    given: dict[str, set[str]] = {}
    for answer in choices:
        part, _, choice = answer.partition("/")
        given.setdefault(part, set()).add(choice)
    correct = sum(given.get(part) == {choice} for part, choice in key.items())
    return (Decimal(correct) / len(key)).quantize(PLACES, rounding=ROUND_DOWN)
