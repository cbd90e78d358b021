"""Rendering of authors' Markdown as safe HTML with the portal's classes; also checks links and headings."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import escape

from portal.domain.catalogue.markdown.check_block import check_html, read_check
from portal.domain.catalogue.markdown.containers import add_container_rules
from portal.domain.catalogue.markdown.duty_parts import duty_part_open
from portal.domain.catalogue.markdown.figures import figure_close, figure_open, find_media_file
from portal.domain.catalogue.markdown.links import resolve_links
from portal.domain.catalogue.markdown.render_context import TextLocation
from portal.domain.catalogue.markdown.sanitising import sanitise_html
from portal.domain.catalogue.media.played import PLAYED

CLASSES = {
    "paragraph_open": "govuk-body",
    "bullet_list_open": "govuk-list govuk-list--bullet",
    "ordered_list_open": "govuk-list govuk-list--number",
    "blockquote_open": "govuk-inset-text",
    "hr": "govuk-section-break govuk-section-break--m govuk-section-break--visible",
    "thead_open": "govuk-table__head",
    "tbody_open": "govuk-table__body",
    "tr_open": "govuk-table__row",
    "th_open": "govuk-table__header",
    "td_open": "govuk-table__cell",
}
HEADINGS = {2: "govuk-heading-m", 3: "govuk-heading-s", 4: "govuk-heading-s"}
NO_TRANSCRIPT = "Write a title, and below it the transcript of the sound or film, between ::: figure and :::."
_SETTING = re.compile(r"\[\[force\.([^\[\]\s]*)\]\]")


def render_page(text: str, location: TextLocation) -> str:
    """Render the body of a lesson or job aid as safe HTML, with headings from h2."""
    return sanitise_html(_ENGINE.render(text, {"location": location}))


def render_block(text: str, location: TextLocation) -> str:
    """Render paragraphs, lists and tables of an item as safe HTML."""
    return render_page(text, location)


def render_inline(text: str, location: TextLocation) -> str:
    """Render one paragraph without its ``<p>`` as safe HTML."""
    return sanitise_html(_render_inline(text, location))


def word_count(html: str) -> int:
    """Count the words of a page, including folded text alternatives."""
    return len(re.sub(r"<[^>]*>", " ", html).split())


def _render_inline(text: str, location: TextLocation) -> str:
    return str(_ENGINE.renderInline(" ".join(text.split("\n")), {"location": location}))


def _parse_setting(state: StateInline, silent: bool) -> bool:
    """Parse ``[[force.key]]`` as a slot that is filled when the page is shown."""
    match = _SETTING.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.push("force_setting", "", 0).content = match[1]
    state.pos = match.end()
    return True


def _add_classes(state: StateCore) -> None:
    """Add the class of every element, and shift headings below the page's own."""
    levels = [int(token.tag[1]) for token in state.tokens if token.type == "heading_open"]
    shift = 1 if levels and min(levels) == 1 else 0
    if state.env["location"].is_printed:
        _check_headings(state, shift)
    for at, token in enumerate(state.tokens):
        if token.type == "th_open" and not state.tokens[at + 1].content.strip():
            token.tag = state.tokens[at + 2].tag = "td"  # a corner without words heads nothing
        if token.type in {"heading_open", "heading_close"}:
            level = min(int(token.tag[1]) + shift, 6)
            token.tag = f"h{level}"
            if token.nesting == 1:
                token.attrJoin("class", HEADINGS.get(level, "govuk-heading-s"))
        elif token.type in CLASSES:
            token.attrJoin("class", CLASSES[token.type])
        if token.type in {"th_open", "td_open"}:
            _add_cell_classes(token)


def _check_headings(state: StateCore, shift: int) -> None:
    """Add a fault for a heading that skips a level or is empty; the page's title is level 1."""
    above = 1
    for at, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        line, level = (token.map or [0])[0], min(int(token.tag[1]) + shift, 6)
        if level > above + 1:
            prefix = "#" * (above + 1 - shift)
            state.env["location"].add_fault(line, f"This heading skips a level. Write {prefix} before it.")
        if not state.tokens[at + 1].content.strip():
            state.env["location"].add_fault(line, "This heading is empty. Write its words, or take it out.")
        above = level


def _add_cell_classes(token: Token) -> None:
    if token.tag == "th":
        token.attrSet("scope", "col")
    if "right" in str(token.attrs.pop("style", "")):  # no page has an inline style
        token.attrJoin("class", f"{token.attrGet('class')}--numeric")


def _check_references(state: StateCore) -> None:
    """Check each link and setting; faults have the line of their block."""
    location: TextLocation = state.env["location"]
    for token in state.tokens:
        line = token.map[0] if token.map else 0
        for child in token.children or ():
            if child.type == "force_setting" and child.content not in location.context.shared.settings:
                location.add_fault(
                    line, f"“[[force.{child.content}]]” is not in _force.toml. Add it, or correct it."
                )
            elif child.type == "image":
                location.add_fault(
                    line, "Show a picture as a figure: ::: figure media/name.svg, its text, and :::."
                )
        resolve_links(token.children or [], location, line)


