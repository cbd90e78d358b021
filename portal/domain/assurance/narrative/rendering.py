"""From a narrative's Markdown to safe HTML with its fields filled, and what is wrong with a text."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from portal.domain.assurance.narrative.fields import NarrativeField, fill_html, find_field_faults
from portal.domain.catalogue.markdown.render_context import RenderContext, TextLocation
from portal.domain.catalogue.markdown.renderer import render_page
from portal.domain.catalogue.sources.shared_files import SharedContent
from portal.platform.formats.faults import Faults

MOST_CHARACTERS = 20_000


def check_narrative(text: str, fields: Sequence[NarrativeField]) -> list[str]:
    """What is wrong with a narrative, a sentence each; nothing: it can be saved.

    Args:
        text: Markdown with fields.
        fields: Those that it may have.
    """
    if not text.strip():
        return ["Write the answer in words"]
    if len(text) > MOST_CHARACTERS:
        return [f"This has {len(text):,} characters. Shorten it to {MOST_CHARACTERS:,} or fewer"]
    faults = Faults()
    _render_markdown(text, faults)
    marks = [f"Line {fault.line}: {fault.reason.removesuffix('.')}" for fault in faults.listed()]
    return [*find_field_faults(text, {field.name for field in fields}), *marks]


def render_narrative(text: str, values: Mapping[str, str]) -> Markup:
    """Safe HTML of a narrative, its fields filled."""
    return fill_html(_render_markdown(text, Faults()), values)


def _render_markdown(text: str, faults: Faults) -> str:
    context = RenderContext(
        module="", lessons=frozenset(), media={}, addresses={}, shared=SharedContent(), faults=faults
    )
    location = TextLocation(context, "narrative", 1, allows_checks=False, is_printed=True)
    return render_page(text, location)


def field_values(fields: Sequence[NarrativeField]) -> dict[str, str]:
    """What each field is filled with, by its name."""
    return {field.name: field.value for field in fields}
