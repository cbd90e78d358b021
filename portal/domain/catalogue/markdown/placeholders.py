"""Filling of slots in rendered HTML: the force's settings and the meanings of terms."""

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
    """Fill each slot of stored, safe HTML with escaped text.

    A force setting without a value says so; a term that is no longer in the glossary becomes empty.

    Args:
        html: HTML that was rendered and sanitised when it was published.
        shared: Key of the glossary and settings if the page has read it; by default it is read here.
    """
    if not _SLOT.search(html):
        shared = None
    elif shared is None:
        shared = queries.shared_key()
    return _fill_from(html, shared)


@lru_cache(maxsize=256)
def _fill_from(html: str, shared: SharedKey | None) -> Markup:
    content = queries.shared_content(shared) if shared else SharedContent()

    def fill_slot(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(content.values.get(slot[2], UNSET_TEXT)))
        term = content.terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(fill_slot, html))  # noqa: S704 - sanitised when it was published
