"""Several right choices: a mark for exactly these, nothing for more or fewer."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

KIND = "multiple"
HINT = "Select all that apply"
SEVERAL = True


def mark(content: dict[str, Any], chosen: Collection[str]) -> Decimal:
    """1 when exactly the correct choices were made; else 0."""
    right = {choice["key"] for choice in content["choices"] if choice["correct"]}
    return Decimal("1.0000") if set(chosen) == right else Decimal("0.0000")
