"""Rendering of authors' Markdown as safe HTML with the portal's classes; also checks links and headings."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

from portal.domain.catalogue.media import CONTENT_TYPES, MediaFile, narrow_path
from portal.domain.catalogue.media_rules import FILMS, PLAYED, captions_path
from portal.domain.catalogue.source_files import GlossaryTerm, ItemText, SharedContent, read_check_item
from portal.domain.item_kinds import kinds_by_name
from portal.domain.people.staff_numbers import DUTIES, duty_words
from portal.feature import list_features
from portal.platform.errors import listed_words
from portal.platform.formats.toml_tables import Faults, Source

# The ``::: for`` block: a part of a text that is for some duties, and its folding for readers of others.
#
# Stored HTML has every part open, so whatever does not know its reader (a guide, a preview, a search, a
# PDF) shows all of it. Only a page for one reader folds what is not theirs, and whoever likes opens it.

_ARGUMENT = re.compile(r"([^:]*)(?::[ \t]*(.*))?")
_PART = re.compile(r'<details class="govuk-details portal-for ([a-z\- ]+)" open="">')
_CLASS = "portal-for--"


def duty_argument_fault(argument: str) -> str | None:
    """What is wrong with the words after ``::: for``, as a sentence; None if nothing is.

    >>> duty_argument_fault("custody contact: On arrival") is None
    True
    """
    keys, title = _split_argument(argument)
    unknown = next((key for key in keys if key not in DUTIES), None)
    if unknown is not None:
        return f"“{unknown}” is not a duty. Use {listed_words(DUTIES)}, with spaces between them."
    if not keys:
        return f"Say for whom the part is, such as ::: for custody. Use {listed_words(DUTIES)}."
    if len(set(keys)) < len(keys):
        return "The same duty is there twice. Write it once."
    if title == "":
        return "Write what the part is about after the colon, or take the colon out."
    return None


def duty_part_open(argument: str, inline: Callable[[str], str]) -> str:
    """The start of a part, open, whose summary says for whom it is: “For custody: On arrival”."""
    keys, title = _split_argument(argument)
    classes = " ".join(_CLASS + key for key in keys if key in DUTIES)
    summary = f"For {duty_words(keys)}" + (f": {inline(title)}" if title else "")
    return (
        f'<details class="govuk-details portal-for {classes}" open="">'
        '<summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{summary}</span></summary>'
        '<div class="govuk-details__text">\n'
    )


def has_duty_parts(html: str) -> bool:
    """Whether stored HTML has a part that is for some duties alone."""
    return 'class="govuk-details portal-for ' in html


def fold_duty_parts(html: Markup, duties: Collection[str]) -> Markup:
    """Fold each part that is for none of a reader's duties; nothing if none of them is known.

    Args:
        html: Stored HTML, or what became of it for a page.
        duties: Of the reader.
    """
    if not duties:
        return html

    def fold(part: re.Match[str]) -> str:
        its_duties = {name.removeprefix(_CLASS) for name in part[1].split()}
        return part[0] if its_duties & set(duties) else part[0].replace(' open=""', "")

    return Markup(_PART.sub(fold, str(html)))  # noqa: S704 - takes away a fixed attribute


def _split_argument(argument: str) -> tuple[Sequence[str], str | None]:
    """The keys of duties, and what the part is about; None without a colon."""
    match = _ARGUMENT.fullmatch(argument)
    keys, title = match.groups() if match else (argument, None)
    return keys.split(), title


# The context in which a text is rendered: names that it may refer to, and the list of faults.

Address = Callable[[str, str], str]  # returns a media file's address from its content's sha256 and its path


@dataclass
class RenderContext:
    """Names of one module that its texts may refer to, and the list of its faults."""

    module: str
    lessons: frozenset[str]
    media: dict[str, MediaFile]
    addresses: dict[str, str]  # of media, by path
    shared: SharedContent
    faults: Faults
    guides: frozenset[str] = frozenset()
    shown_media: set[str] = field(
        default_factory=set
    )  # paths of those that a text shows, filled as it is rendered


@dataclass
class TextLocation:
    """The file and line of a text, and the keys of the checks on its page so far."""

    context: RenderContext
    path: str
    first_line: int
    check_keys: set[str] = field(default_factory=set)
    allows_checks: bool = True
    is_printed: bool = False  # made into a tagged PDF, in which no heading may skip a level

    def add_fault(self, line: int, reason: str) -> None:
        """Add a fault ``line`` lines below the text's first line."""
        self.context.faults.add(self.path, self.first_line + line, reason)


