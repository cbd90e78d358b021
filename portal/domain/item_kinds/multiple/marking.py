"""Marking of multiple items: pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def mark_multiple(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """1 when exactly the correct choices were made; else 0."""
    right = {choice["key"] for choice in content["choices"] if choice["correct"]}
    return Decimal("1.0000") if set(choices) == right else Decimal("0.0000")
