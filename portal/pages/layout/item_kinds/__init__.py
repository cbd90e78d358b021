"""Templates and editors of the kinds of items, a package each, with its ``EDITOR``.

A kind has a package here and one of the same name in ``portal.domain.item_kinds``, which has its rules.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

from portal.pages.layout.item_kinds.fields import ItemEditor


class KindTemplateLoader(BaseLoader):
    """Loads templates of the kinds from all folders of this package."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return the template's source; read once, since the environment caches compiled templates."""
        return FileSystemLoader(list(__path__)).get_source(environment, template)


def register_templates(app: Flask) -> None:
    """Make the kinds' templates available to ``app`` as ``kinds/<kind>/item.html`` and so on."""
    kinds = PrefixLoader({"kinds": KindTemplateLoader()})
    app.jinja_loader = ChoiceLoader([app.jinja_loader, kinds] if app.jinja_loader else [kinds])


@cache
def editor_of_kind(name: str) -> ItemEditor:
    """Return the editor of the kind ``name``: ``EDITOR`` in its package.

    Raises:
        ModuleNotFoundError: The kind has no package here.
    """
    editor: ItemEditor = import_module(f"{__name__}.{name}").EDITOR
    return editor
