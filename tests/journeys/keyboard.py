"""A page worked by the keyboard alone: Tab to a control, arrows, Space, Enter."""

from playwright.sync_api import Page as Tab

from tests.journeys.answering import Fields

ON = "s => document.activeElement.matches(s)"
FOCUSED = (
    "(({tagName, name, type}) => [tagName.toLowerCase(), name || '', type || ''])(document.activeElement)"
)
CASE_FORM = "form[action*='/runs/']"


def walk_to(tab: Tab, selector: str, most: int = 250) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        if tab.evaluate(ON, selector):
            return
        tab.keyboard.press("Tab")
    raise AssertionError(f"{selector} is out of the keyboard's reach on {tab.url}")


def press_enter(tab: Tab, selector: str) -> None:
    """Go to a link or button and press it, and wait for the page that answers."""
    walk_to(tab, selector)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def fill_in(tab: Tab, fields: Fields) -> None:
    """Give an answer; what is hidden is there already."""
    for name, value in _in_order(tab, fields):
        control = f"main form [name='{name}']"
        kind = tab.locator(control).first.evaluate("e => e.type")
        if kind == "radio":
            _turn_to(tab, control, value)
        elif kind == "checkbox":
            walk_to(tab, f"{control}[value='{value}']")
            tab.keyboard.press("Space")
        elif kind == "select-one":
            _pick(tab, control, value)
        else:
            walk_to(tab, control)
            tab.keyboard.insert_text(value)


def send(tab: Tab) -> None:
    """Go to the page's main button and press it."""
    press_enter(tab, "main form button.govuk-button:not(.govuk-button--secondary)")


def _in_order(tab: Tab, fields: Fields) -> Fields:
    """The visible controls' values in the order in which Tab meets them."""
    names: list[list[str]] = tab.evaluate(
        "[...document.querySelectorAll('main form :is(input, select, textarea):not([type=hidden])')]"
        ".map(e => [e.name, e.type == 'checkbox' ? e.value : ''])"
    )
    boxes = {name for name, value in names if value}
    places = {tuple(pair): place for place, pair in reversed(list(enumerate(names)))}
    found = [(places.get((n, v if n in boxes else "")), n, v) for n, v in fields]
    return [(name, value) for place, name, value in sorted(f for f in found if f[0] is not None)]


def _turn_to(tab: Tab, control: str, value: str) -> None:
    walk_to(tab, control)
    tab.keyboard.press("Space")
    for _ in range(12):
        if tab.evaluate("document.activeElement.value") == value:
            return
        tab.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} is out of reach of the arrows on {tab.url}")


def _pick(tab: Tab, control: str, value: str) -> None:
    walk_to(tab, control)
    for _ in range(20):
        if tab.evaluate("document.activeElement.value") == value:
            return
        tab.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} is not in the list on {tab.url}")


def take_case_step(tab: Tab) -> None:
    """Tab from the skip link on: the first of all choices, a word in each text, and the first button."""
    form = tab.locator(CASE_FORM)
    chosen: set[str] = set()
    tab.locator("h1").evaluate("element => { element.tabIndex = -1; element.focus() }")
    for _ in range(80):
        tab.keyboard.press("Tab")
        tag, name, kind = tab.evaluate(FOCUSED)
        if kind in {"radio", "checkbox"} and name not in chosen:
            tab.keyboard.press("Space")
            chosen.add(name)
        elif tag == "textarea":
            tab.keyboard.type("Seen at 02:10.")
        elif tag == "input" and kind == "text":
            tab.keyboard.type("11")
        elif tag == "select":
            tab.keyboard.press("ArrowDown")
        elif tag == "button" and form.locator("button:focus").count():
            with tab.expect_navigation():
                tab.keyboard.press("Enter")
            return
    raise AssertionError(f"{tab.url}: the button cannot be reached by keyboard")
