"""Describes records in the words of their pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.domain.records.models import Registration, Revocation
from portal.domain.records.queries import ExtraAttemptRow, RecordRow, RevocationDecision
from portal.platform.clock import london_day, noon
from portal.platform.wording import date, instant, percent_exact

SOURCE_WORDS = {
    "assessed": "Passed in this portal",
    "attended": "Attended and signed off",
    "acknowledged": "Read and acknowledged",
    "waived": "Prior learning recognised",
    "imported": "Imported from another system",
    "external": "Sent by another system",
}
_ACHIEVED_LABELS = {"module": "Passed", "event": "Attended", "guide": "Read"}  # by kind of activity
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
        "evidence_not_good": "the evidence is not reliable",
        "recorded_in_error": "recorded in error",
        "other": "other",
    },
    "restore": {
        "recorded_in_error": "the correction was an error",
        "new_evidence": "new evidence",
        "other": "other",
    },
}


def achieved_label(record: RecordRow) -> str:
    """What the person did on the day of the record."""
    return _ACHIEVED_LABELS.get(record.kind, "Passed")


def describe_validity(record: RecordRow, revocations: Sequence[RevocationDecision]) -> str:
    """Whether the record counts, in a sentence."""
    if record.void:
        return "This record was withdrawn."
    if revocations:
        return f"This record does not count from {date(revocations[-1].from_on)}."
    return f"{achieved_label(record)} on {date(record.achieved_on)}."


def summary_rows(chain: Sequence[RecordRow], decider: str = "", evidence: str = "") -> list[dict[str, Any]]:
    """A record as rows of a summary list; a correction keeps the score and the event of the first row.

    Args:
        chain: All rows under its reference, in the order recorded.
        decider: The role of the person who recognised prior learning, or signed off who attended.
        evidence: Of an imported record.
    """
    record = chain[-1]
    first = next((row for row in chain if row.version is not None), record)
    pairs = [
        ("Reference", record.reference),
        (achieved_label(record), _achieved_words(record)),
        ("How", SOURCE_WORDS.get(record.source, record.source)),
        ("Version", str(first.version) if first.version else ""),
        ("Score", _score_words(first)),
        ("Event", first.event_reference or ""),
        ("Imported from", record.source_system or ""),
        ("Evidence", evidence),
        ("Reason", _reason_words("waiver", record.waiver_reason or "")),
        ("Recorded", _recorded_words(chain[0], decider)),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def describe_corrections(decisions: Sequence[RevocationDecision]) -> list[str]:
    """The decisions about whether a record counts, in order, a sentence each."""
    return [
        f"{'Counts again' if row.void else f'Does not count from {date(row.from_on)}'}: "
        f"{_reason_words('restore' if row.void else 'revocation', row.reason)}. "
        f"Decided by {row.decided_by} at {instant(row.decided_at)}."
        for row in decisions
    ]


def _reason_words(kind: str, key: str) -> str:
    return REASON_WORDS[kind].get(key, key.replace("_", " "))


def build_timeline(
    records: Sequence[RecordRow],
    registrations: Sequence[tuple[Registration, str, int]],
    revocations: Sequence[Revocation],
    extra_attempts: Sequence[ExtraAttemptRow],
) -> list[dict[str, Any]]:
    """A person's records and registrations, newest first; with the day of recording only if it differs."""
    names = {row.id: f"{row.title}, reference {row.reference}" for row in records}
    entries = [(row.achieved_at, f"Completed {names[row.id]}", row.recorded_at) for row in records]
    entries += [
        (row.started_at, f"Started {title}, version {number}", row.recorded_at)
        for row, title, number in registrations
    ]
    entries += [(row.opened_at, row.summary_sentence, row.opened_at) for row in extra_attempts]
    entries += [
        (noon(row.from_on), f"Stopped counting: {names[row.record_id]}", row.recorded_at)
        for row in revocations
    ]
    return [
        {
            "when": date(when) if when == noon(london_day(when)) else instant(when),
            "fact": fact,
            "recorded": "" if date(when) == date(recorded) else f"Recorded at {instant(recorded)}",
        }
        for when, fact, recorded in sorted(entries, key=lambda entry: entry[0], reverse=True)
    ]


def _recorded_words(record: RecordRow, decider: str) -> str:
    act = "signed off" if record.source == "attended" else "decided"
    return instant(record.clock_at) + (f", {act} by {decider}" if decider else "")


def _achieved_words(record: RecordRow) -> str:
    """The date and time; only the date if the time is not known."""
    when = record.achieved_when
    return instant(when) if isinstance(when, datetime) else date(when)


def _score_words(row: RecordRow) -> str:
    if row.mastery_score is None:
        return row.score_words
    return f"{row.score_words}. The pass mark was {percent_exact(row.mastery_score)}."
