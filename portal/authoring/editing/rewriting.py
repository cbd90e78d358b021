"""A TOML text made to say something else: only the lines that say something else change."""

import tomllib
from decimal import Decimal
from typing import Any

from portal.authoring.editing import writing
from portal.authoring.editing.plain import same


def parsed(text: str) -> dict[str, Any]:
    """What the text says; numbers with a point as ``Decimal``."""
    return tomllib.loads(text, parse_float=Decimal)


def rewrite(text: str, new: dict[str, Any]) -> str:
    """The text, changed to say ``new``."""
    return text if same(parsed(text), new) else writing.members(new)
