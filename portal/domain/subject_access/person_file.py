"""Everything that is held about one person, read by the register, in words for that person.

Other people are never named: an id of somebody else becomes their role, and names in the words of others
are taken out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table

from portal.domain.audit_desk.sentences import detail_pairs, sentence_of
from portal.domain.people.models import PersonName
from portal.domain.people.notes import notes_of
from portal.domain.subject_access.colleagues import NameRemover, build_remover
from portal.domain.subject_access.references import References, answer_words, answered_contents, item_keys
from portal.domain.subject_access.register.marks import ANSWERS, PersonalTable, View
from portal.domain.subject_access.register.work import PERSONAL_TABLES
from portal.domain.subject_access.row_ties import read_rows, table_of
from portal.domain.subject_access.values import json_value, value_words
from portal.platform.db import db

YOU = "you"
NOT_ABOUT_YOU = "not given out: it is about somebody else"


@dataclass(frozen=True, slots=True)
class NamedValue:
    """One value: the column, its label, the value in words, and as JSON has it."""

    column: str
    label: str
    words: str
    value: Any


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one table that concern the person in one way."""

    marks: PersonalTable
    heading: str
    rows: list[list[NamedValue]]


@dataclass(frozen=True)
class PersonFile:
    """A copy of everything held about a person."""

    name: str
    staff_number: str
    made_at: datetime
    sections: list[Section]
    empty: list[str]  # headings of what nothing is held of
    names_taken_out: int

    @property
    def rows(self) -> int:
        """How many entries it has."""
        return sum(len(section.rows) for section in self.sections)

    @property
    def withheld(self) -> list[tuple[str, str, str]]:
        """What is not given out of the tables in it: heading, column and reason."""
        tables = {section.marks.name: section for section in reversed(self.sections)}
        return [
            (section.heading, column.replace("_", " "), reason)
            for section in reversed(tables.values())
            for column, reason in section.marks.withheld.items()
        ]


@dataclass
class _Context:
    """What the rows of one reading share."""

    person_id: int
    references: References = field(default_factory=References)
    remover: NameRemover = field(default_factory=NameRemover)


def read_person_file(person_id: int, at: datetime) -> PersonFile:
    """Read everything held about the person. Some statements for each table, whatever its rows."""
    found = [
        (marks, view, rows)
        for marks in PERSONAL_TABLES.values()
        for view, rows in _views_with_rows(marks, person_id)
    ]
    notes = {marks.name: _notes(marks, view, rows) for marks, view, rows in found if view == marks.views[0]}
    context = _Context(person_id)
    context.remover = build_remover(person_id, _texts_by_others(found, notes))
    sections = [
        Section(marks, view.heading, list(_section_rows(marks, view, rows, notes, context)))
        for marks, view, rows in found
        if rows
    ]
    names = db.session.get(PersonName, person_id)
    return PersonFile(
        name=names.full_name if names else "Name erased",
        staff_number=names.staff_number if names else "",
        made_at=at,
        sections=sections,
        empty=[view.heading for _, view, rows in found if not rows],
        names_taken_out=context.remover.count,
    )


def _views_with_rows(marks: PersonalTable, person_id: int) -> Iterator[tuple[View, Sequence[RowMapping]]]:
    """Each view with its rows; a row that two views have is shown in the first."""
    keys = [column.name for column in table_of(marks.name).primary_key.columns]
    shown: set[tuple[Any, ...]] = set()
    for view in marks.views:
        rows = read_rows(marks, view, person_id)
        new = [row for row in rows if tuple(row[key] for key in keys) not in shown]
        shown |= {tuple(row[key] for key in keys) for row in new}
        yield view, new


def _notes(marks: PersonalTable, view: View, rows: Sequence[RowMapping]) -> dict[int, dict[str, str]]:
    """The texts beside these rows, which are about the person or by them."""
    key = _key_of_notes(marks)
    if view.only or not rows or not isinstance(rows[0].get(key), int):
        return {}
    return notes_of(marks.name, [row[key] for row in rows])


def _key_of_notes(marks: PersonalTable) -> str:
    """The column by which texts name a row of the table."""
    return next(iter(table_of(marks.name).primary_key.columns)).name


def _texts_by_others(
    found: Iterable[tuple[PersonalTable, View, Sequence[RowMapping]]],
    notes: Mapping[str, Mapping[int, Mapping[str, str]]],
) -> Iterator[str]:
    for marks, _, rows in found:
        for column in marks.by_others.split():
            yield from (value_words(row[column]) for row in rows)
        if marks.area is not ANSWERS:
            yield from (text for texts in notes.get(marks.name, {}).values() for text in texts.values())


