"""Who someone is here and now: name, post, roles and what these let them do."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import event

from portal.domain.people import queries
from portal.domain.people.models import Post, RoleGrant
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission, Role
from tests.factories.people import make_grant, make_person, make_unit


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        yield


def statements(act):
    seen = []
    connection = db.session.connection()
    event.listen(connection, "before_cursor_execute", lambda *args: seen.append(args[2]))
    act()
    return len([text for text in seen if not text.startswith("SAVEPOINT")])


def test_a_viewer_has_the_rank_of_the_main_live_post(database):
    force = make_unit("Westshire Police")
    person = make_person(force, staff_number="D2001", rank="Sergeant", forenames="Ann", surname="Price")
    with transaction():
        db.session.add(
            Post(
                recorded_at=stamp(),
                person_id=person,
                post_key="acting",
                rank_or_grade="Inspector",
                designated_role="response",
                unit_id=force,
                line_manager_id=None,
                valid_from=date(2026, 1, 1),
            )
        )
    make_grant(person, "manager", force)

    viewer = queries.viewer_of(person)

    assert viewer is not None
    assert viewer.display_name == "Sergeant Ann Price"
    assert (viewer.staff_number, viewer.has_post, viewer.roles) == ("D2001", True, {Role.MANAGER})
    assert {Permission.LEARN, Permission.COMPLETION_VIEW} <= viewer.permissions


def test_without_a_post_of_today_there_is_no_rank_and_no_learning(database):
    person = make_person(make_unit("Westshire Police"), until=date(2026, 5, 31), forenames="Ann")

    viewer = queries.viewer_of(person)

    assert viewer is not None
    assert (viewer.display_name, viewer.has_post) == ("Ann Shah", False)
    assert Permission.LEARN not in viewer.permissions


def test_a_revoked_and_a_lapsed_grant_give_nothing(database):
    person = make_person(make_unit("Westshire Police"))
    with transaction():
        for valid_to, ended_at in (
            (date(2026, 5, 31), None),
            (date(9999, 12, 31), datetime(2026, 6, 1, tzinfo=UTC)),
        ):
            db.session.add(
                RoleGrant(
                    person_id=person,
                    role="auditor",
                    valid_from=date(2026, 1, 1),
                    valid_to=valid_to,
                    given_at=datetime(2026, 1, 1, tzinfo=UTC),
                    ended_at=ended_at,
                )
            )

    viewer = queries.viewer_of(person)

    assert viewer is not None
    assert viewer.roles == frozenset()
    assert not queries.visibility_of(viewer).everyone


def test_a_viewer_takes_two_statements_and_sight_one(database):
    force = make_unit("Westshire Police")
    person = make_person(force)
    make_grant(person, "manager", force)
    viewer = queries.viewer_of(person)
    assert viewer is not None

    assert statements(lambda: queries.viewer_of(person)) <= 2
    assert statements(lambda: queries.visibility_of(viewer)) == 1
    assert statements(lambda: queries.may_see(viewer, person)) == 1


def test_nobody_is_no_viewer(database):
    assert queries.viewer_of(10**9) is None


def test_units_have_paths_and_are_found_by_them(database):
    force = make_unit("Westshire Police")
    crime = make_unit("Serious/Organised", force)
    team = make_unit("Team 1", crime)
    day = date(2026, 6, 1)

    assert queries.unit_paths(day)[team] == "Westshire Police/Serious//Organised/Team 1"
    assert queries.unit_by_path("Westshire Police/Serious//Organised", day) == crime
    assert queries.units_under(crime, day) == {crime, team}
    with pytest.raises(NotFoundError, match="Westshire Police/Crime"):
        queries.unit_by_path("Westshire Police/Crime", day)


def test_a_person_is_found_by_staff_number(database):
    person = make_person(staff_number="D1001")

    assert queries.person_by_staff_number("D1001") == person
    with pytest.raises(NotFoundError, match="D9999"):
        queries.person_by_staff_number("D9999")
