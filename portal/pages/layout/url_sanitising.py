"""Characters that no text has: an address with one was never written by a person, and no page can show it."""

import re

from flask import Flask, abort, request

# Control characters but tab and line ends, and what Unicode and HTML keep for no character.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


def register(app: Flask) -> None:
    """Refuse such addresses before anything reads them; PostgreSQL would not even take the first of these."""
    app.before_request(refuse)


def refuse() -> None:
    """Answer that there is no such page, or that the address cannot be read."""
    if NO_TEXT.search(request.path):
        abort(404)
    if any(NO_TEXT.search(text) for pair in request.args.items(multi=True) for text in pair):
        abort(400)
