"""Pages of the kinds of items: a folder a kind, with its templates and the editor of its items.

A kind is a folder here and one of the same name in ``portal.domain.item_kinds``, which holds its rules.
"""

from functools import cache
from importlib import import_module

from portal.pages.layout.item_kinds.fields import ItemEditor


@cache
def editor_of_kind(name: str) -> ItemEditor:
    """The editor of the kind of this name: ``EDITOR`` of the module ``editor`` in its folder.

    Raises:
        ModuleNotFoundError: The kind has no folder here.
    """
    editor: ItemEditor = import_module(f"{__name__}.{name}.editor").EDITOR
    return editor
