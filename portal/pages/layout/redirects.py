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
    path = urlsplit(target).path
    plain = unquote(unquote(path))  # twice: what a careless server in between might make of it
    local = (
        not target.startswith("//") and "\\" not in target and not re.match(r"//|.*[\\\x00-\x1f\x7f]", plain)
    )
    elsewhere = any(path == place or path.startswith(f"{place}/") for place in _NOT_AFTER_SIGN_IN)
    return target if local and not elsewhere else "/"
