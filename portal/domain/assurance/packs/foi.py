"""Evidence as an FOI edition shows it: no names or documents, and no number that may tell of a person. Pure.

A figure of a part of the force could be taken from one of the annex, and a few people would be left. So a
figure of people is shown only where the annex publishes its numbers, and as rounded there; of others not even
whether they hold, because two thresholds of nearly the same people tell of those between. Nor can counts of
documents be taken from one another: all that are shown are of the same units and months.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.evidence.shares import restate_share
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.packs.rounding import is_small
from portal.domain.reports.statistics import Share

HIDDEN = "[c]"  # the mark of official statistics for a confidential number
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
HIDDEN_SAMPLES = f"{HIDDEN}: only the widest figures of documents are in this edition."
Pair = tuple[int, int]  # numerator and denominator
SampleFrame = tuple[str, int]  # a unit’s path, "" for all of them, and a number of months


@dataclass(frozen=True, slots=True)
class PublishedNumbers:
    """What an FOI edition may show.

    Attributes:
        totals: The people complete and counted of each directive, as its FOI pack publishes them, rounded.
        frame: The units and months of which counts of documents are shown; None: there are none.
    """

    totals: Mapping[str, Pair]
    frame: SampleFrame | None = None


def choose_frame(pieces: Iterable[EvidenceSnapshot]) -> SampleFrame | None:
    """The units and months of which counts of documents are shown: all units before one, then most months.

    Args:
        pieces: All evidence of the desk, so that the editions of one date have the same.
    """
    frames = {_frame_of(piece.version.definition) for piece in pieces if piece.version.kind == "samples"}
    return min(frames, key=lambda frame: (frame[0] != "", -frame[1], frame[0]), default=None)


def _frame_of(definition: Mapping[str, Any]) -> SampleFrame:
    return str(definition.get("unit", "")), int(definition["months"])


def hide_numbers(
    state: EvidenceState, definition: Mapping[str, Any], published: PublishedNumbers, small: int
) -> EvidenceState:
    """A piece of evidence without what would tell of a person.

    Args:
        state: As the whole force knows it.
        definition: What is counted, as it was stated.
        published: What may be shown.
        small: The small number.
    """
    if state.kind in KEPT_BACK:
        return _leave_out_words(state, KEPT_BACK[state.kind])
    if state.kind in COUNT_PEOPLE:
        share = _find_published(state, definition, published)
        return restate_share(state, share, "are complete") if share else _hide_figure(state, HIDDEN_FIGURE)
    if state.reached is not None and state.total is not None:
        if _frame_of(definition) != published.frame:
            return _hide_figure(state, HIDDEN_SAMPLES)
        parts = (state.reached, state.total - state.reached, state.total)
        if any(is_small(part, small) for part in parts):
            return _hide_figure(state, SMALL_FIGURE)
    return state


def _find_published(
    state: EvidenceState, definition: Mapping[str, Any], published: PublishedNumbers
) -> Share | None:
    """The rounded share of everybody under a directive, where the annex publishes it."""
    is_part = any(definition.get(name) for name in ("requirement", "unit", "role", "rank"))
    if state.kind != "figure" or is_part or definition["directive"] not in published.totals:
        return None
    return Share(*published.totals[definition["directive"]])


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
        "people is shown only where the FOI pack of its directive, which is in this ZIP, shows it, and "
        f"rounded as there. Counts of documents from 1 to {small - 1} are hidden, and all that are of fewer "
        "units or months than the widest, because one could be taken from another.",
        "Titles, and the words of the answer, its actions, judgements and decisions, are the force's own, as "
        "they were written.",
    ]
