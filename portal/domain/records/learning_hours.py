"""A person's own record of learning by year: each record that counts, with the time its text states.

The minutes are those that the authors of the passed version state, a guide's reading time, or an event's
length. Nobody's time is measured. What was recognised or imported states none, and adds nothing to the sum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from sqlalchemy import bindparam, func, select

from portal.domain.catalogue.guide_publishing import reading_minutes
from portal.domain.catalogue.models import EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.records.descriptions import SOURCE_WORDS
from portal.domain.records.models import Acknowledgement, AttendanceRecord, PassRecord, Record
from portal.domain.records.queries import list_all_record_rows, list_revocations
from portal.platform.db import read
from portal.platform.tables.csv_cells import csv_text

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

    @property
    def has_unstated(self) -> bool:
        """Whether something states no time."""
        return any(row.minutes is None for row in self.rows)


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
