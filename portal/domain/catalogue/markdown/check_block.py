"""The ``::: check`` block: an unscored exercise without script, with feedback folded below each choice."""

import re
from collections.abc import Callable

from portal.domain.catalogue.markdown.render_context import TextLocation
from portal.domain.catalogue.sources.items import ItemText, read_check_item
from portal.domain.item_kinds import kinds_by_name
from portal.platform.formats.toml_tables import Source

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