Rendered = tuple[Sequence[Token], int, dict[str, Any]]


def _force_setting(_: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    return "{{force:" + str(escape(tokens[at].content)) + "}}"


def _inset_open(_: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    return '<div class="govuk-inset-text">\n'


def _warning_open(_: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    return (
        '<div class="govuk-warning-text"><span class="govuk-warning-text__icon" aria-hidden="true">!</span>'
        '<div class="govuk-warning-text__text"><span class="govuk-visually-hidden">Warning</span>\n'
    )


def _details_open(
    _: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: dict[str, Any]
) -> str:
    summary = _render_inline(tokens[at].info, env["location"])
    return (
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{summary}</span></summary>'
        '<div class="govuk-details__text">\n'
    )


def _for_open(_: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: dict[str, Any]) -> str:
    return duty_part_open(tokens[at].info, lambda words: _render_inline(words, env["location"]))


def _figure_open(_: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: dict[str, Any]) -> str:
    location: TextLocation = env["location"]
    line = (tokens[at].map or [0])[0]
    medium = find_media_file(tokens[at].info, location, line)
    after = tokens[at + 1]
    if after.type == "figure_close":
        location.add_fault(line, "Write the figure's content as text between ::: figure and :::.")
    if medium is None:
        return "<figure><figcaption><details><div>"
    if medium.kind in PLAYED and not _has_transcript(tokens, at):
        location.add_fault(line, NO_TRANSCRIPT)
    first = tokens[at + 2] if after.type == "paragraph_open" else None
    return figure_open(medium, location, _plain_words(first.children or []) if first else "Figure")


def _has_transcript(tokens: Sequence[Token], at: int) -> bool:
    """Whether a figure has a title, which is its first paragraph, and words below it."""
    level = tokens[at].level + 1
    blocks = 0
    for token in tokens[at + 1 :]:
        if token.type == "figure_close" and token.level < level:
            break
        blocks += token.level == level and token.nesting >= 0
    return tokens[at + 1].type == "paragraph_open" and blocks > 1


def _plain_words(tokens: Sequence[Token]) -> str:
    return "".join(
        "\n" if t.type in {"softbreak", "hardbreak"} else t.content
        for t in tokens
        if t.type != "force_setting"
    )


def _render_check(
    _: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: dict[str, Any]
) -> str:
    location: TextLocation = env["location"]
    token = tokens[at]
    line = (token.map or [0])[0] + 1
    item = read_check(token.content, location, line)
    if item is None:
        return ""
    inner = TextLocation(location.context, location.path, location.first_line + line, allows_checks=False)
    return check_html(
        item, lambda text: _render_inline(text, inner), lambda text: _render_nested(text, inner)
    )


def _render_nested(text: str, location: TextLocation) -> str:
    return str(_ENGINE.render(text, {"location": location}))


def _table_open(_: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    """Render a scrollable frame, so that a wide table never widens the page; its label lists the headers."""
    heads = []
    for number in range(at, len(tokens)):
        if tokens[number].type == "thead_close":
            break
        if tokens[number].type == "th_open":
            heads.append(_plain_words(tokens[number + 1].children or []))
    label = escape(f"Table: {', '.join(filter(None, heads))}")
    return (
        f'<div class="portal-scroll" role="region" aria-label="{label}" tabindex="0">\n'
        '<table class="govuk-table">\n'
    )


def _close_with(html: str) -> Any:
    def render_close(_: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        return html

    return render_close


def _build_engine() -> MarkdownIt:
    """Build a CommonMark parser with tables and containers; raw HTML is treated as text."""
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    add_container_rules(engine)
    engine.inline.ruler.before("link", "force_setting", _parse_setting)
    engine.core.ruler.push("dress", _add_classes)
    engine.core.ruler.push("resolve", _check_references)
    for name, rule in (
        ("force_setting", _force_setting),
        ("inset_open", _inset_open),
        ("warning_open", _warning_open),
        ("details_open", _details_open),
        ("for_open", _for_open),
        ("figure_open", _figure_open),
        ("check", _render_check),
        ("table_open", _table_open),
        ("table_close", _close_with("</table>\n</div>\n")),
        ("inset_close", _close_with("</div>\n")),
        ("warning_close", _close_with("</div></div>\n")),
        ("details_close", _close_with("</div></details>\n")),
        ("for_close", _close_with("</div></details>\n")),
        ("figure_close", _close_with(figure_close())),
    ):
        engine.add_render_rule(name, rule)
    return engine


_ENGINE = _build_engine()
