"""Filling what stays open in rendered HTML: the force's settings and the meaning of terms."""

import html as entities
import re

from markupsafe import Markup, escape

from portal.catalogue import queries

UNSET = "Your force has not set this yet"
_SLOT = re.compile(r"\{\{(force|term):([^{}]*)\}\}")


def fill(html: str) -> Markup:
    """The stored, safe HTML with each slot filled and escaped.

    A force setting that nobody filled in says so; a term that the glossary no longer has says nothing.
    """
    found = _SLOT.search(html)
    if not found:
        return Markup(html)  # noqa: S704 - sanitised when it was published
    terms = queries.shared().terms if "{{term:" in html else {}

    def filled(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(UNSET))
        term = terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(filled, html))  # noqa: S704 - sanitised when it was published
