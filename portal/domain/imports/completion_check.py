"""Checks a file of prior completions: what would be recorded, what is recorded already, and bad rows."""

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
    left_out_section,
)
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.staged_imports import StagedCompletions
from portal.domain.imports.value_mapping import read_values
from portal.domain.people.models import PersonName
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.platform.db import db
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import date as day_words

Row = tuple[str, ...]
HEADS = ("Line", "Person", "Staff number", "Requirement", "Achieved", "Source")


def check_completions(sheet: Sheet, mapping: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Compare the completions of a file with the records in the portal."""
    newest = completion_import.newest_record_id()
    values = read_values(sheet, mapping)
    completions, reasons = completion_import.parse_completions_with_faults(values.rows, mapping.person_by)
    tell(1, "Comparing with the records in the portal")
    new = completion_import.list_unrecorded(completions)
    faults = sorted(RowFault.from_reason(reason) for reason in (*values.reasons, *reasons))
    staged = StagedCompletions(completions, new, newest)
    return CheckResult(
        faults=faults,
        sections=[*_list_sections(completions, new), left_out_section(values.left_out)],
        numbers={"Recorded": len(new)},
        same={
            "Already recorded": len(completions) - len(new),
            "People": len({completion.person_id for completion in new}),
            "Left out": values.left_out.total(),
        },
        digest=digest_of(_digest_of(new), faults),
        stage=staged.stage,
        write=staged.write,
    )


def _digest_of(new: Iterable[ImportedCompletion]) -> str:
    return digest_of(
        sorted((*row.identity_key, str(row.score_scaled), row.source_system, row.evidence) for row in new)
    )


def _list_sections(
    completions: Sequence[ImportedCompletion], new: Sequence[ImportedCompletion]
) -> Iterator[ResultSection]:
    people = {
        person_id: (f"{surname}, {forenames}", number)
        for person_id, surname, forenames, number in db.session.execute(
            select(PersonName.person_id, PersonName.surname, PersonName.forenames, PersonName.staff_number)
        )
    }
    activities = {
        i: f"{key} ({kind})"
        for i, kind, key in db.session.execute(select(Activity.id, Activity.kind, Activity.key))
    }

    def section_rows(completions: Iterable[ImportedCompletion]) -> Iterator[Row]:
        for row in completions:
            name, number = people[row.person_id]
            day = day_words(row.achieved_at)
            yield str(row.line), name, number, activities[row.activity_id], day, row.source_system

    yield ResultSection.from_rows("new", "New records", HEADS, section_rows(new))
    new_keys = {row.identity_key for row in new}
    recorded = [row for row in completions if row.identity_key not in new_keys]
    lead = "The portal has a record of the same person, requirement and time. These rows are skipped."
    yield ResultSection.from_rows("held", "Already recorded", HEADS, section_rows(recorded), lead)
    lead = "An earlier line has the same person, requirement and time. It is recorded once."
    repeated = section_rows(_list_repeated(completions))
    yield ResultSection.from_rows("twice", "Twice in the file", HEADS, repeated, lead)


def _list_repeated(completions: Iterable[ImportedCompletion]) -> Iterator[ImportedCompletion]:
    earlier_keys: set[object] = set()
    for row in completions:
        if row.identity_key in earlier_keys:
            yield row
        earlier_keys.add(row.identity_key)
