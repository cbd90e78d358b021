"""The certificate of a pass or an attendance as the typesetter's markup. Pure; every text in it is quoted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, select

from portal.domain.catalogue.models import EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.catalogue.publishing import reading_minutes
from portal.domain.records.models import (
    Acknowledgement,
    AttendanceRecord,
    PassRecord,
    Record,
    Registration,
    Revocation,
)
from portal.domain.records.queries import (
    ExtraAttemptRow,
    RecordRow,
    RevocationDecision,
    list_all_record_rows,
    list_revocations,
)
from portal.platform.clock import london_day, noon
from portal.platform.db import read
from portal.platform.documents.typesetting import quote_text, text_content
from portal.platform.tables.columns import csv_text
from portal.platform.wording import date as date_words
from portal.platform.wording import instant, percent_exact

SEEN_BY = (
    "The page is shown, after signing in, to the holder and to those in the force who may see their record. "
    "The last character of the reference guards against mistyping."
)


_ACTS = {
    "module": "passed the assessment of the e-learning module",
    "event": "attended the taught event, to its end, and was signed off",
}
_NOUNS = {"module": "pass", "event": "attendance"}


@dataclass(frozen=True, slots=True)
class CertificateTexts:
    """What a certificate says beside its record."""

    holder: str
    force: str
    address: str  # of the record's page
    day: date  # on which the pass stands


def certificate_markup(record: RecordRow, first: RecordRow, texts: CertificateTexts) -> str:
    """The body of a certificate.

    Args:
        record: The current row of the record.
        first: Its first row, with the version, and the pass mark or the event.
        texts: The rest.
    """
    rule = '#line(length: 100%, stroke: 1.5pt + rgb("#14284b"))\n'
    return "\n".join(
        [
            f"{rule}#v(14mm)",
            _line("This certifies that", 14),
            _heading(texts.holder),
            _line(_ACTS[first.kind], 14),
            _heading(first.title),
            _line(f"{texts.force}, {date_words(record.achieved_at)}", 14),
            f"#v(14mm)\n{rule}#v(6mm)",
            _facts_table(record, first, texts.day),
            "#v(6mm)",
            text_content(f"Whether the {_NOUNS[first.kind]} still stands can be checked by its reference at ")
            + f"#link({quote_text(texts.address)})[{text_content(texts.address)}]"
            + text_content(f". {SEEN_BY}"),
            "",
            text_content(
                f"Original training text of {texts.force}: not College of Policing material and not "
                "operational guidance."
            ),
        ]
    )


def _facts_table(record: RecordRow, first: RecordRow, day: date) -> str:
    noun = _NOUNS[first.kind]
    proof = (
        [("Attended", date_words(record.achieved_on)), ("Event", first.event_reference or "")]
        if first.kind == "event"
        else [("Passed", instant(record.achieved_at))]
    )
    version = (
        "Version of the event type" if first.kind == "event" else "Version of the module",
        str(first.version),
    )
    mark = [("Pass mark", percent_exact(first.mastery_score))] if first.mastery_score else []
    stands = (f"The {noun} stands on", date_words(day))
    facts = [("Reference", record.reference), *proof, version, *mark, stands]
    cells = ", ".join(f"[{text_content(cell)}]" for fact in facts for cell in fact)
    head = f"table.header([{text_content('Recorded')}], [{text_content(f'Of this {noun}')}])"
    return f"#table(columns: (auto, auto), inset: 7pt, {head}, {cells})"


def _line(text: str, points: int) -> str:
    return f"#par[#text(size: {points}pt)[{text_content(text)}]]\n"


def _heading(text: str) -> str:
    return f"#heading(level: 2)[#text(size: 24pt)[{text_content(text)}]]\n#v(4mm)"


# Describes records in the words of their pages.

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
        return f"This record does not count from {date_words(revocations[-1].from_on)}."
    return f"{achieved_label(record)} on {date_words(record.achieved_on)}."


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
        f"{'Counts again' if row.void else f'Does not count from {date_words(row.from_on)}'}: "
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
            "when": date_words(when) if when == noon(london_day(when)) else instant(when),
            "fact": fact,
            "recorded": ""
            if date_words(when) == date_words(recorded)
            else f"Recorded at {instant(recorded)}",
        }
        for when, fact, recorded in sorted(entries, key=lambda entry: entry[0], reverse=True)
    ]


def _recorded_words(record: RecordRow, decider: str) -> str:
    act = "signed off" if record.source == "attended" else "decided"
    return instant(record.clock_at) + (f", {act} by {decider}" if decider else "")


def _achieved_words(record: RecordRow) -> str:
    """The date and time; only the date if the time is not known."""
    when = record.achieved_when
    return instant(when) if isinstance(when, datetime) else date_words(when)


def _score_words(row: RecordRow) -> str:
    if row.mastery_score is None:
        return row.score_words
    return f"{row.score_words}. The pass mark was {percent_exact(row.mastery_score)}."


# A person's own record of learning by year: each record that counts, with the time its text states.
#
# The minutes are those that the authors of the passed version state, a guide's reading time, or an
# event's length. Nobody's time is measured. What was recognised or imported states none, and adds nothing
# to the sum.

COLUMNS = ("year", "completed_on", "learning", "version", "how", "stated_minutes", "reference")

_STATED = (
    select(
        Record.reference, func.coalesce(ModuleVersion.minutes, EventTypeVersion.minutes), GuideVersion.words
    )
    .outerjoin(PassRecord, PassRecord.record_id == Record.id)
    .outerjoin(ModuleVersion, ModuleVersion.id == PassRecord.module_version_id)
    .outerjoin(Acknowledgement, Acknowledgement.record_id == Record.id)
    .outerjoin(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
    .outerjoin(AttendanceRecord, AttendanceRecord.record_id == Record.id)
    .outerjoin(EventTypeVersion, EventTypeVersion.id == AttendanceRecord.event_type_version_id)
    .where(Record.person_id == bindparam("person_id"))
)


@dataclass(frozen=True, slots=True)
class CompletedLearning:
    """One module, guide or event that a person completed."""

    completed_on: date  # London day
    title: str
    version: int | None
    how: str
    minutes: int | None  # as its text states; None: none are stated
    reference: str


@dataclass(frozen=True, slots=True)
class LearningYear:
    """What a person completed in one calendar year, the latest first."""

    year: int  # in London
    rows: tuple[CompletedLearning, ...]

    @property
    def minutes(self) -> int:
        """The stated minutes of all."""
        return sum(row.minutes or 0 for row in self.rows)


def list_learning_years(person_id: int, day: date) -> list[LearningYear]:
    """What the person completed and what counts on ``day``, by year, the latest first. Three statements."""
    chains = {row.id: row for row in list_all_record_rows(person_id)}
    replaced = {row.replaces_id for row in chains.values()}
    revocations = list_revocations(list(chains))
    revoked = {chains[row.record_id].reference for row in revocations if row.from_on <= day}
    minutes = _stated_minutes(person_id)
    rows = [
        CompletedLearning(
            row.achieved_on,
            row.title,
            row.version,
            SOURCE_WORDS.get(row.source, row.source),
            minutes.get(row.reference),
            row.reference,
        )
        for row in chains.values()
        if not row.void and row.id not in replaced
        if row.achieved_on <= day and row.reference not in revoked
    ]
    rows.sort(key=lambda row: (row.completed_on, row.reference), reverse=True)
    return [
        LearningYear(year, tuple(of_year))
        for year, of_year in groupby(rows, key=lambda row: row.completed_on.year)
    ]


def csv_pieces(years: Sequence[LearningYear]) -> Iterator[str]:
    """The record as a CSV file, line by line; a text that a spreadsheet would run is made harmless."""
    yield ",".join(COLUMNS) + "\r\n"
    for year in years:
        for row in year.rows:
            cells = (
                str(year.year),
                row.completed_on.isoformat(),
                row.title,
                str(row.version or ""),
                row.how,
                "" if row.minutes is None else str(row.minutes),
                row.reference,
            )
            yield ",".join(map(csv_text, cells)) + "\r\n"


def _stated_minutes(person_id: int) -> dict[str, int]:
    """The stated minutes of each of the person's records that states them, by reference.

    A corrected record keeps its reference, and what was passed stays with its first row.
    """
    stated = {}
    for reference, minutes, words in read(_STATED, {"person_id": person_id}):
        if minutes is not None or words is not None:
            stated[reference] = reading_minutes(words) if minutes is None else minutes
    return stated
