"""Filling what stays open in rendered HTML: the force's settings and the meaning of terms."""

import html as entities
import re
from functools import lru_cache

from markupsafe import Markup, escape

from portal.domain.catalogue import queries
from portal.domain.catalogue.queries import SharedKey
from portal.domain.catalogue.sources.shared_files import SharedContent

UNSET_TEXT = "Your force has not set this yet"
_SLOT = re.compile(r"\{\{(force|term):([^{}]*)\}\}")


def fill_placeholders(html: str, shared: SharedKey | None = None) -> Markup:
    """The stored, safe HTML with each slot filled and escaped.

    A force setting that nobody filled in says so; a term that the glossary no longer has says nothing.

    Args:
        html: As it was rendered and sanitised when it was published.
        shared: Names glossary and settings, where the page has read which they are; else that is read here.
    """
    if not _SLOT.search(html):
        shared = None
    elif shared is None:
        shared = queries.shared_key()
    return _fill_from(html, shared)


@lru_cache(maxsize=256)
def _fill_from(html: str, shared: SharedKey | None) -> Markup:
    held = queries.shared_content(shared) if shared else SharedContent()

    def fill_slot(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(held.values.get(slot[2], UNSET_TEXT)))
        term = held.terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(fill_slot, html))  # noqa: S704 - sanitised when it was published
