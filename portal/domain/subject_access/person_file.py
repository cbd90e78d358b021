"""Everything that is held about one person, read by the register, in words for that person.

Other people are never named: an id of somebody else becomes their role, and names in the words of others
are taken out.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from html import unescape
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import RowMapping, Table, select

from config import current_settings
from portal.domain.assessment.models import Attempt
from portal.domain.audit_desk.queries import detail_pairs, sentence_of
from portal.domain.cases import CaseCopy, CaseRun
from portal.domain.catalogue.models import Activity, GuideVersion, Item, Lesson, ModuleVersion
from portal.domain.catalogue.version_cache import published_title
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import Answer
from portal.domain.people.models import PersonName, UnitState
from portal.domain.people.services import notes_of
from portal.domain.records.models import Record, Registration
from portal.domain.retention.queries import months_by_class
from portal.domain.status.models import OPEN_KNOWN
from portal.domain.status.rules import Status
from portal.domain.subject_access.periods import kept_words
from portal.domain.subject_access.register.marks import ANSWERS, PersonalTable, View, read_rows, table_of
from portal.domain.subject_access.register.work import personal_tables
from portal.feature import list_features
from portal.platform import wording as say
from portal.platform.audit import log_file
from portal.platform.clock import format_utc, from_microseconds
from portal.platform.db import OPEN_END, db
from portal.platform.documents.typesetting import quote_text, text_content, typeset_pdf
from portal.platform.errors import RuleError
from portal.platform.wording import date as say_date
from portal.platform.wording import number

# Takes the names of other people out of texts that are given to one person.

TAKEN_OUT = "[name]"
_WORD = re.compile(r"[^\W_](?:[\w'’.@+-]*\w)?")


@dataclass
class NameRemover:
    """Replaces names, staff numbers and addresses of everyone else in the portal; counts how often."""

    patterns: list[re.Pattern[str]] = field(default_factory=list)
    count: int = 0

    def clean(self, text: str) -> str:
        """The text without the names of others."""
        for pattern in self.patterns:
            text, times = pattern.subn(TAKEN_OUT, text)
            self.count += times
        return text


def build_remover(person_id: int, texts: Iterable[str]) -> NameRemover:
    """A remover of the names that occur in these texts. One statement, if there is any text.

    A surname alone goes too, written with its capital letter, unless it is the person's own.
    """
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    if not words:
        return NameRemover()
    own_surname, others = "", []
    columns = (PersonName.person_id, PersonName.forenames, PersonName.surname, PersonName.staff_number)
    for holder, forenames, surname, own_number, email in db.session.execute(
        select(*columns, PersonName.email)
    ):
        if holder == person_id:
            own_surname = surname
        elif _occurs(words, surname, own_number, email or ""):
            others.append((forenames, surname, own_number, email or ""))
    patterns = [pattern for name in others for pattern in _patterns_of(own_surname, *name)]
    return NameRemover(sorted(patterns, key=lambda pattern: -len(pattern.pattern)))  # whole names first


def _occurs(words: set[str], surname: str, staff_number: str, email: str) -> bool:
    first = _WORD.search(surname)
    surname_word = first[0].casefold() if first else ""
    return surname_word in words or staff_number.casefold() in words or email.casefold() in words


def _patterns_of(
    own_surname: str, forenames: str, surname: str, staff_number: str, email: str
) -> Iterable[re.Pattern[str]]:
    first = forenames.split()[0] if forenames.split() else ""
    for whole in {f"{forenames} {surname}", f"{first} {surname}", f"{surname}, {forenames}"}:
        yield re.compile(rf"\b{re.escape(whole)}\b", re.IGNORECASE)
    for exact in filter(None, (staff_number, email)):
        yield re.compile(rf"(?<!\w){re.escape(exact)}(?!\w)", re.IGNORECASE)
    if surname.casefold() != own_surname.casefold():
        yield re.compile(rf"\b{re.escape(surname)}\b")


# What the ids in a person's rows stand for, in words: modules, directives, units, questions.

_AT_ONCE = 5_000  # ids in one statement
_TAG = re.compile(r"<[^>]*>")


def _titled(*columns: Any) -> Any:
    """Select these columns, newest last where a key comes more than once: the last one counts."""
    return select(*columns).order_by(columns[-1])


_SELECTS: dict[str, tuple[Any, Callable[..., str]]] = {
    "activity": (
        select(Activity.id, Activity.kind, Activity.key, published_title(Activity, "module", "event")),
        lambda kind, key, title: title or f"{kind.capitalize()} {key}",
    ),
    "directive": (
        _titled(Directive.id, Directive.reference, DirectiveVersion.title, DirectiveVersion.number).join(
            DirectiveVersion, DirectiveVersion.directive_id == Directive.id
        ),
        lambda reference, title, _number: f"{reference}, {title}",
    ),
    "unit": (_titled(UnitState.unit_id, UnitState.name, UnitState.id), lambda name, _id: name),
    "lesson": (select(Lesson.id, Lesson.title), str),
    "item": (select(Item.id, Item.prompt_html), lambda html: " ".join(unescape(_TAG.sub(" ", html)).split())),
    "module_version": (
        select(ModuleVersion.id, ModuleVersion.title, ModuleVersion.number),
        lambda title, number: f"{title}, version {number}",
    ),
    "guide_version": (
        select(GuideVersion.id, GuideVersion.title, GuideVersion.number),
        lambda title, number: f"{title}, version {number}",
    ),
    "record": (select(Record.id, Record.reference), str),
    "registration": (
        select(Registration.id, ModuleVersion.title).join(
            ModuleVersion, ModuleVersion.id == Registration.module_version_id
        ),
        str,
    ),
    "attempt": (
        select(Attempt.id, Attempt.number, ModuleVersion.title)
        .join(Registration, Registration.id == Attempt.registration_id)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id),
        lambda number, title: f"Attempt {number}, {title}",
    ),
    "case_run": (
        select(CaseRun.id, CaseRun.number, Lesson.title).join(Lesson, Lesson.id == CaseRun.lesson_id),
        lambda number, title: f"{title}, time {number}",
    ),
    "case_copy": (
        select(CaseCopy.id, Lesson.title)
        .join(CaseRun, CaseRun.id == CaseCopy.run_id)
        .join(Lesson, Lesson.id == CaseRun.lesson_id),
        str,
    ),
}


@cache
def _list_selects() -> dict[str, tuple[Any, Callable[..., str]]]:
    """How an id of each table is said, of the core and of every feature, on or off."""
    selects = dict(_SELECTS)
    for feature in list_features():
        if feature.references:
            selects |= feature.load(feature.references)
    return selects


class References:
    """Words for ids, each read once."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, Any], str] = {}

    def prepare(self, table: str, ids: Iterable[Any]) -> None:
        """Read the words of these ids of a table, a statement for some thousands."""
        statement, words_of = _list_selects().get(table, (None, str))
        missing = [value for value in set(ids) if value is not None and (table, value) not in self._words]
        if statement is None or not missing:
            return
        key = statement.selected_columns[0]
        for start in range(0, len(missing), _AT_ONCE):
            part = statement.where(key.in_(missing[start : start + _AT_ONCE]))
            for row in db.session.execute(part):
                self._words[table, row[0]] = words_of(*row[1:])

    def words(self, table: str, value: Any) -> str:
        """What the id stands for; a number where there are no words for it."""
        return self._words.get((table, value), f"No. {value}")


