"""The demo's desk: what was entered late, and what is not known before its day; no name in its texts."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.demo import force as demo_force
from portal.domain.reports.parameters import Position
from portal.features.assurance.demo.desk import publish_recommendations, schedule_desk
from portal.features.assurance.demo.story import ACTIONS, DECISIONS, RECENT, RISKS
from portal.features.assurance.desk import RecommendationSnapshot, read_desk
from portal.features.assurance.services import list_action_lines
from portal.platform.clock import end_of_day
from portal.platform.db import transaction
from tests.factories.demo import StoryForce
from tests.factories.people import make_person

APRIL = date(2026, 4, 30)


def replay(today: date, first_day: date) -> None:
    """Make the desk of a force whose history goes from one day to the other."""
    with time_machine.travel(datetime(first_day.year, first_day.month, first_day.day, 9, tzinfo=UTC)):
        people = {number: make_person(staff_number=number) for number in ("D4001", "D2002", "D2001", "D5001")}
    force = StoryForce(today, first_day, people)
    schedule_desk(force)
    with transaction(stamp_as=datetime(first_day.year, first_day.month, first_day.day, 19, tzinfo=UTC)):
        publish_recommendations(force)
    for day in sorted(force.days):
        with transaction(stamp_as=datetime(day.year, day.month, day.day, 19, 30, tzinfo=UTC)):
            for act in force.days[day]:
                act()


def read(day: date, known: date, today: date) -> dict[str, RecommendationSnapshot]:
    desk = read_desk(Position(day, end_of_day(known), today, latest=False))
    return {recommendation.key: recommendation for recommendation in desk}


@pytest.mark.slow
def test_the_thirtieth_of_april_is_known_otherwise_then_and_today(database: None) -> None:
    today = date(2026, 11, 28)
    replay(today, today - timedelta(days=450))

    then, now = read(APRIL, APRIL, today), read(APRIL, today, today)
    assert list(then) == ["intelligence-documents", "plan", "hydra", "e-learning"]
    assert all(recommendation.owner_id for recommendation in then.values())
    states = [
        {line.title: line.state for line in list_action_lines(desk.values(), APRIL)}[
            "Give every shift protected time for the modules"
        ]
        for desk in (then, now)
    ]
    assert states == ["under_way", "done"]
    assert [decision.title[:5] for decision in now["hydra"].decisions] == ["Three"]
    late = [line for line in list_action_lines(now.values(), APRIL) if line.is_late]
    assert {line.key for line in late} >= {"hydra", "plan", "intelligence-documents"}
    assert any(line.waits_for for line in list_action_lines(now.values(), APRIL))


def test_today_most_is_done_and_little_is_open(database: None) -> None:
    today = date(2026, 11, 28)
    replay(today, today - timedelta(days=450))

    lines = list_action_lines(read(today, today, today).values(), today)
    still_open = [line for line in lines if line.state in {"open", "under_way"}]
    due = sorted(line.due_on - today for line in still_open if line.due_on)
    assert len(still_open) < len(lines) / 3
    assert [line.key for line in still_open if line.is_late] == ["e-learning"]
    assert due[0] > -timedelta(weeks=4)
    assert len([each for each in due if each.days > 0]) == 3
    assert any(line.waits_for for line in still_open)


@pytest.mark.parametrize("today", [date(2026, 3, 20), date(2029, 6, 1)])
def test_whatever_today_is_nothing_is_entered_later_than_it_or_before_the_force(database, today) -> None:
    first_day = today - timedelta(days=450)
    replay(today, first_day)

    desk = read(today, today, today)
    assert len(desk) == 4
    entered = [version.version for recommendation in desk.values() for version in recommendation.actions]
    assert all(first_day < version.from_on <= today for version in entered)


def test_no_text_names_a_person() -> None:
    surnames = {row[1] for row in demo_force.ACCOUNTS}
    steps = [*ACTIONS, *(each.step for each in RECENT)]
    texts = [text for step in steps for text in (step.title, step.reason)]
    texts += [step.details.text for step in (*DECISIONS, *RISKS)]
    assert not [text for text in texts if surnames & set(text.split())]
