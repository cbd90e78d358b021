"""Evidence as an FOI edition shows it: no names or documents, and no number that may tell of a person. Pure.

A figure of a part of the force could be taken from one of the annex, and a few people would be left. So a
figure of people is shown only where the annex publishes the same numbers; of others not even whether they
hold, because two thresholds of nearly the same people tell of those between.
"""

from collections.abc import Collection
from dataclasses import replace

from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.packs.foi_tables import HIDDEN
from portal.domain.reports.packs.suppression import is_small

COUNT_PEOPLE = frozenset({"figure", "acknowledgements", "attendance"})
KEPT_BACK = {
    "document": "A document of the force, which is not in this edition.",
    "statement": "A signed statement of the force, which is not in this edition.",
}
HIDDEN_FIGURE = f"{HIDDEN}: numbers of a part of the force are not in this edition."
SMALL_FIGURE = f"{HIDDEN}: the numbers are too small to be published."
LEFT_OUT = (
    "This edition names nobody. Owners, risks, documents, signed statements and the figures at the judgement "
    "are left out."
)
Pair = tuple[int, int]  # numerator and denominator


def hide_numbers(state: EvidenceState, published: Collection[Pair], small: int) -> EvidenceState:
    """A piece of evidence without what would tell of a person.

    Args:
        state: As the whole force knows it.
        published: The numbers of people that the annexes publish.
        small: The small number.
    """
    if state.kind in KEPT_BACK:
        return _leave_out_words(state, KEPT_BACK[state.kind])
    if state.kind in COUNT_PEOPLE:
        return state if (state.reached, state.total) in published else _hide_figure(state, HIDDEN_FIGURE)
    if state.reached is not None and state.total is not None:
        parts = (state.reached, state.total - state.reached, state.total)
        if any(is_small(part, small) for part in parts):
            return _hide_figure(state, SMALL_FIGURE)
    return state


def _leave_out_words(state: EvidenceState, words: str) -> EvidenceState:
    return replace(state, shown=words, definition=(), address="", digest="")


def _hide_figure(state: EvidenceState, words: str) -> EvidenceState:
    return replace(_leave_out_words(state, words), reached=None, total=None, faults=(HIDDEN,))


def describe_suppression(states: Collection[EvidenceState], small: int) -> list[str]:
    """What is hidden in an FOI edition, and why, for whoever reads it."""
    hidden = sum(state.faults == (HIDDEN,) for state in states)
    return [
        LEFT_OUT,
        f"{HIDDEN} stands for what is hidden, in {hidden} of {len(states)} pieces of evidence. A figure of "
        "people is shown only where the FOI pack of its directive, which is in this ZIP, shows the same "
        f"numbers. Counts of documents from 1 to {small - 1} are hidden.",
        "Titles, and the words of the answer, its actions, judgements and decisions, are the force's own, as "
        "they were written.",
    ]
