"""The preview of a question beside its editor."""

import re
from typing import Any

from flask import render_template
from markupsafe import Markup

from portal.domain.authoring.item_source import ItemView
from portal.domain.authoring.preview.item_preview import PLACEHOLDER, ItemPreview
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.pages.authoring.views import draft_context

_NAMING_ATTRIBUTES = re.compile(
    r' (id|for|name|aria-describedby|aria-labelledby|aria-controls|headers)="([^"]*)"'
)


def preview_values(item_preview: ItemPreview) -> dict[str, Any]:
    """The template values that change as the author types: findings, measures and the rendered question."""
    return {
        "item_preview": item_preview,
        "findings": draft_context.list_findings(item_preview.findings),
        "summary": draft_context.findings_sentence(item_preview.findings),
        "preview_html": _render_item(item_preview.view) if item_preview.view else None,
    }


def _render_item(view: ItemView) -> Markup:
    """The question as a learner sees it; a prefix tells its ids and names from the form's."""
    prompt = fill_placeholders(view.prompt_html)
    html = render_template(
        "authoring/item_preview.html",
        kind=view.kind,
        item=view,
        shown=view.controls,
        prompt=prompt if prompt.striptags() else PLACEHOLDER,  # a heading must not be empty
        fill=fill_placeholders,
        errors={},
    )
    prefixed = _NAMING_ATTRIBUTES.sub(
        lambda m: f' {m[1]}="{" ".join(f"seen-{w}" for w in m[2].split())}"', html
    )
    return Markup(re.sub(r"(</?)h1\b", r"\1h2", prefixed))  # noqa: S704 - rendered by the templates
