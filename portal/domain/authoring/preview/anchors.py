"""Marks in a preview: each finding stands below the block that it is about, as a link's target. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from portal.domain.authoring.findings.collect import Finding
from portal.domain.catalogue.markdown.containers import add_container_rules

# From a range that no text has a use for, so that no word of an author's is taken for a mark.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"<p[^>]*>{_OPEN}([0-9]+){_CLOSE}</p>")


class _IgnoredFaults:
    """Takes the faults that finding blocks meets; the check has told them already."""

    def fault(self, line: int, reason: str) -> None:
        """Say nothing."""


def _build_parser() -> MarkdownIt:
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    add_container_rules(engine)
    return engine


_ENGINE = _build_parser()


def mark_findings(body: str, findings: Sequence[Finding]) -> str:
    """The text with a line for each finding that has a place in it, below the block that holds the place.

    Args:
        body: The Markdown.
        findings: Those of this text; their lines count from 1 within it.
    """
    rows = body.split("\n")
    ends = _block_ends(body)
    below: dict[int, list[int]] = {}
    for number, finding in enumerate(findings, 1):
        if finding.line is not None:
            end = next((end for end in ends if end >= finding.line), len(rows))
            below.setdefault(end, []).append(number)
    lines: list[str] = []
    for at, row in enumerate(rows, 1):
        lines.append(row)
        for number in below.get(at, ()):
            lines += ["", f"{_OPEN}{number}{_CLOSE}", ""]
    return "\n".join(lines)


def _block_ends(body: str) -> list[int]:
    """The last line of each outermost block, counted from 1."""
    env: dict[str, Any] = {"place": _IgnoredFaults()}
    tokens = _ENGINE.parse(body, env)
    return [token.map[1] for token in tokens if token.map and token.level == 0]


def render_marks(html: str, findings: Sequence[Finding]) -> str:
    """The rendered text of ``mark_findings`` with each mark in words, named ``mark-1`` and so on."""

    def mark(found: re.Match[str]) -> str:
        finding = findings[int(found[1]) - 1]
        line = Markup('<p class="portal-mark" id="mark-{}" tabindex="-1"><strong>{}:</strong> {}</p>')
        return str(line.format(found[1], str(finding.level), escape(finding.message)))

    return _MARK.sub(mark, html)
