"""Answers that give each of several things one other: a step its place, a left its right.

A response holds ``thing=other`` for each; keys never hold ``=``. No dragging: each thing has a list to
choose from, so that the keyboard is enough.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from portal.kinds.kind import ALL, NOTHING, Answer, AnswerError, Sent


def pairs(choices: Iterable[str]) -> dict[str, str]:
    """What each thing was given; what makes no sense is left out."""
    return {thing: other for thing, sign, other in (choice.partition("=") for choice in choices) if sign}


def strings(given: Mapping[str, str]) -> list[str]:
    """The same as a response keeps it."""
    return [f"{thing}={other}" for thing, other in given.items()]


def mark(right: Mapping[str, str], choices: Sequence[str]) -> Decimal:
    """1 where exactly the right pairs were made, in any order; else 0."""
    return ALL if sorted(choices) == sorted(strings(right)) else NOTHING


def answered(things: Mapping[str, str], others: Mapping[str, str], sent: Sent) -> Answer:
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
    answer = Answer(tuple(strings(given)))
    if missing:
        raise AnswerError(*missing, typed=answer)
    return answer


def dealt(things: Sequence[str], others: Sequence[str], chance: random.Random) -> list[str]:
    """Each thing with one of the others at random, each used once as far as they last."""
    mixed = chance.sample(list(others), len(others))
    return [f"{thing}={mixed[place % len(mixed)]}" for place, thing in enumerate(things)]
