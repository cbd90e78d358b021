"""Inserts marks into a preview: each finding below its block, as the target of a link. Pure functions."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from portal.domain.authoring.findings.collect import Finding
from portal.domain.catalogue.markdown.containers import add_container_rules

# Private-use characters, which no author's text contains.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"<p[^>]*>{_OPEN}([0-9]+){_CLOSE}</p>")


class _IgnoredFaults:
    """Ignores faults met while parsing blocks; the check has already reported them."""

    def add_fault(self, line: int, reason: str) -> None:
        """Ignore the fault."""


def _build_parser() -> MarkdownIt:
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    add_container_rules(engine)
    return engine


_ENGINE = _build_parser()


def mark_findings(body: str, findings: Sequence[Finding]) -> str:
    """Insert a marker line for each finding with a line number, below the block that contains the line.

    Args:
        body: The Markdown.
        findings: The findings about this text; their lines count from 1 within it.
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
    """The last line of each top-level block, counted from 1."""
    env: dict[str, Any] = {"location": _IgnoredFaults()}
    tokens = _ENGINE.parse(body, env)
    return [token.map[1] for token in tokens if token.map and token.level == 0]


def render_marks(html: str, findings: Sequence[Finding]) -> str:
    """Replace the markers in rendered text by the findings' messages, with ids ``mark-1`` and so on."""

    def render_mark(match: re.Match[str]) -> str:
        finding = findings[int(match[1]) - 1]
        line = Markup('<p class="portal-mark" id="mark-{}" tabindex="-1"><strong>{}:</strong> {}</p>')
        return str(line.format(match[1], str(finding.level), escape(finding.message)))

    return _MARK.sub(render_mark, html)