def item_keys(ids: Iterable[int]) -> dict[int, str]:
    """The short names of questions by their ids."""
    rows = db.session.execute(select(Item.id, Item.key).where(Item.id.in_(set(ids))))
    return {item_id: key for item_id, key in rows}


def answered_contents(items: Iterable[int], runs: Iterable[int]) -> dict[str, dict[Any, tuple[str, Any]]]:
    """The kind and content of each question ("item_id"), and of the case of each run ("run_id")."""
    of_items = db.session.execute(select(Item.id, Item.kind, Item.content).where(Item.id.in_(set(items))))
    of_runs = db.session.execute(
        select(CaseRun.id, Lesson.case_kind, Lesson.case_content)
        .join(Lesson, Lesson.id == CaseRun.lesson_id)
        .where(CaseRun.id.in_(set(runs)))
    )
    return {
        "item_id": {item_id: (kind, content) for item_id, kind, content in of_items},
        "run_id": {run_id: (kind or "", (case or {}).get("content")) for run_id, kind, case in of_runs},
    }


def answer_words(kind_name: str, content: Any, choices: Sequence[str], texts: Mapping[str, str]) -> str:
    """What somebody answered, as "Check your answers" says it; its keys where there is no such kind."""
    kind = {**kinds_by_name(), **case_kinds_by_name()}.get(kind_name)
    if kind is None:
        return "; ".join(map(str, choices))
    lines = kind.summarise_answer(content, kind.shufflable_keys(content), Answer(tuple(choices), texts))
    return "; ".join(" ".join(unescape(_TAG.sub(" ", line)).split()) for line in lines)


