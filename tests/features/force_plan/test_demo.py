"""The demo's plan: published by a second person, past its review, and being written anew."""

from datetime import UTC, date, datetime, time

import time_machine

from portal.domain.catalogue.version_cache import shared_content
from portal.domain.reports.parameters import Position
from portal.features.force_plan.demo import ANSWERS, READER, WRITER, schedule_plan
from portal.features.force_plan.services import list_missing, open_plan_proposal, plan_template, read_plan
from portal.platform.db import transaction
from tests.factories.demo import StoryForce
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation

TODAY = date(2026, 11, 28)


def test_the_plan_is_past_its_review_and_its_next_version_is_being_written(database: None) -> None:
    with time_machine.travel(datetime(2025, 9, 4, 9, tzinfo=UTC), tick=False):
        make_recommendation("plan")
        people = {WRITER: make_person(), READER: make_person()}
    force = StoryForce(TODAY, TODAY, people)

    schedule_plan(force)
    for day, acts in sorted(force.days.items()):
        with transaction(stamp_as=datetime.combine(day, time(19, 30), UTC)):
            for act in acts:
                act()

    now = datetime(2026, 11, 28, 9, tzinfo=UTC)
    april = read_plan(Position(date(2026, 4, 30), now, TODAY, latest=False))
    today = read_plan(Position(TODAY, now, TODAY, latest=False))
    proposal = open_plan_proposal()
    assert april is not None
    assert today is not None
    assert proposal is not None
    assert (april.version.from_on, april.faults) == (date(2025, 12, 18), ())
    assert today.faults == ("Its review was due on 13 November 2026.",)
    assert (
        shared_content()
        .values["sharing_plan"]
        .endswith("(the whole plan, of 18 December 2025, is under Guides)")
    )
    assert proposal.is_written
    assert "two working days" in proposal.answers["rocu"]


def test_it_answers_every_question_and_is_plainly_made_up() -> None:
    assert set(ANSWERS) == {question.key for question in plan_template().questions}
    assert list_missing(ANSWERS) == []
    assert all(len(ANSWERS[each.key]) <= each.most for each in plan_template().questions)
    assert sum("made up" in text or "made-up" in text for text in ANSWERS.values()) >= 7
