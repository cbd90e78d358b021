"""The copy of everything held about a person has every personal column, and nobody else."""

import json
from datetime import UTC, datetime

import pytest

from portal.domain.people.models import FactNote, PersonName
from portal.domain.people.services import write_notes
from portal.domain.retention.queries import months_by_class
from portal.domain.subject_access.periods import kept_words
from portal.domain.subject_access.person_file import (
    NOT_ABOUT_YOU,
    NamedValue,
    PersonFile,
    person_json,
    person_markup,
    read_person_file,
    value_words,
)
from portal.domain.subject_access.register.marks import PersonalTable
from portal.domain.subject_access.register.work import NOT_PERSONAL, personal_tables
from portal.feature import load_models
from portal.platform.db import Base, db
from tests.domain.subject_access.every_table import EveryTable
from tests.factories.people import make_person

# Texts stand beside their rows; the content of a loaded file is not given out, and deleted after days.
BESIDE_OTHERS = {"fact_note", "import_content"}
ACT = {"action", "detail"}  # of an audit event: said as the audit desk says them
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(app, database):
    return app.config["PORTAL"]


@pytest.fixture
def written(database) -> EveryTable:
    rows = EveryTable(
        make_person(staff_number="Q1001", surname="Reader", forenames="Rosa"),
        make_person(staff_number="Q1002", surname="Zzyzx", forenames="Zebedee"),
    )
    rows.write()
    return rows


@pytest.fixture
def file(written: EveryTable) -> PersonFile:
    return read_person_file(written.me, NOW)


def as_json(file: PersonFile, settings) -> str:
    return person_json(file, "Westshire Police", kept_words(settings, months_by_class())).decode()


def test_every_column_of_every_table_is_marked_once_as_personal_or_not() -> None:
    load_models()
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    unmarked = []
    for name, table in tables.items():
        if marks := personal_tables().get(name):
            marked = [*marks.columns, *marks.people, *marks.withheld, *marks.technical.split()]
            assert len(marked) == len(set(marked)), f"{name}: marked twice"
            unmarked += [f"{name}.{column.name}" for column in table.columns if column.name not in marked]
            assert set(marked) <= set(table.columns.keys()), name
        elif name not in NOT_PERSONAL:
            unmarked.append(name)

    assert unmarked == [], "Mark it in portal/domain/subject_access/register/"
    assert set(personal_tables()) | set(NOT_PERSONAL) == set(tables)


def test_a_column_with_a_persons_id_is_never_marked_as_not_personal() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            targets = {key.column.table.name for key in column.foreign_keys} | {column.info.get("table")}
            if targets & {"person", "person_name"} and table.name != "person":
                assert column.name in personal_tables()[table.name].people, f"{table.name}.{column.name}"


def test_every_table_has_a_period_and_each_way_it_concerns_somebody_a_heading(database, settings) -> None:
    headings = [view.heading for marks in personal_tables().values() for view in marks.views]

    assert {marks.kept for marks in personal_tables().values()} <= set(
        kept_words(settings, months_by_class())
    )
    assert len(headings) == len(set(headings))


def test_every_personal_column_is_in_the_copy_or_has_a_reason(file: PersonFile) -> None:
    shown = {
        (section.marks.name, cell.column)
        for section in file.sections
        for row in section.rows
        for cell in row
        if cell.words
    }
    headings = {section.heading: section.marks.name for section in file.sections}
    shown |= {(headings[heading], what.replace(" ", "_")) for heading, what, _ in file.withheld}
    missing = [
        f"{name}.{column}"
        for name, marks in personal_tables().items()
        for column in marks.personal
        if marks.views and (name, column) not in shown and column not in _paths(marks)
    ]

    assert missing == []
    assert {name for name, marks in personal_tables().items() if not marks.views} == BESIDE_OTHERS
    assert any(cell.column.startswith("text_word") for row in _rows(file, "response") for cell in row)


def _rows(file: PersonFile, name: str) -> list[list[NamedValue]]:
    return [row for section in file.sections if section.marks.name == name for row in section.rows]


def _paths(marks: PersonalTable) -> set[str]:
    return {view.path.split()[0] for view in marks.views}


def test_each_plain_value_is_the_one_that_is_stored(written: EveryTable, file: PersonFile) -> None:
    sections = {section.marks.name: section for section in reversed(file.sections)}
    checked, wrong = 0, []
    for name, values in written.values.items():
        if name not in sections:
            continue
        table, cells = Base.metadata.tables[name], {cell.column: cell for cell in sections[name].rows[0]}
        for column, label in sections[name].marks.columns.items():
            names_row = table.c[column].foreign_keys or table.c[column].info.get("table")
            if column not in cells or "@" in label or names_row or column in ACT:
                continue
            checked += 1
            if cells[column].words not in (value_words(values[column]), NOT_ABOUT_YOU):
                wrong.append((name, column, cells[column].words, values[column]))
    assert wrong == []
    assert checked > 150


def test_nobody_else_and_no_secret_is_in_it(written: EveryTable, file: PersonFile, settings) -> None:
    db.session.add(
        FactNote(
            fact_table="decision_request",
            fact_id=written.keys["decision_request"],
            kind="comment",
            text="Zebedee Zzyzx (Q1002) and Rosa Reader agreed; ask Zzyzx.",
        )
    )
    db.session.flush()

    file = read_person_file(written.me, NOW)
    text = as_json(file, settings) + person_markup(file, kept_words(settings, months_by_class()))

    assert "[name] ([name]) and Rosa Reader agreed; ask [name]." in text
    assert file.names_taken_out == 3
    for word in ("Zzyzx", "Zebedee", "Q1002", "secret person", "secret factor", "secret held"):
        assert word not in text, word
    for name, marks in personal_tables().items():
        for column in marks.withheld:
            value = written.values.get(name, {}).get(column)
            assert not isinstance(value, str) or value not in text, f"{name}.{column}"


def test_somebody_without_data_reads_what_is_not_held(database, settings) -> None:
    person = make_person(staff_number="Q2001", surname="New", forenames="Nia")

    content = json.loads(as_json(read_person_file(person, NOW), settings))

    assert content["name"] == "Nia New"
    assert "Your passes" in content["nothing_held"]
    assert [part["heading"] for part in content["sections"]][:2] == [
        "You in the portal",
        "Your name and contact details",
    ]


def test_an_erased_name_is_no_obstacle(database, settings) -> None:
    person = make_person(staff_number="Q2002", surname="Gone", forenames="Gil")
    db.session.delete(db.session.get_one(PersonName, person))
    db.session.flush()

    assert json.loads(as_json(read_person_file(person, NOW), settings))["name"] == "Name erased"


def test_words_of_requests_about_data_are_given_out_and_reasons_of_holds_are_not(
    written: EveryTable, settings
) -> None:
    answer = {"data_request": "Not your maiden name", "legal_hold": "Inquiry 7", "legal_hold_end": "Closed 7"}
    answer |= {"disposal_decision": "The claim is over"}
    for table, words in answer.items():
        write_notes(table, written.keys[table], {"reason": words})

    text = as_json(read_person_file(written.me, NOW), settings)

    assert {table for table, words in answer.items() if words in text} == {
        "data_request",
        "disposal_decision",
    }