# A stored value in words, as the person it is about can read it. Pure.

NO_END = "no end"


def value_words(value: Any, how: str = "") -> str:
    """The value in words; empty for none.

    Args:
        value: As the database gives it.
        how: The register's "@day" (a day as a number), "@micros" (an instant as microseconds) or "@status".
    """
    if value is None:
        return ""
    if how == "day":
        return value_words(date.fromordinal(value))
    if how == "micros":
        return NO_END if value == OPEN_KNOWN else say.instant(from_microseconds(value))
    if how == "status":
        return Status(value).label
    return _plain_words(value)


def _plain_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return say.instant(value)
    if isinstance(value, date):
        return NO_END if value == OPEN_END else say.date(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{str(key).replace('_', ' ')}: {_plain_words(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain_words, value))
    return "" if value is None else str(value)


def json_value(value: Any, how: str = "") -> Any:
    """The value for JSON: days and instants in ISO 8601, decimals as text."""
    if value is None or (how == "micros" and value == OPEN_KNOWN):
        return None
    if how == "day":
        return date.fromordinal(value).isoformat()
    if how == "micros":
        return from_microseconds(value).isoformat()
    if how == "status":
        return Status(value).key
    if isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


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
        for marks in personal_tables().values()
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


# The copy of everything held about a person as JSON and as the markup of a tagged PDF. Pure.

MOST_COLUMNS = 6  # of a table on a page; rows with more become lists
LONGEST_CELL = 90  # characters; rows with longer texts become lists
INTRODUCTION = (
    "This is a copy of the personal data that the learning portal holds about you and of what you did there.",
    "Other people are not named. Where somebody else comes in, you read their role, such as “your line "
    "manager”, and names in what others wrote are replaced by [name].",
    "Times are UK times. An entry that was corrected is still here: its correction is an entry of its own.",
)


def person_json(file: PersonFile, force: str, kept: Mapping[str, str]) -> bytes:
    """The copy as JSON: a section for each table and way it concerns the person, with its rows."""
    content = {
        "force": force,
        "name": file.name,
        "staff_number": file.staff_number,
        "made_at": format_utc(file.made_at),
        "about": list(INTRODUCTION),
        "sections": [
            {
                "heading": section.heading,
                "table": section.marks.name,
                "category": section.marks.area.title,
                "why": section.marks.area.why,
                "seen_by": section.marks.area.seen_by,
                "kept": kept[section.marks.kept],
                "rows": [{cell.column: cell.value for cell in row} for row in section.rows],
            }
            for section in file.sections
        ],
        "nothing_held": file.empty,
        "not_given_out": [
            {"of": heading, "what": what, "reason": reason} for heading, what, reason in file.withheld
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def person_markup(file: PersonFile, kept: Mapping[str, str]) -> str:
    """The body of the PDF."""
    return "\n".join(_parts(file, kept))


def _parts(file: PersonFile, kept: Mapping[str, str]) -> Iterator[str]:
    yield from map(_paragraph, INTRODUCTION)
    entries = say.plural(file.rows, "entry", "entries")
    yield _paragraph(
        f"{entries} in {say.plural(len(file.sections), 'part')}, as of {say.instant(file.made_at)}."
    )
    for area, sections in groupby(file.sections, key=lambda section: section.marks.area):
        yield _heading(area.title, 2)
        yield _paragraph(f"Why it is held: {area.why}.")
        yield _paragraph(f"Who can see it: {area.seen_by}.")
        for section in sections:
            yield _heading(section.heading, 3)
            yield _paragraph(f"Kept: {kept[section.marks.kept]}.")
            yield _section(section)
    if file.withheld:
        yield _heading("What is not given out, and why", 2)
        yield _list(f"{heading}: {what}. {reason}" for heading, what, reason in file.withheld)
    yield _heading("Of what nothing is held", 2)
    yield _list(iter(file.empty))


def _section(section: Section) -> str:
    columns = _used_columns(section)
    is_short = all(len(cell.words) <= LONGEST_CELL for row in section.rows for cell in row)
    if len(columns) <= MOST_COLUMNS and is_short and len(section.rows) > 1:
        return _table(section, columns)
    return "\n".join(
        (_heading(f"Entry {number}", 4) if len(section.rows) > 1 else "")
        + _list(f"{cell.label}: {cell.words}" for cell in row if cell.words)
        for number, row in enumerate(section.rows, 1)
    )


def _used_columns(section: Section) -> dict[str, str]:
    """The labels of the columns that any row has a value in."""
    return {cell.column: cell.label for row in section.rows for cell in row if cell.words}


def _table(section: Section, columns: Mapping[str, str]) -> str:
    head = ", ".join(f"[{text_content(label)}]" for label in columns.values())
    rows = [{cell.column: cell for cell in row} for row in section.rows]
    empty = NamedValue("", "", "", None)
    cells = ", ".join(f"[{text_content(row.get(column, empty).words)}]" for row in rows for column in columns)
    return f"#table(columns: {len(columns)}, table.header({head}), {cells})\n"


def _heading(text: str, level: int) -> str:
    return f"#heading(level: {level})[#{quote_text(text)}]\n"


def _paragraph(text: str) -> str:
    return f"#par[{text_content(text)}]\n"


def _list(texts: Iterator[str]) -> str:
    return f"#list({', '.join(f'[{text_content(text)}]' for text in texts)})\n"


# Making the copy of everything held about a person, audited.

Form = Literal["pdf", "json"]
MOST_ENTRIES = 20_000  # of a copy that a page makes while somebody waits


def make_copy(
    person_id: int, form: Form, *, by: int | None, at: datetime, most: int | None = None
) -> tuple[PersonFile, bytes]:
    """Make the copy, and record who had it made; the caller commits before it is handed out.

    Args:
        person_id: Whose.
        form: A readable tagged PDF, or JSON for a program.
        by: Whose account makes it; None for a command.
        at: Now.
        most: Refuse a copy with more entries.

    Raises:
        TypesettingError: No PDF can be made of it.
    """
    settings = current_settings()
    file = read_person_file(person_id, at)
    if most is not None and file.rows > most:
        raise RuleError(
            f"This copy has {number(file.rows)} entries, too many to make while you wait. An operator of the "
            f"portal can make it: flask people subject-access {file.staff_number} --output FILE"
        )
    kept = kept_words(settings, months_by_class())
    if form == "json":
        content = person_json(file, settings.force_name, kept)
    else:
        content = typeset_pdf(
            person_markup(file, kept),
            title=f"Personal data of {file.name}, {file.staff_number}".rstrip(", "),
            above=f"{settings.force_name}: learning portal",
            foot=f"{settings.force_name}, copy of personal data made on {say_date(at)}. Confidential",
            author=settings.force_name,
            at=at,
        )
    log_file("subject_access.exported", {person_id}, actor_id=by, subject_id=person_id, format=form)
    return file, content
