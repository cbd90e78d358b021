"""A record in the words of its page."""

from collections.abc import Sequence
from typing import Any

from portal.domain.records.models import Registration, Revocation
from portal.domain.records.queries import ExtraAttemptRow, RecordRow, RevocationDecision
from portal.platform.clock import london_day, noon
from portal.platform.wording import date, instant, percent_cut

SOURCE_WORDS = {
    "assessed": "Assessed here",
    "attended": "Attended and signed off",
    "acknowledged": "Read and acknowledged",
    "waived": "Prior learning recognised",
    "imported": "Brought over from another system",
    "external": "Sent by another system",
}
REASON_WORDS: dict[str, dict[str, str]] = {
    "waiver": {
        "equivalent_course": "an equivalent course",
        "another_force": "training in another force or agency",
        "teaches_it": "teaches or wrote the subject",
        "qualification": "a qualification that covers it",
        "other": "other",
    },
    "revocation": {
        "wrong_person": "recorded for the wrong person",
        "not_own_work": "not the person's own work",
        "assessment_at_fault": "the assessment or its marking was at fault",
        "evidence_not_good": "the evidence does not hold",
        "recorded_in_error": "recorded in error",
        "other": "other",
    },
    "restore": {
        "recorded_in_error": "the correction was an error",
        "new_evidence": "new evidence",
        "other": "other",
    },
}


def describe_validity(held: RecordRow, revoked: Sequence[RevocationDecision]) -> str:
    """Whether the record counts, in a sentence."""
    if held.void:
        return "This record was withdrawn."
    if revoked:
        return f"This record is not counted from {date(revoked[-1].from_on)} on."
    return f"Achieved on {date(held.achieved_on)}."


def summary_rows(chain: Sequence[RecordRow], waived_by: str = "", evidence: str = "") -> list[dict[str, Any]]:
    """What is known of a record, as rows of a summary list; a correction keeps the first's score.

    Args:
        chain: Its rows, the first written first.
        waived_by: The role of who recognised prior learning.
        evidence: What proves a record that was brought over.
    """
    held = chain[-1]
    first = next((row for row in chain if row.version is not None), held)
    pairs = [
        ("Reference", held.reference),
        ("Achieved", _achieved_words(held)),
        ("How", SOURCE_WORDS.get(held.source, held.source)),
        ("Version", str(first.version) if first.version else ""),
        ("Score", _score_words(first)),
        ("Brought over from", held.source_system or ""),
        ("Evidence", evidence),
        ("Reason", _reason_words("waiver", held.waiver_reason or "")),
        ("Recorded", instant(chain[0].clock_at) + (f", decided by {waived_by}" if waived_by else "")),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def describe_corrections(told: Sequence[RevocationDecision]) -> list[str]:
    """What was decided about whether a record counts, in order, each in a sentence."""
    return [
        f"{'Counts again' if row.void else f'Not counted from {date(row.from_on)} on'}: "
        f"{_reason_words('restore' if row.void else 'revocation', row.reason)}. "
        f"Decided by {row.decided_by} at {instant(row.decided_at)}."
        for row in told
    ]


def _reason_words(kind: str, key: str) -> str:
    return REASON_WORDS[kind].get(key, key.replace("_", " "))


def build_timeline(
    held: Sequence[RecordRow],
    begun: Sequence[tuple[Registration, str, int]],
    revoked: Sequence[Revocation],
    opened: Sequence[ExtraAttemptRow],
) -> list[dict[str, Any]]:
    """What a person began, earned and lost, newest first; when it was recorded only where that differs."""
    names = {row.id: f"{row.title}, reference {row.reference}" for row in held}
    entries = [(row.achieved_at, f"Completed {names[row.id]}", row.recorded_at) for row in held]
    entries += [
        (row.started_at, f"Began {title}, version {number}", row.recorded_at) for row, title, number in begun
    ]
    entries += [(row.opened_at, row.summary_sentence, row.opened_at) for row in opened]
    entries += [
        (noon(row.from_on), f"No longer counted: {names[row.record_id]}", row.recorded_at) for row in revoked
    ]
    return [
        {
            "when": date(when) if when == noon(london_day(when)) else instant(when),
            "fact": fact,
            "recorded": "" if date(when) == date(recorded) else f"Recorded at {instant(recorded)}",
        }
        for when, fact, recorded in sorted(entries, key=lambda entry: entry[0], reverse=True)
    ]


def _achieved_words(held: RecordRow) -> str:
    """The instant; the day alone where only the day is known."""
    only_day = held.source != "assessed" and held.achieved_at == noon(held.achieved_on)
    return date(held.achieved_on) if only_day else instant(held.achieved_at)


def _score_words(row: RecordRow) -> str:
    if row.score_raw is not None and row.score_max and row.mastery_score is not None:
        share = percent_cut(int(row.score_raw), row.score_max)
        reached = f"{float(row.score_raw):g} of {row.score_max} ({share})"
        return f"{reached}. The pass mark was {float(row.mastery_score * 100):g}%."
    return f"{int(row.imported_score * 100)}%" if row.imported_score is not None else ""
