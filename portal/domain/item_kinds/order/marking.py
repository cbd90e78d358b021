"""Marking of items of order: pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from portal.domain.item_kinds import match_answers


def right_places(content: dict[str, Any]) -> dict[str, str]:
    """The place of each step, counted from 1."""
    return {step["key"]: str(place) for place, step in enumerate(content["steps"], 1)}


def mark_order(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """1 when every step has its place; else 0."""
    return match_answers.mark_pairs(right_places(content), choices)