def _section_rows(
    marks: PersonalTable,
    view: View,
    rows: Sequence[RowMapping],
    notes: Mapping[str, Mapping[int, Mapping[str, str]]],
    context: _Context,
) -> Iterator[list[NamedValue]]:
    table = table_of(marks.name)
    shown = _shown_columns(marks, view)
    for column in shown:
        if column in marks.columns and (target := _target(table, column)):
            context.references.prepare(target, (row[column] for row in rows))
    texts = notes.get(marks.name, {}) if view == marks.views[0] else {}
    writer, key = _ValueWriter(marks, rows, texts, context), _key_of_notes(marks)
    for row in rows:
        cells = [writer.cell(row, column) for column in shown]
        yield cells + [writer.note(kind, text) for kind, text in texts.get(row[key], {}).items()]


def _shown_columns(marks: PersonalTable, view: View) -> list[str]:
    if view.only:
        return view.only.split()
    return [*marks.columns, *(column for column in marks.people if column != view.path)]


def _target(table: Table, column: str) -> str:
    """The table whose row the column names; empty where it names none."""
    keys = table.c[column].foreign_keys
    return next((key.column.table.name for key in keys), table.c[column].info.get("table", ""))


class _ValueWriter:
    """Writes the values of one table's rows in words."""

    def __init__(
        self,
        marks: PersonalTable,
        rows: Sequence[RowMapping],
        texts: Mapping[int, Mapping[str, str]],
        context: _Context,
    ) -> None:
        self._marks, self._table, self._texts, self._context = marks, table_of(marks.name), texts, context
        self._by_others = frozenset(marks.by_others.split())
        hows = {label.partition(" @")[2] for label in marks.columns.values()}
        self._contents = (
            answered_contents(*([row[name] for row in rows if name in row] for name in ("item_id", "run_id")))
            if "choices" in hows
            else {}
        )
        self._items = item_keys(_item_ids(rows)) if "items" in hows else {}

    def cell(self, row: RowMapping, column: str) -> NamedValue:
        """The value of a column of a row."""
        value = row[column]
        if column in self._marks.people:
            return self._person(column, value)
        label, _, how = self._marks.columns[column].partition(" @")
        if column in self._by_others and self._is_about_another(row):
            return NamedValue(column, label, NOT_ABOUT_YOU, None)
        words, plain = self._words(row, column, how), json_value(value, how)
        if column in self._by_others:
            words = self._context.remover.clean(words)
            plain = words
        elif _target(self._table, column) or how in {"items", "choices"}:
            plain = words
        return NamedValue(column, label, words, plain)

    def note(self, kind: str, text: str) -> NamedValue:
        """A text that belongs to a row."""
        if self._marks.area is not ANSWERS:
            text = self._context.remover.clean(text)
        return NamedValue(f"text_{kind}", f"Text ({kind.replace('_', ' ')})", text, text)

    def _person(self, column: str, value: int | None) -> NamedValue:
        role = self._marks.people[column]
        words = "" if value is None else YOU if value == self._context.person_id else role
        return NamedValue(
            column, "You or who" if role == YOU else role[0].upper() + role[1:], words, words or None
        )

    def _is_about_another(self, row: RowMapping) -> bool:
        subject = row.get("subject_id")
        return subject is not None and subject != self._context.person_id

    def _words(self, row: RowMapping, column: str, how: str) -> str:
        value = row[column]
        if value is None:
            return ""
        if how == "choices":
            kind, content = next(of[row[name]] for name, of in self._contents.items() if name in row)
            return answer_words(kind, content, value, self._texts.get(row["id"], {}))
        if how == "items":
            return self._item_words(value)
        if self._marks.name == "audit_event" and column == "action":
            return self._act_words(row)
        if self._marks.name == "audit_event" and column == "detail":
            return "; ".join(f"{name}: {words}" for name, words in detail_pairs(value))
        if column == "void" and not value:
            return ""
        if target := _target(self._table, column):
            return self._context.references.words(target, value)
        return value_words(value, how)

    def _act_words(self, row: RowMapping) -> str:
        """The sentence of an act; without its details where it is about somebody else."""
        detail = {} if self._is_about_another(row) else row["detail"]
        sentence = sentence_of(row["action"], detail)
        return self._context.remover.clean(sentence.replace("(not recorded)", "…"))

    def _item_words(self, value: Any) -> str:
        """Questions by their short names: those drawn, or the mark of each."""
        if isinstance(value, dict):
            return "; ".join(f"{self._items.get(int(key), key)}: {mark}" for key, mark in value.items())
        return ", ".join(self._items.get(part["item_id"], str(part["item_id"])) for part in value)


def _item_ids(rows: Iterable[RowMapping]) -> Iterator[int]:
    for row in rows:
        yield from (int(key) for key in row.get("marks") or ())
        yield from (part["item_id"] for part in row.get("drawn") or ())
