"""Marking of single items: pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def mark_single(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """1 when the one correct choice, and nothing else, was made; else 0."""
    right = {choice["key"] for choice in content["choices"] if choice["correct"]}
    return Decimal("1.0000") if len(choices) == 1 and set(choices) == right else Decimal("0.0000")
