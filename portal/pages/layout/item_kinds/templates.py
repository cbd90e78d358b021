"""Finds the templates of the kinds: ``kinds/<kind>/item.html`` stands in the kind's own folder."""

from collections.abc import Callable

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

from portal.pages.layout import item_kinds


class KindTemplateLoader(BaseLoader):
    """Looks into the folders in which ``portal.pages.layout.item_kinds`` has the kinds."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The template's text, read once: the environment keeps what it compiled."""
        return FileSystemLoader(list(item_kinds.__path__)).get_source(environment, template)


def register(app: Flask) -> None:
    """Let the pages of ``app`` include what asks, reads back and edits an item of each kind."""
    own = PrefixLoader({"kinds": KindTemplateLoader()})
    app.jinja_loader = ChoiceLoader([app.jinja_loader, own] if app.jinja_loader else [own])
