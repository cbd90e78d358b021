"""The kinds of items: a folder a kind. A folder added here is a kind added to the portal.

Each folder's package holds ``KIND``, a :class:`portal.domain.item_kinds.base.Kind`; its templates stand beside it.
"""

import pkgutil
from functools import cache
from importlib import import_module

from portal.domain.item_kinds.base import Kind


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its word in an item's file, in the order in which authors are offered them."""
    folders = (found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
    found: list[Kind] = [import_module(f"{__name__}.{name}").KIND for name in folders]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: (kind.place, kind.name))}
