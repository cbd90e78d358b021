"""Runs: what is pressed twice is done once, who may write, and a rehearsal that leaves nothing."""

from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import func, select

from portal.features.exercises import run_queries, runs
from portal.features.exercises.debrief import add_action, withdraw_action
from portal.features.exercises.models import (
    ExerciseRun,
    LogEntry,
    PlenaryStatement,
    PlenaryVoter,
    RunAction,
    RunStep,
)
from portal.features.exercises.plenary import (
    PromptStage,
    add_statement,
    group_statements,
    list_statements,
    move_to_stage,
    rank_statements,
)
from portal.features.exercises.run_queries import Phase
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from tests.factories.people import make_grant, make_person, make_unit
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


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(MORNING, tick=False) as travel:
        yield travel


def count(table, **where) -> int:
    return db.session.scalar(select(func.count()).select_from(table).filter_by(**where)) or 0


def test_a_release_pressed_twice_and_by_two_facilitators_is_one():
    players = make_players()
    press(players.run, players.facilitator, "start")
    key = uuid4()
    pressed = [
        press(players.run, players.facilitator, "release", k, inject_key="inject-3") for k in (key, key, None)
    ]
    assert pressed == [True, False, False]
    assert count(RunStep, kind="release", inject_key="inject-3") == 1


def test_an_inject_released_to_one_syndicate_is_on_its_screens_alone():
    players = make_players()
    press(players.run, players.facilitator, "start")
    to_second = {"inject_key": "inject-3", "syndicate": 2}
    assert press(players.run, players.facilitator, "release", **to_second)
    assert not press(players.run, players.facilitator, "release", **to_second)
    with pytest.raises(RuleError, match="not for that syndicate"):
        press(players.run, players.facilitator, "release", inject_key="inject-3", syndicate=9)
    assert screens_with(players, "inject-3") == [2]
    assert press(players.run, players.facilitator, "release", inject_key="inject-3")
    assert screens_with(players, "inject-3") == [1, 2]


def screens_with(players, key):
    run, progress = look(players.run, players.facilitator)
    (inject,) = (each for each in run_queries.exercise_in(run).content["injects"] if each["key"] == key)
    return [number for number in (1, 2) if progress.has_inject(number, inject)]


def test_a_release_by_hand_when_the_clock_has_just_released_it_does_nothing(morning):
    players = make_players()
    press(players.run, players.facilitator, "start")
    morning.shift(60 * 60)
    assert look(players.run, players.facilitator)[1].unnoted
    assert not press(players.run, players.facilitator, "release", inject_key="inject-1")


def test_a_person_is_scribe_of_their_own_syndicate_alone_and_the_latest_counts():
    players = make_players()
    press(players.run, players.facilitator, "start")
    assert take_pen(players.run, players.second, 2)
    assert not take_pen(players.run, players.second, 2)
    assert take_pen(players.run, players.third, 2)
    with pytest.raises(RuleError, match="Priya Cole is the scribe now"):
        write(players.run, players.second, 2)
    assert write(players.run, players.third, 2)
    for stranger, syndicate, error in (
        (players.first, 2, NotFoundError),
        (players.facilitator, 1, ForbiddenError),
    ):
        with pytest.raises(error):
            take_pen(players.run, stranger, syndicate)


def test_an_entry_sent_twice_is_one_and_a_question_has_one_answer_with_its_corrections():
    players = make_players()
    press(players.run, players.facilitator, "start")
    take_pen(players.run, players.first, 1)
    key = uuid4()
    assert [write(players.run, players.first, 1, key=key) for _ in range(2)] == [True, False]
    with pytest.raises(RuleError, match="answered meanwhile"):
        write(players.run, players.first, 1)
    run, _ = look(players.run, players.first, 1)
    (first,) = run_queries.list_entries(run.id, 1)
    assert write(players.run, players.first, 1, corrects_id=first.id, text="Send two cars.")
    assert write(players.run, players.first, 1, corrects_id=first.id, text="Send three.")
    assert [entry.kind for entry in run_queries.list_entries(run.id, 1)] == [
        "answer",
        "correction",
        "correction",
    ]


def test_the_clock_releases_is_noted_and_what_is_not_released_takes_no_answer(morning):
    players = make_players()
    press(players.run, players.facilitator, "start")
    take_pen(players.run, players.first, 1)
    with pytest.raises(RuleError, match="not have this question yet"):
        write(players.run, players.first, 1, "q2")
    morning.shift(10 * 60)
    _, progress = look(players.run, players.first, 1)
    assert progress.unnoted == ("inject-1", "inject-2")
    for _ in range(2):
        with transaction():
            runs.note_releases(players.run, viewer(players.first), clock.now())
    morning.move_to(MORNING)  # the machine's clock is set back
    _, progress = look(players.run, players.first, 1)
    assert set(progress.releases) == {"inject-1", "inject-2"}
    assert count(RunStep, kind="release") == 2
    assert write(players.run, players.first, 1, "q2")


