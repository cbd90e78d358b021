"""A ``::: check`` as HTML: an unscored exercise that works with HTML alone, feedback behind each choice."""

from collections.abc import Callable

from markupsafe import escape

from portal.catalogue.context import Place
from portal.catalogue.items import ItemText, check_item
from portal.catalogue.tables import Source

Inline = Callable[[str], str]


def read_check(content: str, place: Place, line: int) -> ItemText | None:
    """The item of a check whose TOML begins ``line`` lines below the text's first; None where faulty."""
    if not place.checks:
        place.fault(line, "A check has its place in a lesson alone. Take it out.")
        return None
    first = place.first_line + line
    root = Source(content, place.path, place.context.faults, first_line=first).root()
    item = check_item(root, place.path) if root is not None else None
    if item is None:
        return None
    if item.key in place.check_keys:
        place.fault(line, f"The key “{item.key}” is used twice in this lesson. Give each check its own.")
    place.check_keys.add(item.key)
    return item


def check_html(item: ItemText, inline: Inline, block: Inline) -> str:
    """The exercise; radios or checkboxes belong to no form, so nothing is sent and nothing is kept."""
    name = f"check-{item.key}"
    single = item.kind == "single"
    shape = "radios" if single else "checkboxes"
    hint = "Select one." if single else "Select all that apply."
    stimulus = block(item.stimulus) if item.stimulus else ""
    choices = "".join(_choice(item, number, inline) for number in range(len(item.choices)))
    return (
        '<div class="portal-check"><p class="portal-heading__caption">Check yourself · not scored</p>'
        f"{stimulus}"
        f'<fieldset class="govuk-fieldset" aria-describedby="{name}-hint">'
        '<legend class="govuk-fieldset__legend govuk-fieldset__legend--m">'
        f'<h2 class="govuk-fieldset__heading">{inline(item.prompt)}</h2></legend>'
        f'<div id="{name}-hint" class="govuk-hint">{hint} Then open what stands below your choice.</div>'
        f'<div class="govuk-{shape}">{choices}</div></fieldset>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        '<span class="govuk-details__summary-text">Show the explanation</span></summary>'
        f'<div class="govuk-details__text"><p class="govuk-body">{inline(item.explanation)}</p></div>'
        "</details></div>\n"
    )


def _choice(item: ItemText, number: int, inline: Inline) -> str:
    choice = item.choices[number]
    shape, kind = ("radios", "radio") if item.kind == "single" else ("checkboxes", "checkbox")
    name = f"check-{item.key}"
    identity = f"{name}-{number + 1}"
    colour, verdict = ("right", "Correct") if choice.correct else ("wrong", "Not correct")
    text = inline(choice.text)
    return (
        f'<div class="govuk-{shape}__item"><input class="govuk-{shape}__input" id="{identity}"'
        f' name="{name}" type="{kind}" value="{escape(choice.key)}">'
        f'<label class="govuk-label govuk-{shape}__label" for="{identity}">{text}</label></div>'
        '<details class="govuk-details portal-check__feedback"><summary class="govuk-details__summary">'
        '<span class="govuk-details__summary-text">If you chose this'
        f'<span class="govuk-visually-hidden">: {text}</span></span></summary>'
        f'<div class="portal-feedback portal-feedback--{colour}"><strong>{verdict}</strong>'
        f"<p>{inline(choice.feedback)}</p></div>"
        "</details>"
    )
