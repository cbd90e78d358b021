"""The checker of accessibility on an open page, without what it has found nothing in before.

Its rule of contrast takes two thirds of its time: it reads what lies behind every text. It runs where
the look of a text is new: its colour, size and weight, and what is behind it. In sweeps it always runs.
"""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page as Tab

from tests.examples import few_or_many

CHECKED: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
WITHOUT_CONTRAST = CHECKED | {"rules": {"color-contrast": {"enabled": False}}}
CHECK = """options => axe.run(document, options).then(
  ({violations, passes}) => ({violations, passes: passes.length}))"""
# How each text looks, and every layer behind it: two texts that are alike in it have the same contrast.
LOOKS = """() => {
  const layers = new Map(), looks = new Set();
  const behind = (element) => {
    if (!element) return "";
    if (!layers.has(element)) {
      const look = getComputedStyle(element);
      const own = [look.backgroundColor, look.backgroundImage, look.opacity, look.position, look.textShadow];
      const plain = String(own) === "rgba(0, 0, 0, 0),none,1,static,none";
      layers.set(element, (plain ? "" : `${own} `) + behind(element.parentElement));
    }
    return layers.get(element);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const elements = new Set(document.querySelectorAll("input, select, textarea"));
  while (texts.nextNode()) {
    if (texts.currentNode.data.trim()) elements.add(texts.currentNode.parentElement);
  }
  for (const element of elements) {
    if (!element.checkVisibility()) continue;
    const look = getComputedStyle(element);
    looks.add(`${[look.color, look.fontSize, look.fontWeight]} ${behind(element)}`);
  }
  return [...looks];
}"""
checked_looks: set[str] = set()  # of texts whose contrast the checker has found enough


def check_page(tab: Tab) -> None:
    """Run the checker on the page as it is.

    Raises:
        AssertionError: It found something, or did not run.
    """
    looks = set(tab.evaluate(LOOKS))
    if tab.evaluate("() => !window.axe"):
        tab.evaluate(AXE_SCRIPT)
    reads_contrast = bool(few_or_many(0, 1)) or not looks <= checked_looks
    found = tab.evaluate(CHECK, CHECKED if reads_contrast else WITHOUT_CONTRAST)
    faults = [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found["violations"]]
    assert faults == [], f"{tab.url} at {tab.viewport_size}: {faults}"
    assert found["passes"], tab.url
    checked_looks.update(looks)