def test_a_step_out_of_its_phase_is_refused_and_a_repeated_one_does_nothing():
    players = make_players()
    with pytest.raises(RuleError, match="not begun"):
        press(players.run, players.facilitator, "hold")
    kinds = ("start", "start", "hold", "hold", "plenary", "back", "resume", "end", "end")
    assert [press(players.run, players.facilitator, kind) for kind in kinds] == [
        *(True, False, True, False, True, True, True, True, False)
    ]
    with pytest.raises(RuleError, match="has ended"):
        press(players.run, players.facilitator, "message", text="Too late")
    with pytest.raises(ForbiddenError):
        press(players.run, players.first, "resume")


def test_nobody_sees_a_run_without_a_place_in_it():
    players = make_players()
    stranger = make_person(make_unit("Elsewhere"))
    with pytest.raises(NotFoundError):
        run_queries.find_run(players.run, viewer(stranger))
    own, _ = look(players.run, players.first)
    assert [own.may_see(n) for n in (0, 1, 2, 3)] == [False, True, False, False]
    theirs, _ = look(players.run, players.facilitator)
    assert [theirs.may_see(n) for n in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_second_facilitator_goes_on_without_being_handed_anything():
    players = make_players()
    other = make_person(make_unit("Training"))
    press(players.run, players.facilitator, "start")
    with pytest.raises(NotFoundError):
        press(players.run, other, "hold")
    make_grant(other, "facilitator")
    assert press(players.run, other, "hold")
    assert look(players.run, players.facilitator)[1].phase is Phase.HELD


def test_a_rehearsal_leaves_no_record_and_anything_else_stays():
    players = make_players()
    kept = count(AuditEvent), count(ExerciseRun)
    run = open_as(players.facilitator, "rehearsal", syndicates=2)
    assert run == open_as(players.facilitator, "rehearsal", syndicates=2)
    press(run, players.facilitator, "start")
    press(run, players.facilitator, "message", text="Listen.", syndicate=2)
    take_pen(run, players.facilitator, 2)
    assert write(run, players.facilitator, 2)
    first = db.session.scalars(select(LogEntry)).one()
    assert write(run, players.facilitator, 2, corrects_id=first.id)
    press(run, players.facilitator, "end")
    assert (count(AuditEvent), count(ExerciseRun)) == kept
    assert count(LogEntry) == count(RunStep) == 0


def test_the_reference_of_a_rehearsal_that_was_erased_is_never_another_runs():
    players = make_players()
    tried = open_as(players.facilitator, "rehearsal", syndicates=2)
    press(tried, players.facilitator, "start")
    press(tried, players.facilitator, "end")

    assert tried.startswith("TRY-")
    assert open_as(players.facilitator, "rehearsal", syndicates=2) != tried


def test_the_plenary_of_a_rehearsal_is_erased_at_its_end():
    players = make_players()
    leader, kept = players.facilitator, count(AuditEvent)
    reference = open_as(leader, "rehearsal", syndicates=2)
    press(reference, leader, "start")
    press(reference, leader, "plenary")
    run, action = look(reference, leader)[0], uuid4()
    with transaction():
        move_to_stage(reference, viewer(leader), "hard", PromptStage.STATEMENTS, form_key=uuid4())
        add_statement(run.id, "hard", "We had no second car")
        move_to_stage(reference, viewer(leader), "hard", PromptStage.RANKING, form_key=uuid4())
        chosen = [one.key for one in list_statements(run.id, "hard")]
        rank_statements(run.id, "hard", chosen, leader)
        add_action(run, "Buy a car", "Fleet", MORNING.date(), key=action)
        withdraw_action(run, action, key=uuid4())
        group_statements(run, "hard", chosen, "Cars")
    assert (count(PlenaryStatement), count(PlenaryVoter), count(RunAction)) == (1, 1, 2)

    press(reference, leader, "end")

    tables = (PlenaryStatement, PlenaryVoter, RunAction, RunStep)
    assert [count(table) for table in tables] == [0, 0, 0, 0]
    assert count(AuditEvent) == kept


def test_an_old_rehearsal_is_erased_when_another_run_is_opened(morning):
    players = make_players()
    open_as(players.facilitator, "rehearsal")
    morning.shift(25 * 60 * 60)
    open_as(players.first, "table_top")
    assert count(ExerciseRun, kind="rehearsal") == 0


def test_at_a_table_its_opener_runs_it_and_writes_and_nobody_else_sees_it():
    players = make_players()
    run = open_as(players.first, "table_top")
    assert press(run, players.first, "start")
    assert write(run, players.first, 1)
    for other in (players.second, players.facilitator):
        with pytest.raises(NotFoundError):
            look(run, other)
    with pytest.raises(ForbiddenError):
        open_as(players.first, "rehearsal")
