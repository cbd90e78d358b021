"""Why the figure of a piece of evidence moved between two positions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from portal.domain.assurance.evidence_state import EvidenceState
from portal.platform.wording import number, percent_cut, plural


@dataclass(frozen=True, slots=True)
class FigureMove:
    """A piece of evidence that shows something else than at the earlier position, or no longer holds.

    Attributes:
        reference: Of the piece of evidence.
        title: Its title.
        before: What it showed; "" where it was not there.
        after: What it shows.
        differences: How many more are done and counted, such as "9 more done".
        why: The causes, a sentence each, without their stops.
        address: Where a person sees what is behind it; "" for nowhere.
    """

    reference: str
    title: str
    before: str
    after: str
    differences: tuple[str, ...]
    why: tuple[str, ...]
    address: str = ""


def find_moves(
    earlier: Mapping[str, EvidenceState],
    known_since: Mapping[str, EvidenceState],
    later: Mapping[str, EvidenceState],
    causes: Mapping[str, Counter[str]],
) -> list[FigureMove]:
    """The pieces of evidence that moved, by reference.

    Args:
        earlier: What each showed at the earlier position.
        known_since: What each shows of that day, as known at the later position.
        later: What each shows at the later position.
        causes: People by what changed for them, of the pieces where that is known.
    """
    moves = []
    for reference, after in later.items():
        before = earlier.get(reference)
        if before is None or not _has_moved(before, after):
            continue
        why = _list_causes(before, known_since.get(reference, before), after, causes.get(reference))
        moves.append(
            FigureMove(
                reference,
                after.title,
                share_words(before),
                share_words(after),
                tuple(count_differences(before, after)),
                why,
                after.address,
            )
        )
    return moves


def share_words(state: EvidenceState) -> str:
    """What a piece of evidence shows: its figure, or for other kinds its sentence."""
    return figure_words(state.reached or 0, state.total) if state.total else state.shown


def figure_words(reached: int, total: int) -> str:
    """A figure as percentage and fraction, such as "77% – 241 of 310"."""
    return f"{percent_cut(reached, total)} – {number(reached)} of {number(total)}"


def _has_moved(before: EvidenceState, after: EvidenceState) -> bool:
    figures = (before.reached, before.total), (after.reached, after.total)
    return figures[0] != figures[1] or before.holds != after.holds


def _list_causes(
    before: EvidenceState, known_since: EvidenceState, after: EvidenceState, people: Counter[str] | None
) -> tuple[str, ...]:
    why = []
    if before.definition != after.definition and before.total is not None:
        why.append("What is counted was changed")
    if late := describe_late_records(before, known_since):
        why.append(late)
    if people:
        why += [f"{words}: {plural(count, 'person', 'people')}" for words, count in people.most_common()]
    if before.holds and not after.holds:
        why.append(f"It now needs attention: {' '.join(after.faults)}".rstrip("."))
    elif after.holds and not before.holds:
        why.append("It is in order again")
    return tuple(why)


def count_differences(before: EvidenceState, after: EvidenceState) -> list[str]:
    """How many more are done, and how many more are counted."""
    differences = (
        ((after.reached or 0) - (before.reached or 0), "done"),
        ((after.total or 0) - (before.total or 0), "counted"),
    )
    return [
        f"{number(abs(difference))} {'more' if difference > 0 else 'fewer'} {what}"
        for difference, what in differences
        if difference
    ]


def describe_late_records(before: EvidenceState, known_since: EvidenceState) -> str:
    """What records that were entered late changed of the earlier day; "" if nothing."""
    differences = count_differences(before, known_since)
    return f"Entered since, for earlier days: {', '.join(differences)}" if differences else ""
