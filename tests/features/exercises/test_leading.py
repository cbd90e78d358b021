"""The plenary reads a run as its screens do: who leads it, who takes part, and what its clock said."""

from dataclasses import replace
from uuid import uuid4

import pytest
import time_machine

from portal.domain.people.queries import Viewer
from portal.features.events.models import RegisterEntry
from portal.features.exercises.debrief import compare_injects, plain_words
from portal.features.exercises.feature import RUN
from portal.features.exercises.plenary import PromptStage, find_plenary, group_statements, move_to_stage
from portal.features.exercises.runs import list_runs
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import ForbiddenError, NotFoundError
from tests.factories.people import make_person, make_unit
from tests.features.exercises.running.playing import (
    MORNING,
    look,
    make_players,
    open_as,
    press,
    take_pen,
    viewer,
    write,
)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def morning():
    with time_machine.travel(MORNING, tick=False) as travel:
        yield travel


def without_role(person: int) -> Viewer:
    """A person as they sign in once they facilitate no longer."""
    now = viewer(person)
    return replace(now, permissions=now.permissions - {RUN})


@pytest.mark.parametrize("kind", ["event", "rehearsal"])
def test_a_former_facilitator_cannot_open_the_run_they_opened(kind):
    players = make_players()
    run = players.run if kind == "event" else open_as(players.facilitator, kind, syndicates=2)

    with pytest.raises(NotFoundError):
        find_plenary(run, without_role(players.facilitator))


def test_only_the_leader_moves_questions_and_groups_statements():
    players = make_players()

    with pytest.raises(ForbiddenError), transaction():
        move_to_stage(players.run, viewer(players.first), "hard", PromptStage.READING, form_key=uuid4())
    with pytest.raises(ForbiddenError), transaction():
        group_statements(look(players.run, players.first)[0], "hard", [], "Cars")


def test_a_person_in_the_register_without_a_booking_takes_part_and_finds_the_run():
    players = make_players()
    guest = viewer(make_person(make_unit("Other"), staff_number="D1009", surname="Dale", forenames="Kim"))
    assert list_runs(guest, clock.now()) == []
    glance, _ = look(players.run, players.facilitator)
    with transaction():
        db.session.add(
            RegisterEntry(
                key=uuid4(),
                recorded_at=stamp(),
                event_id=glance.event_id,
                person_id=guest.person_id,
                kind="late",
                noted_at=clock.now(),
                means="register",
                noted_by_id=players.facilitator,
            )
        )

    found = find_plenary(players.run, guest)

    assert not found.run.may_control
    assert not any(found.run.may_see(syndicate) for syndicate in (1, 2))
    assert [run.reference for run in list_runs(guest, clock.now())] == [players.run]


def test_the_minute_of_an_answer_stands_still_in_the_plenary(morning):
    players = make_players()
    press(players.run, players.facilitator, "start")
    take_pen(players.run, players.first, 1)
    morning.shift(10 * 60)
    press(players.run, players.facilitator, "plenary")
    morning.shift(30 * 60)
    write(players.run, players.first, 1)
    run, _ = look(players.run, players.facilitator)

    (inject,) = compare_injects(run, ["inject-1"])

    answer = dict(inject.questions[0].answers)[1]
    assert answer is not None
    assert answer.minute == 10


def test_questions_of_the_plenary_leave_out_what_the_force_has_not_set_as_the_screens_do():
    assert plain_words("<b>Hold</b> &amp; wait. Ring {{force:custody_phone}}.") == "Hold & wait."
