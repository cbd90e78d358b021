"""The kinds of items: a folder a kind. It holds ``KIND``, a :class:`portal.domain.item_kinds.base.ItemKind`.

A kind is added by a folder here and one of the same name in ``portal.pages.layout.item_kinds``, which holds
its templates and its editor.
"""

import pkgutil
from functools import cache
from importlib import import_module

from portal.domain.item_kinds.base import ItemKind


@cache
def kinds_by_name() -> dict[str, ItemKind]:
    """Every kind by its word in an item's file, in the order in which authors are offered them."""
    folders = (found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
    found: list[ItemKind] = [import_module(f"{__name__}.{name}").KIND for name in folders]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: (kind.position, kind.name))}
