"""Addresses of an author's links to lessons, guides, terms, media files and the web."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from markdown_it.token import Token

from portal.domain.catalogue.markdown.render_context import TextLocation
from portal.domain.catalogue.sources.shared_files import GlossaryTerm

_OUTWARD = re.compile(r"(https?://[^\s/]+|mailto:[^\s]+@|tel:[+0-9])", re.I)


def resolve_links(tokens: Sequence[Token], location: TextLocation, line: int) -> None:
    """Set the address of each link, or add a fault at ``line``."""
    for token in tokens:
        if token.type == "link_open":
            address, note = _resolve_target(unquote(str(token.attrGet("href") or "")), location, line)
            if address is not None:
                token.attrSet("href", address)
            if note:
                token.attrSet("title", note)
            token.attrJoin("class", "govuk-link")


def _resolve_target(target: str, location: TextLocation, line: int) -> tuple[str | None, str]:
    """Return the address (None: as written) and the title shown on hovering."""
    scheme, _, name = target.partition(":")
    if scheme == "lesson":
        return _lesson_address(name, location, line), ""
    if scheme == "term":
        return _term_link(name, location, line)
    if scheme == "guide":
        if name not in location.context.guides:
            location.add_fault(line, f"There is no guide “{name}”. Correct the link.")
        return f"/guides/{name}", ""
    if target.startswith("media/"):
        if target not in location.context.addresses:
            location.add_fault(
                line, f"There is no {target} in the module's folder. Add it, or correct the link."
            )
        return location.context.addresses.get(target, ""), ""
    if not _OUTWARD.match(target):
        location.add_fault(
            line, f"“{target}” leads nowhere. Link to lesson:name, term:word, media/name or https://…."
        )
    return None, ""


def _lesson_address(name: str, location: TextLocation, line: int) -> str:
    if name not in location.context.lessons:
        location.add_fault(line, f"There is no lesson “{name}” in this module. Correct the link.")
    return f"/learning/modules/{location.context.module}/lessons/{name}"


def _term_link(name: str, location: TextLocation, line: int) -> tuple[str, str]:
    if name not in location.context.shared.terms:
        location.add_fault(line, f"“{name}” is not in _glossary.toml. Add it, or correct the link.")
    return f"/glossary#{GlossaryTerm(name, '').anchor}", "{{term:" + name + "}}"
