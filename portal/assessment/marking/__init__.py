"""How items are marked: one pure file a kind. A file added here is a kind added to the portal.

Each file says ``KIND`` (the word in an item's file), ``HINT`` (what the page tells the learner),
``SEVERAL`` (whether more than one choice may be made) and ``mark(content, chosen)``.
"""

import pkgutil
from collections.abc import Collection
from decimal import Decimal
from importlib import import_module
from typing import Any, Protocol, cast


class Kind(Protocol):
    """What a file of this folder holds."""

    KIND: str
    HINT: str
    SEVERAL: bool

    def mark(self, content: dict[str, Any], chosen: Collection[str]) -> Decimal:
        """The mark from 0 to 1, in four places, of the choices with these keys."""


def _kinds() -> dict[str, Kind]:
    files = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {kind.KIND: kind for kind in (cast(Kind, file) for file in files)}


KINDS = _kinds()
