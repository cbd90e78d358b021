"""One right choice: a mark for it, nothing for any other."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

KIND = "single"
HINT = "Select one"
SEVERAL = False


def mark(content: dict[str, Any], chosen: Collection[str]) -> Decimal:
    """1 when the one correct choice, and nothing else, was made; else 0."""
    right = {choice["key"] for choice in content["choices"] if choice["correct"]}
    return Decimal("1.0000") if len(chosen) == 1 and set(chosen) == right else Decimal("0.0000")
