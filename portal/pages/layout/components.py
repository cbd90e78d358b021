"""The components: macros in ``templates/components`` that every template calls without an import."""

import re
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import Environment
from markupsafe import Markup

FOLDER = Path(__file__).with_name("templates") / "components"
_MACRO = re.compile(r"^\{%-? macro ([a-z]\w*)\(", re.MULTILINE)


class Component:
    """A macro by its name, whose template is compiled when the first page calls it."""

    def __init__(self, environment: Environment, file: str, name: str) -> None:
        self._environment, self._file, self._name = environment, file, name
        self._macro: Any = None

    def __call__(self, *arguments: Any, **options: Any) -> Markup:
        """What the macro writes."""
        if self._macro is None:
            self._macro = getattr(self._environment.get_template(self._file).module, self._name)
        text: Markup = self._macro(*arguments, **options)
        return text


def register(app: Flask) -> None:
    """Let every template of ``app`` call the components, but those whose names begin with an underscore.

    A name that a page is rendered with goes before a component of the same name.
    """
    for file in FOLDER.glob("*.html"):
        for name in _MACRO.findall(file.read_text(encoding="utf-8")):
            app.jinja_env.globals[name] = Component(app.jinja_env, f"components/{file.name}", name)
