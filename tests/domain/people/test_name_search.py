"""Finding people by parts of their names and numbers: the same on both databases."""

import pytest
from sqlalchemy import select, text

from portal.domain.people.models import PersonName
from portal.domain.people.name_search import name_conditions
from portal.platform.db import db
from tests.factories.people import make_person

PEOPLE = (
    ("D1001", "Shah", "Priya"),
    ("D2001", "Okafor", "Daniel James"),
    ("C1", "O'Brien", "Tom"),
    ("X100_7", "Élan-Smith", "Zoë"),
)


@pytest.fixture
def people(database):
    for number, surname, forenames in PEOPLE:
        make_person(staff_number=number, surname=surname, forenames=forenames)


def matching_numbers(words):
    numbers = [number for number, _, _ in PEOPLE]
    statement = select(PersonName.staff_number).where(
        PersonName.staff_number.in_(numbers), *name_conditions(words)
    )
    return sorted(db.session.scalars(statement))


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
        ("00", ["D1001", "D2001", "X100_7"]),
        ("o'b", ["C1"]),
        ("n-smi", ["X100_7"]),
        ("00_7", ["X100_7"]),
        ("0_0", []),  # stands for itself alone
        ("sh%h", []),
        ("o/b", []),
        ("zoë", ["X100_7"]),
        ("", ["C1", "D1001", "D2001", "X100_7"]),
        (" , ", ["C1", "D1001", "D2001", "X100_7"]),
    ],
)
def test_every_word_is_a_part_of_a_name_or_number(people, words, numbers):
    assert matching_numbers(words) == numbers


def test_an_index_leads_to_those_who_are_found(people):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite reads all names.")
    statement = select(PersonName.person_id).where(*name_conditions("okafor daniel")).compile(db.engine)
    db.session.execute(text("SET LOCAL enable_seqscan = off"))

    plan = db.session.connection().exec_driver_sql(f"EXPLAIN {statement}", statement.params).scalars().all()

    assert any("ix_person_name_parts" in line for line in plan), plan
