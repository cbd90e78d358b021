"""Answers that assign a value to each of several things: a place to each step, a right side to each left.

A response contains one ``thing=value`` for each; keys never contain ``=``. Each thing has a list to choose
from instead of dragging, so that the keyboard is enough.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from portal.domain.item_kinds.base import FULL_MARK, NO_MARK, Answer, AnswerError, FormValues, single_value

LONG_OPTION = 24  # characters that a closed list shows on a phone


def parse_pairs(choices: Iterable[str]) -> dict[str, str]:
    """Return the value of each thing; strings that are not pairs are left out."""
    return {thing: value for thing, sign, value in (choice.partition("=") for choice in choices) if sign}


def format_pairs(pairs: Mapping[str, str]) -> list[str]:
    """Return the pairs as a response stores them."""
    return [f"{thing}={value}" for thing, value in pairs.items()]


def mark_pairs(correct_pairs: Mapping[str, str], choices: Sequence[str]) -> Decimal:
    """Return 1 for exactly the correct pairs, in any order; otherwise 0."""
    return FULL_MARK if sorted(choices) == sorted(format_pairs(correct_pairs)) else NO_MARK


def read_pair_answer(messages: Mapping[str, str], values: Mapping[str, str], form: FormValues) -> Answer:
    """Read the value chosen for each thing from a submitted form.

    No key appears in the page, where it could give the answer away: the control of the first thing is
    named ``for-1``, and form values are numbers.

    Args:
        messages: By the key of each thing, in the order of the page, the message if nothing was chosen.
        values: By form value, the key of each value.
        form: The submitted form.

    Raises:
        AnswerError: A thing has no value, or one that is not among ``values``.
    """
    pairs: dict[str, str] = {}
    problems = []
    for number, (thing, message) in enumerate(messages.items(), 1):
        form_value = single_value(form, f"for-{number}")
        if form_value in values:
            pairs[thing] = values[form_value]
        else:
            problems.append((message, f"for-{number}"))
    answer = Answer(tuple(format_pairs(pairs)))
    if problems:
        raise AnswerError(*problems, typed=answer)
    return answer


def random_pairs(things: Sequence[str], values: Sequence[str], chance: random.Random) -> list[str]:
    """Pair each thing with a random value; no value is used twice before all were used."""
    shuffled = chance.sample(list(values), len(values))
    return [f"{thing}={shuffled[index % len(shuffled)]}" for index, thing in enumerate(things)]


def shuffle_by_name(things: Sequence[str], name: str) -> list[str]:
    """Return the things in another order, always the same for the same name."""
    shuffled = random.Random(name).sample(things, len(things))  # noqa: S311 - no secret: the answer is shown
    return shuffled if shuffled != list(things) else [*shuffled[1:], shuffled[0]]


def render_pair_exercise(
    name: str,
    hint: str,
    reveal: str,
    options: Sequence[str],
    answers: Sequence[tuple[str, str]],
    *,
    narrow: bool,
) -> str:
    """Render lists to choose from, outside any form, with the correct value folded below each.

    Args:
        name: The exercise's id, unique on its page.
        hint: What to do, in whole sentences.
        reveal: The words that unfold the correct value.
        options: The values to choose from, as safe HTML.
        answers: Each thing with its correct value, as safe HTML.
        narrow: Whether the options are short.
    """
    option_tags = "".join(f"<option>{_escape_words(option)}</option>" for option in options)
    rows = "".join(
        '<div class="govuk-form-group portal-pick-row">'
        f'<label class="govuk-label" for="{name}-{number}">{thing}</label>'
        f'<select class="govuk-select portal-pick{" portal-pick--narrow" if narrow else ""}"'
        f' id="{name}-{number}"><option value="">Choose</option>{option_tags}</select></div>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{reveal}'
        f'<span class="govuk-visually-hidden">: {_escape_words(thing)}</span></span></summary>'
        f'<div class="govuk-details__text"><p class="govuk-body">{correct}</p></div></details>'
        for number, (thing, correct) in enumerate(answers, 1)
    )
    hint_html = f'<div id="{name}-hint" class="govuk-hint">{hint} Then check each.</div>'
    return f"{hint_html}{_render_long_options(options)}{rows}"


def _render_long_options(options: Sequence[str]) -> str:
    """Render the options as a list above the controls if a closed control on a phone would cut one off."""
    if not any(len(_escape_words(option)) > LONG_OPTION for option in options):
        return ""
    rows = "".join(f"<li>{option}</li>" for option in options)
    return (
        '<div class="portal-options"><p>The answers to choose from:</p>'
        f'<ul class="govuk-list govuk-list--bullet">{rows}</ul></div>'
    )


def _escape_words(html: str) -> Markup:
    """Return safe HTML without its tags; slots for the force's settings remain."""
    return escape(Markup(html).striptags())  # noqa: S704 - only removes the tags
