"""Where a person goes after signing in: never off the site."""

import re
from urllib.parse import unquote, urlsplit

_NOT_AFTER_SIGN_IN = ("/sign-in", "/sign-out", "/set-password")


def safe_next(target: str | None) -> str:
    """``target`` where it is an address of this site to come back to; else the portal's first page.

    >>> safe_next("/learning?page=2"), safe_next("//evil.example"), safe_next("/%5cevil.example")
    ('/learning?page=2', '/', '/')
    """
    if not target or not re.fullmatch(r"/[\x21-\x7e]*", target):
        return "/"
    plain = unquote(unquote(target))
    path = urlsplit(target).path
    local = not plain.startswith("//") and "\\" not in plain and not re.search(r"[\x00-\x1f\x7f]", plain)
    elsewhere = any(path == place or path.startswith(f"{place}/") for place in _NOT_AFTER_SIGN_IN)
    return target if local and not elsewhere else "/"
