"""The counts of a unit's documents in a month, the shares that follow, and reasons for missing documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.platform.errors import FieldError
from portal.platform.wording import number

MOST = 9_999  # of one unit in one month: beyond it, the number was mistyped

MISSING_REASONS: Mapping[str, str] = {
    "in_hand": "The missing documents are being written",
    "not_known_due": "Officers did not know that a document is due",
    "no_time": "There was no time for it in the shift",
    "system": "The form or system could not be used",
    "handed_over": "Another unit or force took the case over",
    "unknown": "The reason is not known yet",
}
CORRECTION_REASONS: Mapping[str, str] = {
    "came_later": "Documents came in after the count",
    "counted_wrong": "The earlier count was wrong",
}
REASONS: Mapping[str, str] = {**MISSING_REASONS, **CORRECTION_REASONS}


class CountRefusedError(FieldError):
    """Counts cannot all be true, or have no reason where they need one."""


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """The seven counts of a unit and a month."""

    reported: int
    submitted: int
    on_time: int
    sampled: int
    complete: int
    graded: int
    returned: int

    @property
    def missing_documents(self) -> int:
        """Number of reported cases without a document."""
        return self.reported - self.submitted


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """The counts of one unit in one month, as somebody enters them."""

    unit_id: int  # whose own documents alone are counted
    month: date  # its first day
    counts: SampleCounts
    reason: str = ""  # a key of ``REASONS``; empty for none


COUNT_WORDS: Mapping[str, str] = {
    "reported": "cases reported to NCCU",
    "submitted": "documents submitted",
    "on_time": "documents submitted on time",
    "sampled": "documents read",
    "complete": "documents complete",
    "graded": "documents graded",
    "returned": "documents sent back",
}
WITHIN = {
    "submitted": "reported",
    "on_time": "submitted",
    "sampled": "submitted",
    "complete": "sampled",
    "graded": "sampled",
    "returned": "sampled",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A share that follows from two of the counts."""

    key: str
    title: str
    reached: str  # the count above the line
    total: str  # the count below it
    meaning: str
    more_is_better: bool = True


MEASURES: Mapping[str, Measure] = {
    measure.key: measure
    for measure in (
        Measure(
            "submitted",
            "Documents submitted",
            "submitted",
            "reported",
            "Documents submitted, of the cases reported to NCCU",
        ),
        Measure(
            "on_time",
            "Submitted on time",
            "on_time",
            "submitted",
            "Documents submitted within the time that the force sets, of those submitted",
        ),
        Measure(
            "sampled",
            "Read by a supervisor",
            "sampled",
            "submitted",
            "Documents that a supervisor read, of those submitted",
        ),
        Measure(
            "complete",
            "Complete",
            "complete",
            "sampled",
            "Documents with a yes to every question of the checklist, of those read",
        ),
        Measure(
            "graded",
            "Graded",
            "graded",
            "sampled",
            "Documents graded as the force’s form asks, of those read",
        ),
        Measure(
            "returned",
            "Sent back",
            "returned",
            "sampled",
            "Documents sent back to be corrected, of those read",
            more_is_better=False,
        ),
    )
}


def ask_for_count(name: str) -> str:
    """What to enter for a count of ``COUNT_WORDS``, as a sentence without its full stop."""
    return f"Enter a whole number from 0 to {number(MOST)} for {COUNT_WORDS[name]}"


def refuse_false_counts(counts: SampleCounts) -> None:
    """Refuse counts that cannot all be true.

    Raises:
        CountRefusedError: One is negative, mistyped, or more than the count that it is part of.
    """
    for name, words in COUNT_WORDS.items():
        value = getattr(counts, name)
        if not 0 <= value <= MOST:
            raise CountRefusedError(name, f"{ask_for_count(name)}.")
        whole = WITHIN.get(name)
        if whole and value > getattr(counts, whole):
            raise CountRefusedError(
                name,
                f"{words.capitalize()} ({number(value)}) cannot be more than "
                f"{COUNT_WORDS[whole]} ({number(getattr(counts, whole))}).",
            )


def refuse_false_reason(entry: SampleEntry, *, corrects: bool) -> None:
    """Refuse a reason that does not fit the counts, and counts that need a reason and have none.

    Raises:
        CountRefusedError: The reason is missing, unknown or does not fit.
    """
    counts, reason = entry.counts, entry.reason
    if reason and reason not in REASONS:
        raise CountRefusedError("reason", "Choose a reason from the list.")
    if corrects and not reason:
        raise CountRefusedError("reason", "Choose why the count is corrected.")
    if counts.missing_documents and not reason:
        raise CountRefusedError("reason", "Choose why documents are missing.")
    if reason in MISSING_REASONS and not counts.missing_documents:
        raise CountRefusedError("reason", "No document is missing, so leave out why one is.")
    if reason in CORRECTION_REASONS and not corrects:
        raise CountRefusedError(
            "reason", "This is the first count of the month, so it corrects nothing. Leave the reason out."
        )
