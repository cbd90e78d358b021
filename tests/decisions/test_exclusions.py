"""An exemption or a deferral is asked for, decided, and ended, through the pages."""

from datetime import date

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.decisions.models import Decision, DecisionRequest
from portal.directives.models import Exclusion
from portal.people.models import FactNote
from portal.standing.queries import wholes_of
from tests.decisions.desk import NOW, make_desk


@pytest.fixture
def desk(app, database, time_machine):
    time_machine.move_to(NOW, tick=False)
    return make_desk(app)


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def status(desk, day=NOW.date()) -> str:
    (whole,) = wholes_of(desk.people["D1001"], day)
    return whole.status.key


def test_a_manager_asks_and_the_owner_grants(desk):
    page = desk.exempt(comment="Seconded to the regional unit")
    assert page.h1 == "Exemption from OIC-2026"
    assert "It waits for a decision." in page.text
    assert status(desk) == "overdue"

    owner = desk.as_("D4001")
    listed = owner.page("/decisions")
    assert listed.h1 == "1 request waits for you"
    asked = owner.page(listed.links["Exemption from OIC-2026 for Priya Shah"])
    assert "Overdue becomes Exempt" in asked.text
    assert "20% (1 of 5) complete becomes 25% (1 of 4)" in asked.text
    assert "Seconded to the regional unit" in asked.text
    page = desk.decide(asked.path, "Grant")

    assert "Granted by Priya Shah at 10:00 on 1 June 2026." in page.text
    assert status(desk) == "exempt"
    (fact,) = db.session.scalars(select(Exclusion)).all()
    assert (fact.exempt, fact.reason, fact.from_on, fact.decided_by_id) == (
        True,
        "secondment",
        date(2026, 6, 1),
        desk.people["D4001"],
    )
    assert count(FactNote) == 1
    assert (count(DecisionRequest), count(Decision)) == (1, 1)
    mine = desk.as_("D1001").page("/learning")
    assert "Directive OIC-2026: Exempt, decided by a directive owner on 1 June 2026" in mine.text
    assert "regional unit" not in mine.text
