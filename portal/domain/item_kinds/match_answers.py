"""Answers that give each of several things one other: a step its place, a left its right.

A response holds ``thing=other`` for each; keys never hold ``=``. No dragging: each thing has a list to
choose from, so that the keyboard is enough.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from portal.domain.item_kinds.base import FULL_MARK, NO_MARK, Answer, AnswerError, FormValues

LONG_OPTION = 24  # characters that a closed list shows on a phone


def parse_pairs(choices: Iterable[str]) -> dict[str, str]:
    """What each thing was given; what makes no sense is left out."""
    return {thing: other for thing, sign, other in (choice.partition("=") for choice in choices) if sign}


def format_pairs(given: Mapping[str, str]) -> list[str]:
    """The same as a response keeps it."""
    return [f"{thing}={other}" for thing, other in given.items()]


def mark_pairs(right: Mapping[str, str], choices: Sequence[str]) -> Decimal:
    """1 where exactly the right pairs were made, in any order; else 0."""
    return FULL_MARK if sorted(choices) == sorted(format_pairs(right)) else NO_MARK


def read_pair_answer(things: Mapping[str, str], others: Mapping[str, str], sent: FormValues) -> Answer:
    """What was chosen for each thing.

    Keys stay out of the page, where they could give the answer away: the first thing's control is named
    ``for-1``, and what it sends is what the page shows.

    Args:
        things: What to say where nothing was chosen, by the key of the thing, in the order of the page.
        others: The keys to choose from, by what the page sends for each.
        sent: The form.

    Raises:
        AnswerError: A thing was given nothing, or what is not among the others.
    """
    given: dict[str, str] = {}
    missing = []
    for number, (thing, said) in enumerate(things.items(), 1):
        value = (sent.get(f"for-{number}") or [""])[0]
        if value in others:
            given[thing] = others[value]
        else:
            missing.append((said, f"for-{number}"))
    answer = Answer(tuple(format_pairs(given)))
    if missing:
        raise AnswerError(*missing, typed=answer)
    return answer


def random_pairs(things: Sequence[str], others: Sequence[str], chance: random.Random) -> list[str]:
    """Each thing with one of the others at random, each used once as far as they last."""
    mixed = chance.sample(list(others), len(others))
    return [f"{thing}={mixed[place % len(mixed)]}" for place, thing in enumerate(things)]


def shuffle_by_name(things: Sequence[str], name: str) -> list[str]:
    """The things in an order that is not theirs and is the same each time it is asked for by this name."""
    found = random.Random(name).sample(things, len(things))  # noqa: S311 - no secret: the answer stands below
    return found if found != list(things) else [*found[1:], found[0]]


def render_pair_exercise(
    name: str, hint: str, ask: str, options: Sequence[str], things: Sequence[tuple[str, str]], *, narrow: bool
) -> str:
    """Lists to choose from that belong to no form; behind each is folded what is right.

    Args:
        name: Of the exercise, unique on its page.
        hint: What to do, one sentence.
        ask: The words that unfold what is right.
        options: To choose from, as safe HTML.
        things: Each with what is right for it, as safe HTML.
        narrow: Whether the options are short.
    """
    offered = "".join(f"<option>{_escape_words(option)}</option>" for option in options)
    rows = "".join(
        '<div class="govuk-form-group portal-pick-row">'
        f'<label class="govuk-label" for="{name}-{number}">{thing}</label>'
        f'<select class="govuk-select portal-pick{" portal-pick--narrow" if narrow else ""}"'
        f' id="{name}-{number}"><option value="">Choose</option>{offered}</select></div>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{ask}'
        f'<span class="govuk-visually-hidden">: {_escape_words(thing)}</span></span></summary>'
        f'<div class="govuk-details__text"><p class="govuk-body">{right}</p></div></details>'
        for number, (thing, right) in enumerate(things, 1)
    )
    hint = f'<div id="{name}-hint" class="govuk-hint">{hint} Then open what stands below each.</div>'
    return f"{hint}{_render_long_options(options)}{rows}"


def _render_long_options(options: Sequence[str]) -> str:
    """The options once more above the lists, where a closed one could not show them whole on a phone."""
    if not any(len(_escape_words(option)) > LONG_OPTION for option in options):
        return ""
    rows = "".join(f"<li>{option}</li>" for option in options)
    return (
        '<div class="portal-options"><p>The answers to choose from:</p>'
        f'<ul class="govuk-list govuk-list--bullet">{rows}</ul></div>'
    )


def _escape_words(html: str) -> Markup:
    """Safe HTML without its elements; what the force fills in stays open."""
    return escape(Markup(html).striptags())  # noqa: S704 - only to take the tags out
