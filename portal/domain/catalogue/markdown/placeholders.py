"""Filling what stays open in rendered HTML: the force's settings and the meaning of terms."""

import html as entities
import re
from functools import lru_cache

from markupsafe import Markup, escape

from portal.domain.catalogue import queries
from portal.domain.catalogue.queries import SharedName
from portal.domain.catalogue.sources.shared_files import Shared

UNSET = "Your force has not set this yet"
_SLOT = re.compile(r"\{\{(force|term):([^{}]*)\}\}")


def fill(html: str, shared: SharedName | None = None) -> Markup:
    """The stored, safe HTML with each slot filled and escaped.

    A force setting that nobody filled in says so; a term that the glossary no longer has says nothing.

    Args:
        html: As it was rendered and sanitised when it was published.
        shared: Names glossary and settings, where the page has read which they are; else that is read here.
    """
    if not _SLOT.search(html):
        shared = None
    elif shared is None:
        shared = queries.shared_name()
    return _filled(html, shared)


@lru_cache(maxsize=256)
def _filled(html: str, shared: SharedName | None) -> Markup:
    held = queries.shared(shared) if shared else Shared()

    def filled(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(held.values.get(slot[2], UNSET)))
        term = held.terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(filled, html))  # noqa: S704 - sanitised when it was published
