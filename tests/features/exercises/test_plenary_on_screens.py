"""What the wall and the syndicates' pages show of the plenary, and when their polls say that it is new."""

from uuid import uuid4

import pytest

from portal.domain.people.queries import viewer_of
from portal.features.exercises.plenary import (
    PromptStage,
    add_statement,
    group_statements,
    hide_statements,
    list_statements,
    move_to_stage,
    rank_statements,
)
from portal.features.exercises.run_queries import find_run
from portal.platform.db import transaction
from tests.features.exercises.room import FACILITATOR, PRIYA, TOM, add_step, make_room


@pytest.fixture
def room(app, database):
    """In the plenary, with nothing asked yet."""
    room = make_room(app)
    add_step(room, "start")
    add_step(room, "plenary")
    return room


def move(room, stage):
    with transaction():
        move_to_stage(room.reference, leader_of(room), "hard", stage, form_key=uuid4())


def leader_of(room):
    return viewer_of(room.people[FACILITATOR])


def say(room, *texts):
    with transaction():
        for text in texts:
            add_statement(room.run_id, "hard", text)
    return {one.text: one.key for one in list_statements(room.run_id, "hard")}


def test_a_syndicate_finds_what_it_is_asked_to_do(room):
    priya, own = room.browser(PRIYA), f"/exercises/{room.reference}/1"
    assert "Plenary: questions, statements and decisions" in priya.page(own).links

    move(room, PromptStage.STATEMENTS)
    asked = priya.page(own).links["Write without your name: What was hard?"]
    assert priya.page(asked).h1 == "What was hard?"
    say(room, "We had no second car")
    move(room, PromptStage.RANKING)
    asked = priya.page(own).links["Rank what the room wrote: What was hard?"]
    assert "We had no second car" in priya.page(asked).text

    add_step(room, "back")
    assert "What was hard?" not in priya.page(own).text
    links = room.browser(FACILITATOR).page(f"/exercises/{room.reference}/control").links
    assert links["Plenary"] == room.path()


def test_the_wall_shows_statements_only_once_they_are_read_and_points_only_at_the_end(room):
    tom, wall = room.browser(TOM), f"/exercises/{room.reference}/wall"
    move(room, PromptStage.STATEMENTS)
    keys = say(room, "We had no second car", "Nobody owned the log", "Names a colleague")
    page = tom.page(wall).text
    assert "What was hard? The room writes statements." in page
    assert "second car" not in page

    move(room, PromptStage.READING)
    run = find_run(room.reference, leader_of(room))
    with transaction():
        group_statements(run, "hard", [keys["We had no second car"]], "Resources")
        hide_statements(run, "hard", [keys["Names a colleague"]], hidden=True)
        rank_statements(room.run_id, "hard", [keys["Nobody owned the log"]], room.people[TOM])
    page = tom.page(wall).text
    assert "Resources We had no second car In no group Nobody owned the log" in page
    assert "colleague" not in page
    assert "point" not in page

    move(room, PromptStage.CLOSED)
    assert "Nobody owned the log (1 point)" in tom.page(wall).text


def test_the_wall_is_new_when_its_statements_are_and_tells_no_moment_of_writing(room):
    tom, wall = room.browser(TOM), f"/exercises/{room.reference}/wall"

    def tag() -> str:
        return tom.get(wall).headers["ETag"]

    first = tag()
    move(room, PromptStage.STATEMENTS)
    writing = tag()
    assert writing != first
    keys = say(room, "We had no second car")
    assert tag() == writing
    move(room, PromptStage.READING)
    reading = tag()
    assert reading != writing
    assert tom.get(wall, headers={"If-None-Match": reading}).status_code == 304
    with transaction():
        group_statements(find_run(room.reference, leader_of(room)), "hard", keys.values(), "Cars")
    assert tag() != reading


@pytest.mark.slow
def test_more_statements_than_a_wall_holds_are_counted(room):
    move(room, PromptStage.STATEMENTS)
    say(room, *(f"Statement {number:02}" for number in range(13)))
    move(room, PromptStage.READING)

    page = room.browser(TOM).page(f"/exercises/{room.reference}/wall").text

    assert "Statement 09" in page
    assert "Statement 10" not in page
    assert "3 more statements on the page of the plenary" in page
