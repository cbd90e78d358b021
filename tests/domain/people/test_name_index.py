"""Names that many people get at once are found as those that one person gets; on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.domain.people import names
from portal.domain.people.services import correct_many_names, list_names_of
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.people.test_name_search import find, people, person_of

__all__ = ["people"]


@pytest.fixture(autouse=True)
def many_are_two(monkeypatch):
    monkeypatch.setattr(names, "FEWEST", 2)


def correct(*changes):
    with transaction():
        by_number = {names.staff_number: names for names in list_names_of(map(person_of, dict(changes)))}
        correct_many_names(
            [replace(by_number[number], surname=surname) for number, surname in changes],
            by=None,
            at=clock.now(),
        )


def assert_index_is_true():
    if db.engine.dialect.name == "sqlite":  # raises where the index differs from the names
        db.session.execute(
            text("INSERT INTO person_search (person_search, rank) VALUES ('integrity-check', 1)")
        )
        db.session.rollback()


def test_names_corrected_together_are_found_as_they_are_now(people):
    correct(("D1001", "Baker"), ("D2001", "Cooper"))

    assert find("baker") == ["D1001"]
    assert find("cooper") == ["D2001"]
    assert find("shah") == find("okafor") == []
    assert find("neill") == ["N1001"]
    assert_index_is_true()


def test_one_name_corrected_later_is_found_too(people):
    correct(("D1001", "Baker"), ("D2001", "Cooper"))
    correct(("D1001", "Draper"))

    assert find("draper") == ["D1001"]
    assert find("baker") == []
    assert_index_is_true()


def test_names_that_could_not_be_corrected_leave_the_index_as_it_was(people):
    with pytest.raises(IntegrityError), transaction(), names.index_names_afterwards(2):
        db.session.execute(text("UPDATE person_name SET folded = 'baker', email = 'one@westshire.example'"))

    assert find("shah") == ["D1001"]
    correct(("D1001", "Draper"))
    assert find("draper") == ["D1001"]
    assert_index_is_true()
