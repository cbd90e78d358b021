"""Finding people by parts of their names and numbers: the same on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text

from portal.domain.people.models import PersonName
from portal.domain.people.names import name_conditions, suggest_search
from portal.domain.people.queries import COMMAND_LINE, viewer_of
from portal.domain.people.services import correct_many_names, list_names_of
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.monitoring.counting import statements

PEOPLE = (
    ("D1001", "Shah", "Priya"),
    ("D2001", "Okafor", "Daniel James"),
    ("C1", "O'Brien", "Tom"),
    ("X100_7", "Élan-Smith", "Zoë"),
    ("N1001", "O’Neill", 'Søren "Sam"'),
)


@pytest.fixture
def people(database):
    for number, surname, forenames in PEOPLE:
        make_person(staff_number=number, surname=surname, forenames=forenames)


def matching_numbers(words):
    numbers = [number for number, _, _ in PEOPLE]
    return sorted(set(numbers) & set(find(words)))


def find(words):
    return sorted(db.session.scalars(select(PersonName.staff_number).where(*name_conditions(words))))


def person_of(number):
    return db.session.scalar(select(PersonName.person_id).where(PersonName.staff_number == number))


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("shah", ["D1001"]),
        ("PRIYA Sh", ["D1001"]),
        ("Shah, Priya", ["D1001"]),
        ("iy", ["D1001"]),  # shorter than what an index cuts
        ("y", ["D1001"]),
        ("kafo iel", ["D2001"]),
        ("james okafor dan", ["D2001"]),
        ("kafo tom", []),  # every word, of one person
        ("ahpri", []),  # no word lies across two names
        ("d100", ["D1001"]),
        ("00", ["D1001", "D2001", "N1001", "X100_7"]),
        ("o'b", ["C1"]),
        ("oneill", ["N1001"]),
        ("O'Neill", ["N1001"]),
        ("O’NEIL soren", ["N1001"]),
        ('"sam"', ["N1001"]),
        ('sam" OR "shah', []),
        ("elan ZOE", ["X100_7"]),
        ("D1001@westshire.example", ["D1001"]),
        ("d1001@", ["D1001"]),
        ("d1001@ okafor", []),
        ("westshire", []),  # an address is looked for from its beginning
        ("n-smi", ["X100_7"]),
        ("00_7", ["X100_7"]),
        ("0_0", []),  # stands for itself alone
        ("sh%h", []),
        ("o/b", []),
        ("zoë", ["X100_7"]),
        ("", [number for number, *_ in sorted(PEOPLE)]),
        (" , ", [number for number, *_ in sorted(PEOPLE)]),
        ("x" * 100_000, []),
        ("sha\x00h \u202e", []),
    ],
)
def test_every_word_is_a_part_of_a_name_or_number(people, words, numbers):
    assert matching_numbers(words) == numbers


@pytest.mark.parametrize(
    ("words", "sqlite", "postgresql"),
    [
        ("okafor daniel", "SCAN person_search VIRTUAL TABLE INDEX", "ix_person_name_parts"),
        ("d2001@w", "INDEX sqlite_autoindex_person_name", "uq_person_name_email"),
    ],
)
def test_an_index_leads_to_those_who_are_found(people, words, sqlite, postgresql):
    compiled = select(PersonName.person_id).where(*name_conditions(words)).compile(db.engine)
    connection, is_sqlite = db.session.connection(), db.engine.dialect.name == "sqlite"
    if is_sqlite:
        values = tuple(compiled.params[key] for key in compiled.positiontup)
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).all()
    else:
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).all()

    plan = [str(row[-1]) for row in rows]

    assert any((sqlite if is_sqlite else postgresql) in line for line in plan), plan
    assert not any("SCAN person_name" in line or "Seq Scan" in line for line in plan), plan


def test_a_corrected_and_an_erased_name_are_found_as_they_are_now(people):
    with transaction():
        (names,) = list_names_of([person_of("D1001")])
        correct_many_names([replace(names, surname="Šah", staff_number="D1009")], at=clock.now(), by=None)
        db.session.execute(delete(PersonName).where(PersonName.staff_number == "D2001"))

    assert find("sah") == ["D1009"]
    assert find("shah") == find("d1001") == find("okafor") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Okafro", "Okafor"),
        ("daniel okafr", "daniel Okafor"),
        ("oniell", "O’Neill"),
        ("Ellan-Smith", "Élan-Smith"),
        ("smyth, zoe", "Élan-Smith zoe"),
        ("priya okafro", ""),  # nobody has both
        ("Brown", ""),
        ("D1002", ""),
        ("xy", ""),
        ("", ""),
    ],
)
def test_a_misspelt_surname_suggests_one_that_finds_somebody(people, typed, meant):
    assert suggest_search(COMMAND_LINE, typed) == meant


def test_only_somebody_whom_the_viewer_may_see_is_suggested(database):
    inner, outer = make_unit("Inner"), make_unit("Outer")
    make_person(inner, surname="Okonkwo")
    make_person(outer, surname="Okonkwa")
    manager = make_person(outer, surname="Adams")
    make_grant(manager, Role.MANAGER, inner)

    assert suggest_search(viewer_of(manager), "Okonkwe") == "Okonkwo"
    assert suggest_search(viewer_of(manager), "Okonkwaa") == "Okonkwo"
    assert suggest_search(COMMAND_LINE, "Okonkwaa") == "Okonkwa"


def test_surnames_are_read_one_by_one_however_many_people_have_them(people):
    for _ in range(20):
        make_person(surname="Shah")
    with statements() as few:
        assert suggest_search(COMMAND_LINE, "Okafro") == "Okafor"

    few = [statement for statement in few if not statement.startswith("SAVEPOINT")]
    assert len(few) == 2
    if db.engine.dialect.name == "sqlite":
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {few[0]}").all()
        assert not any(str(row[-1]).startswith("SCAN person_name") for row in plan), plan
