"""Checks a file of prior completions: what would be recorded, what is recorded already, and bad rows."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.imports import kept_rows
from portal.domain.imports.check_result import (
    KEPT,
    CheckResult,
    ResultSection,
    RowFault,
    Tell,
    digest_of,
    ignore_progress,
    left_out_section,
)
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.kept_rows import KEPT_FOR, ReadyRow, UnknownRows
from portal.domain.imports.staged_imports import StagedCompletions, commit_at_once
from portal.domain.imports.value_mapping import read_values, word_as_file
from portal.domain.people.models import PersonName
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.platform import clock
from portal.platform.db import db
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import date as day_words

Row = tuple[str, ...]
KEPT_HEADS = ("Line", "Not on the roster", "Requirement", "Achieved")
HEADS = ("Line", "Person", "Staff number", "Requirement", "Achieved", "Source")


def check_completions(sheet: Sheet, mapping: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Compare the completions of a file with the records in the portal.

    Where rows of unknown people are kept, the rows that were kept earlier for people who are on the roster
    now are proposed, too.
    """
    newest = completion_import.newest_record_id()
    values = read_values(sheet, mapping)
    rows, unknown, ready = values.rows, UnknownRows(), list[ReadyRow]()
    if mapping.keeps_unknown:
        rows, unknown_rows = kept_rows.split_unknown(rows, mapping.person_by)
        unknown = kept_rows.check_unknown(unknown_rows, mapping.person_by)
        ready = kept_rows.list_ready(clock.now())
    completions, reasons = completion_import.parse_completions_with_faults(rows, mapping.person_by)
    tell(1, "Comparing with the records in the portal")
    proposed = [*completions, *(row.completion for row in ready)]
    new = completion_import.list_unrecorded(proposed)
    every_reason = word_as_file((*values.reasons, *reasons, *unknown.reasons), sheet, mapping)
    faults = sorted(map(RowFault.from_reason, every_reason))
    staged = StagedCompletions(proposed, new, newest, [row.id for row in ready])
    return CheckResult(
        faults=faults,
        sections=[
            *_list_sections(completions, new, ready),
            _kept_section(unknown),
            left_out_section(values.left_out),
        ],
        numbers={"Recorded": len(new)} | ({KEPT: len(unknown.new)} if mapping.keeps_unknown else {}),
        same={
            "Already recorded": len(proposed) - len(new),
            "People": len({completion.person_id for completion in new}),
            "Left out": values.left_out.total(),
        }
        | ({"Kept already": unknown.kept, "Not kept again": unknown.ended} if mapping.keeps_unknown else {}),
        digest=digest_of(_digest_of(new), faults, *([row.mark for row in unknown.new], staged.ready_ids)),
        stage=staged.stage,
        commit=commit_at_once,
        write=staged.write,
        keep=partial(kept_rows.keep_and_settle, unknown.new),
    )


def _kept_section(unknown: UnknownRows) -> ResultSection:
    rows = (
        (str(row.line), row.identifier, row.content["requirement"], kept_rows.day_achieved(row.content))
        for row in unknown.new
    )
    lead = (
        f"These people are not on the roster. Their rows are kept for {KEPT_FOR.days} days, and proposed by "
        "the next import after they arrive."
    )
    return ResultSection.from_rows("kept", "Rows that are kept", KEPT_HEADS, rows, lead)


def _digest_of(new: Iterable[ImportedCompletion]) -> str:
    return digest_of(
        sorted((*row.identity_key, str(row.score_scaled), row.source_system, row.evidence) for row in new)
    )


def _list_sections(
    completions: Sequence[ImportedCompletion],
    new: Sequence[ImportedCompletion],
    ready: Sequence[ReadyRow],
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

    kept = {id(row.completion): row.kept_at for row in ready}
    yield ResultSection.from_rows(
        "new", "New records", HEADS, section_rows(row for row in new if id(row) not in kept)
    )
    lead = "Kept from earlier files until these people came. They are recorded with the stamp of this import."
    arrived = section_rows(row for row in new if id(row) in kept)
    yield ResultSection.from_rows(
        "arrived", "People who are on the roster now", HEADS[1:], (row[1:] for row in arrived), lead
    )
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
