"""Names of the compiled files, and how they are served.

Each file's name carries the hash of its content, so browsers may keep it for ever.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import cast

from flask import Flask
from whitenoise import WhiteNoise

STATIC = Path(__file__).parent / "static"
PREFIX = "/static/"
_HASHED = re.compile(r"\.[0-9a-f]{16}\.\w+$")


class AssetsMissingError(RuntimeError):
    """The compiled files are not there."""


@cache
def _manifest() -> dict[str, str]:
    """The names as they were when the process began, which are those that it serves."""
    return cast("dict[str, str]", json.loads((STATIC / "manifest.json").read_text(encoding="utf-8")))


def asset(name: str) -> str:
    """The address of the compiled file ``name``, such as ``portal.css``.

    Raises:
        AssetsMissingError: Nothing has been compiled yet, or it has no such file.
    """
    try:
        return PREFIX + _manifest()[name]
    except (FileNotFoundError, KeyError) as error:
        raise AssetsMissingError(f"{name} is not compiled: run npm ci and npm run build") from error


def wrap_static(app: Flask) -> None:
    """Serve the compiled files in front of ``app``, which itself has no static route."""
    served = WhiteNoise(
        app.wsgi_app,
        autorefresh=app.debug,
        max_age=3600,
        allow_all_origins=False,
        immutable_file_test=lambda path, url: _HASHED.search(url) is not None,
    )
    if STATIC.is_dir():
        served.add_files(str(STATIC), prefix=PREFIX)
    app.wsgi_app = served  # type: ignore[method-assign]


def register(app: Flask) -> None:
    """Let the templates of ``app`` ask for ``asset(name)``."""
    app.add_template_global(asset)