def media_address(sha256: str, path: str) -> str:
    """Return the address of a media file; it includes the content's hash, so browsers may keep the file."""
    return f"/media/{sha256}/{path.removeprefix('media/')}"


# A block rule of the Markdown parser for ``:::`` containers.

CONTAINER_NAMES = ("inset", "warning", "details", "for", "figure", "check")
_OPEN = re.compile(r":::[ \t]*([A-Za-z][\w\-]*)(?:[ \t]+(.*))?$")
_CLOSE = re.compile(r":::[ \t]*$")


def add_container_rules(engine: MarkdownIt) -> None:
    """Add the rule to ``engine``; tokens are ``name_open`` … ``name_close``, or one for a check."""
    engine.block.ruler.before(
        "fence", "container", _parse_container, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


class _NoFaults:
    """A location that ignores faults."""

    def add_fault(self, line: int, reason: str) -> None:
        """Do nothing."""


def _build_outliner() -> MarkdownIt:
    """Build the parser of blocks alone, without the text inside them."""
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    add_container_rules(engine)
    return engine.disable("inline")


def find_check_lines(text: str) -> list[tuple[int, int]]:
    """The first and last line, from 0, of each ``::: check`` that is at the margin and is closed there."""
    lines = text.split("\n")
    checks = (token for token in _OUTLINER.parse(text, {"location": _NoFaults()}) if token.type == "check")
    spans = [(token.map[0], token.map[1]) for token in checks if token.map and token.level == 0]
    return [
        (first, last)
        for first, last in spans
        if last < len(lines) and lines[first].startswith(":::") and lines[last].rstrip() == ":::"
    ]


def _parse_container(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    row = _line_text(state, start)
    opening = _OPEN.match(row)
    if not opening:
        if _CLOSE.match(row) and not silent:
            _text_location(state).add_fault(
                start, "This ::: closes nothing. Take it out, or open a container above it."
            )
            state.line = start + 1
            return True
        return bool(_CLOSE.match(row))
    if silent:
        return True
    close = _find_closing_line(state, start, end)
    if close is None:
        _text_location(state).add_fault(
            start, f"“::: {opening[1]}” is not closed. Add a line ::: below its text."
        )
        close = end
    _push_tokens(state, (opening[1], (opening[2] or "").strip()), (start, close))
    state.line = min(close + 1, end)
    return True


def _push_tokens(state: StateBlock, opening: tuple[str, str], lines: tuple[int, int]) -> None:
    name, argument = opening
    start, close = lines
    if name not in CONTAINER_NAMES:
        _text_location(state).add_fault(
            start, f"“::: {name}” is not a container. Use {', '.join(CONTAINER_NAMES)}."
        )
        return
    _check_argument(_text_location(state), name, argument, start)
    if name == "check":
        token = state.push("check", "", 0)
        token.content = state.getLines(start + 1, close, state.blkIndent, False)
        token.map = [start, close]
        return
    token = state.push(f"{name}_open", "div", 1)
    token.info, token.map, token.block = argument, [start, close], True
    parent, last = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", close
    state.md.block.tokenize(state, start + 1, close)
    state.parentType, state.lineMax = parent, last
    token = state.push(f"{name}_close", "div", -1)
    token.block = True


def _check_argument(location: TextLocation, name: str, argument: str, line: int) -> None:
    if name == "details" and not argument:
        location.add_fault(line, "Say what the details are about: ::: details Summary text.")
    elif name == "figure" and not argument:
        location.add_fault(line, "Name the drawing: ::: figure media/name.svg.")
    elif name == "for" and (reason := duty_argument_fault(argument)):
        location.add_fault(line, reason)
    elif name in {"inset", "warning", "check"} and argument:
        location.add_fault(line, f"Write nothing after “::: {name}”. Put “{argument}” on the next line.")


def _find_closing_line(state: StateBlock, start: int, end: int) -> int | None:
    depth, fence = 1, ""
    for line in range(start + 1, end):
        row = _line_text(state, line)
        mark = re.match(r"(`{3,}|~{3,})", row)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        if fence:
            continue
        depth += 1 if _OPEN.match(row) else -1 if _CLOSE.match(row) else 0
        if depth == 0:
            return line
    return None


def _line_text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _text_location(state: StateBlock) -> TextLocation:
    location: TextLocation = state.env["location"]
    return location


_OUTLINER = _build_outliner()


# The ``::: check`` block: an unscored exercise without script, with feedback folded below each choice.

# Choices as earlier releases rendered them. Stored lessons never change, so keys are removed when shown.
_VALUED = re.compile(r'(<input class="\S+__input" id="check-[^"]*" name="check-[^"]*"[^>]*?) value="[^"]*"')
Inline = Callable[[str], str]


def read_check(content: str, location: TextLocation, line: int) -> ItemText | None:
    """Read the item of a check whose TOML begins ``line`` lines below the text's first; None if faulty."""
    if not location.allows_checks:
        location.add_fault(line, "Only a lesson can have a check. Take it out.")
        return None
    first = location.first_line + line
    root = Source(content, location.path, location.context.faults, first_line=first).root()
    item = read_check_item(root, location.path) if root is not None else None
    if item is None:
        return None
    if not item.kind.usable_as_check:
        usable = [kind.name for kind in kinds_by_name().values() if kind.usable_as_check]
        location.add_fault(
            line,
            f"A check cannot be of kind “{item.kind.name}”, because its answers are saved. Use"
            f" {', '.join(usable[:-1])} or {usable[-1]}.",
        )
        return None
    if item.key in location.check_keys:
        location.add_fault(
            line, f"The key “{item.key}” is used twice in this lesson. Give each check its own."
        )
    location.check_keys.add(item.key)
    return item


def remove_choice_values(html: str) -> str:
    """Remove the keys of choices of checks from a lesson's stored HTML; they may reveal the correct one."""
    return _VALUED.sub(r"\1", html)


def check_html(item: ItemText, inline: Inline, block: Inline) -> str:
    """Render the exercise; its controls are outside any form, so nothing is sent or saved."""
    name = f"check-{item.key}"
    stimulus = block(item.stimulus) if item.stimulus else ""
    return (
        '<div class="portal-check"><p class="portal-heading__caption">Check yourself · not scored</p>'
        f"{stimulus}"
        f'<fieldset class="govuk-fieldset" aria-describedby="{name}-hint">'
        '<legend class="govuk-fieldset__legend govuk-fieldset__legend--m">'
        f'<h2 class="govuk-fieldset__heading">{inline(item.prompt)}</h2></legend>'
        f"{item.kind.render_exercise(item.content, name, inline)}</fieldset>"
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        '<span class="govuk-details__summary-text">Show the explanation</span></summary>'
        f'<div class="govuk-details__text"><p class="govuk-body">{inline(item.explanation)}</p></div>'
        "</details></div>\n"
    )


# The ``::: figure`` block: the picture, a second one for phones, and a text alternative.

IMAGE_KINDS = frozenset({"svg", "png", "jpg", "webp"})
PHONE_QUERY = "(max-width: 640px)"


def find_media_file(path: str, location: TextLocation, line: int) -> MediaFile | None:
    """Return the media file at ``path``; None, with a fault added, if there is none."""
    medium = location.context.media.get(path)
    if medium is None and path and path not in location.context.addresses:
        location.add_fault(line, f"There is no {path} in the module's folder. Add it, or correct the name.")
    return medium


def figure_open(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    """Render the figure up to its text alternative.

    Args:
        medium: The media file to show.
        location: The text that contains the figure.
        first_words: The first paragraph of the text alternative, for a picture that has no title itself.
    """
    address = location.context.addresses[medium.path]
    media_html = _media_element(medium, location, first_words)
    location.context.shown_media.add(medium.path)
    name = escape(_figure_name(medium, first_words))
    full_stop = "" if name.endswith((".", "?", "!")) else "."
    summary = "Read the transcript" if medium.kind in PLAYED else "Read what this figure shows"
    return (
        f'<figure class="portal-figure">{media_html}<figcaption><p>{name}{full_stop} '
        f'<a class="govuk-link" href="{escape(address)}"{_link_words(medium)}'
        f'<span class="govuk-visually-hidden">: {name}</span></a></p>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{summary}</span></summary>'
        '<div class="govuk-details__text">'
    )


def figure_close() -> str:
    """Render the end of a figure, after its text alternative."""
    return "</div></details></figcaption></figure>\n"


def _link_words(medium: MediaFile) -> str:
    """The end of the link's tag, and its words: what plays is downloaded, and all else opened."""
    if medium.kind in PLAYED:
        return f' download="">Download the {"film" if medium.kind in FILMS else "sound"}'
    return f">Open the {'figure' if medium.kind in IMAGE_KINDS else 'file'} on its own"


def _figure_name(medium: MediaFile, first_words: str) -> str:
    return medium.drawing.title if medium.drawing else first_words


def _media_element(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    address = escape(location.context.addresses[medium.path])
    if medium.kind in PLAYED:
        return _player(medium, location, first_words)
    if medium.kind in {"pdf", "vtt"}:
        return ""
    narrow = location.context.media.get(narrow_path(medium.path))
    source = ""
    if narrow is not None:
        other = escape(location.context.addresses[narrow.path])
        kind = CONTENT_TYPES[narrow.kind].partition(";")[0]
        source = f'<source media="{PHONE_QUERY}" srcset="{other}" type="{kind}"{_size_attributes(narrow)}>'
    image = (
        f'<img src="{address}" alt="{escape(_figure_name(medium, first_words))}"{_size_attributes(medium)}>'
    )
    return f"<picture>{source}{image}</picture>"


def _player(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    """The player of a sound or film, which loads nothing but its captions until it is started.

    A sound is in a ``<video>`` too, as a strip: only that element shows captions without a script.
    """
    address = escape(location.context.addresses[medium.path])
    captions = escape(location.context.addresses.get(captions_path(medium.path), ""))
    track = f'<track kind="captions" srclang="en" label="English" src="{captions}" default="">'
    noun, name = ("Film", "portal-film") if medium.kind in FILMS else ("Sound", "portal-sound")
    return (
        f'<video class="{name}" aria-label="{noun}: {escape(first_words)}" controls="" preload="none"'
        f' src="{address}">{track}</video>'
    )


def _size_attributes(medium: MediaFile) -> str:
    drawing = medium.drawing
    return f' width="{drawing.width}" height="{drawing.height}"' if drawing else ""


# Addresses of an author's links to lessons, guides, terms, media files and the web.

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


# The allow-list for rendered HTML; everything else is removed.


@cache
def _media() -> re.Pattern[str]:
    """A media file of a version, draft or proposal, under its hash; texts may fetch nothing else."""
    of_features = "".join(f"|{path}" for feature in list_features() for path in feature.media)
    return re.compile(
        rf"(?:/authoring/(?:_guides/)?[a-z0-9\-]+{of_features})?/media/[0-9a-f]{{64}}/[A-Za-z0-9._\-]+"
    )


_GLOBAL = {"class", "id"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _GLOBAL | {"lang"},
    "a": {"download", "href", "title"},
    "code": set(),
    "details": {"open"},
    "div": {"role", "aria-label", "tabindex"},
    "fieldset": {"aria-describedby"},
    "img": {"src", "alt", "width", "height"},
    "input": {"type", "name", "value"},
    "label": {"for"},
    "ol": {"start"},
    "option": {"value"},
    "select": set(),
    "source": {"media", "srcset", "type", "width", "height"},
    "span": {"aria-hidden"},
    "td": set(),
    "th": {"scope"},
    "track": {"kind", "srclang", "label", "src", "default"},
    "video": {"aria-label", "controls", "preload", "src"},
}
TAGS = set(ATTRIBUTES) - {"*"} | set(
    "p h2 h3 h4 h5 h6 ul li blockquote hr br strong em pre table thead tbody tr"
    " summary figure figcaption picture legend".split()
)


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value, or None to remove the attribute: other types of input, media from elsewhere."""
    if tag == "input" and name == "type" and value not in {"radio", "checkbox"}:
        return None
    if name in {"src", "srcset"} and not _media().fullmatch(value):
        return None
    return value


def sanitise_html(html: str) -> str:
    """Remove everything that could run, load from elsewhere or send anything."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )


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
