"""Filling of slots in rendered HTML: the force's settings and the meanings of terms."""

import html as entities
import re
from functools import lru_cache

from markupsafe import Markup, escape

from portal.domain.catalogue import queries
from portal.domain.catalogue.markdown.unset_settings import FORCE_SLOT, leave_out_unset, name_unset
from portal.domain.catalogue.queries import SharedKey
from portal.domain.catalogue.sources.shared_files import SharedContent

_SLOT = re.compile(r"\{\{(force|term):([^{}]*)\}\}")


def fill_placeholders(html: str, shared: SharedKey | None = None, *, names_unset: bool = False) -> Markup:
    """Fill each slot of stored, safe HTML with escaped text.

    A sentence whose force setting has no value is left out; a term that is no longer in the glossary becomes
    empty.

    Args:
        html: HTML that was rendered and sanitised when it was published.
        shared: Key of the glossary and settings if the page has read it; by default it is read here.
        names_unset: Keep such a sentence, with the setting's label in brackets, for its author.
    """
    if not _SLOT.search(html):
        shared = None
    elif shared is None:
        shared = queries.shared_key()
    return _fill_from(html, shared, names_unset)


@lru_cache(maxsize=256)
def _fill_from(html: str, shared: SharedKey | None, names_unset: bool) -> Markup:
    content = queries.shared_content(shared) if shared else SharedContent()
    labels = {key: str(escape(content.label_of(key))) for key in _unset_keys(html, content)}
    html = name_unset(html, labels) if names_unset else leave_out_unset(html, labels)

    def fill_slot(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(content.values[slot[2]]))
        term = content.terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(fill_slot, html))  # noqa: S704 - sanitised when it was published


def _unset_keys(html: str, content: SharedContent) -> set[str]:
    return {slot[1] for slot in FORCE_SLOT.finditer(html)} - content.values.keys()
