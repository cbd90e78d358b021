"""No journey reads a page that may not have come yet."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = [*sorted((TESTS / "journeys").glob("*.py")), TESTS / "pages" / "layout" / "test_in_a_browser.py"]
READ = {
    "all_inner_texts", "content", "count", "get_attribute", "hold_to_account", "h1", "inner_html",
    "inner_text", "input_value", "is_checked", "is_visible", "text_content", "title", "url",
}  # fmt: skip
WHY = "use go(), press(), follow() or press_enter(), which wait for the page, or wait before reading it"


def _acts(node: ast.stmt) -> bool:
    """Whether this statement is a click, or Enter, of the browser's own that waits for no page."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    enter = any(isinstance(a, ast.Constant) and a.value == "Enter" for a in call.args)
    return call.func.attr == "click" or (call.func.attr == "press" and enter)


def _reads(node: ast.stmt) -> bool:
    """Whether this statement looks at the page as it is this moment."""
    names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    names |= {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return bool(names & READ)


def _waits(node: ast.stmt) -> bool:
    return isinstance(node, ast.With) and any(
        isinstance(n, ast.Attribute) and n.attr.startswith("expect_")
        for item in node.items
        for n in ast.walk(item.context_expr)
    )


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every run of statements, but those whose end is a wait for what they do."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            found = getattr(node, name, None)
            if isinstance(found, list) and not (isinstance(node, ast.stmt) and _waits(node)):
                yield found


def hasty(source: str) -> list[int]:
    """The lines of clicks after which the page is read at once."""
    return [
        act.lineno
        for body in _bodies(ast.parse(source))
        for act, following in pairwise(body)
        if _acts(act) and _reads(following)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_journey_reads_what_a_click_leads_to_at_once(file):
    assert hasty(file.read_text(encoding="utf-8")) == [], WHY


def test_the_rule_sees_what_it_is_for():
    click = 'tab.click("a")\n'
    for reading in ("assert tab.locator('p').count() == 1", "assert tab.url.endswith('x')", "h = h1(tab)"):
        assert hasty(click + reading) == [1]
    assert hasty("tab.keyboard.press('Enter')\nassert 'x' in tab.inner_text('main')") == [1]
    assert hasty("with tab.expect_navigation():\n    tab.click('a')\nassert tab.url") == []
    assert hasty(click + "tab.wait_for_url('**/x')\nassert tab.url") == []
    assert hasty(click + "tab.fill('#q', 'x')") == []
