"""Marking of items of match: pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from portal.domain.item_kinds import match_answers


def right_options(content: dict[str, Any]) -> dict[str, str]:
    """The key of what belongs to each left side."""
    return {pair["key"]: pair["right"] for pair in content["pairs"]}


def mark_match(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """1 when every left side has its right one; else 0."""
    return match_answers.mark_pairs(right_options(content), choices)
