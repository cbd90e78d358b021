"""A block rule of the Markdown parser for ``:::`` containers."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from portal.domain.catalogue.markdown.duty_parts import duty_argument_fault
from portal.domain.catalogue.markdown.render_context import TextLocation

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
