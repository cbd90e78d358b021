"""Where the templates of the kinds are found: ``kinds/<kind>/item.html`` stands in the kind's own folder."""

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from portal import kinds


def register(app: Flask) -> None:
    """Let the pages of ``app`` include what asks, reads back and edits an item of each kind."""
    own = PrefixLoader({"kinds": FileSystemLoader(list(kinds.__path__))})
    app.jinja_loader = ChoiceLoader([app.jinja_loader, own] if app.jinja_loader else [own])
