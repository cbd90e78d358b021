"""Checking prior completions: what would be recorded, what is held already, and the bad rows."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.imports.check_result import (
    CheckResult,
    ResultSection,
    RowFault,
    Tell,
    digest_of,
    ignore_progress,
)
from portal.domain.imports.column_mapping import ColumnMapping, rows_of
from portal.domain.imports.staged_imports import StagedCompletions
from portal.domain.people.models import PersonName
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.platform.db import db
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import date as day_words

Row = tuple[str, ...]
HEADS = ("Line", "Person", "Staff number", "Requirement", "Achieved", "Source")


def check_completions(sheet: Sheet, match: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Hold completions against what the portal knows."""
    newest = completion_import.newest_record_id()
    rows, unreadable = rows_of(sheet, match)
    found, reasons = completion_import.parse_completions_with_faults(rows, match.person_by)
    tell(1, "Comparing with what is held")
    fresh = completion_import.list_unrecorded(found)
    faults = sorted(RowFault.from_reason(said) for said in (*unreadable, *reasons))
    staged = StagedCompletions(found, fresh, newest)
    return CheckResult(
        faults=faults,
        sections=list(_list_sections(found, fresh)),
        numbers={"Recorded": len(fresh)},
        same={"Already held": len(found) - len(fresh), "People": len({one.person_id for one in fresh})},
        digest=digest_of(_digest_of(fresh), faults),
        stage=staged.stage,
        write=staged.write,
    )


def _digest_of(fresh: Iterable[ImportedCompletion]) -> str:
    return digest_of(
        sorted((*one.identity_key, str(one.score_scaled), one.source_system, one.evidence) for one in fresh)
    )


def _list_sections(
    found: Sequence[ImportedCompletion], fresh: Sequence[ImportedCompletion]
) -> Iterator[ResultSection]:
    named = {
        person_id: (f"{surname}, {forenames}", number)
        for person_id, surname, forenames, number in db.session.execute(
            select(PersonName.person_id, PersonName.surname, PersonName.forenames, PersonName.staff_number)
        )
    }
    activities = {
        i: f"{key} ({kind})"
        for i, kind, key in db.session.execute(select(Activity.id, Activity.kind, Activity.key))
    }

    def completion_rows(ones: Iterable[ImportedCompletion]) -> Iterator[Row]:
        for one in ones:
            name, number = named[one.person_id]
            when = day_words(one.achieved_at)
            yield str(one.line), name, number, activities[one.activity_id], when, one.source_system

    new = {one.identity_key for one in fresh}
    seen: set[object] = set()
    twice = [one for one in found if one.identity_key in seen or seen.add(one.identity_key)]  # type: ignore[func-returns-value]
    yield ResultSection.from_rows("new", "New records", HEADS, completion_rows(fresh))
    held = [one for one in found if one.identity_key not in new]
    passed = "The same person, requirement and time: passed over."
    yield ResultSection.from_rows("held", "Held already", HEADS, completion_rows(held), passed)
    once = "The same person, requirement and time as on an earlier line: recorded once."
    yield ResultSection.from_rows("twice", "Twice in the file", HEADS, completion_rows(twice), once)
