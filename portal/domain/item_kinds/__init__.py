"""The kinds of items, a package each, with its ``KIND``: a :class:`portal.domain.item_kinds.base.ItemKind`.

To add a kind, add a package here and one of the same name in ``portal.pages.layout.item_kinds``, with its
templates and its editor; a kind that is a case alone, which authors edit as text, has no editor.
"""

import pkgutil
from functools import cache
from importlib import import_module

from portal.domain.item_kinds.base import ItemKind


@cache
def kinds_by_name() -> dict[str, ItemKind]:
    """Return every kind of question by its name in an item's file, in the order in which authors see them."""
    return {name: kind for name, kind in _all_kinds().items() if kind.usable_as_item}


@cache
def case_kinds_by_name() -> dict[str, ItemKind]:
    """Return every kind that a lesson may be, by its name in the lesson's file."""
    return {name: kind for name, kind in _all_kinds().items() if kind.usable_as_case}


def _all_kinds() -> dict[str, ItemKind]:
    packages = [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]
    kinds: list[ItemKind] = [import_module(f"{__name__}.{name}").KIND for name in packages]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: (kind.position, kind.name))}
