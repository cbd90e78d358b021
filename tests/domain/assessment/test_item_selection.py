"""An attempt's draw can be made again from the record, and its page shown as it was."""

import pytest
from sqlalchemy import select

from portal.domain.assessment import services
from portal.domain.assessment.models import Attempt
from portal.domain.records.models import Registration
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.factories.people import change_role
from tests.pages.learning.working import (
    answer_all,
    attempt_base,
    begin,
    items_of,
    learner,
    read_lessons,
    take,
)
from tests.pages.monitoring.counting import statements


def try_again(client, page, correct=0):
    return client.press(answer_all(client, client.press(page, "Try again"), correct), "Submit answers")


@pytest.mark.slow
def test_every_draw_can_be_made_again_from_the_record(client):
    make_version(items=14, draw=4, duties=(("custody",), ("response", "contact"), ()))
    person = learner(client)
    page = take(client, 0)
    change_role(person, "custody")
    page = try_again(client, page)
    try_again(client, page, correct=4)
    client.press(client.page("/learning/modules/protect"), "Take this module again")
    take(client, 0)

    attempts = db.session.scalars(select(Attempt).order_by(Attempt.registration_id, Attempt.number)).all()
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 1]
    for attempt in attempts:
        registration = db.session.get_one(Registration, attempt.registration_id)
        again = services.draw_attempt_items(registration, attempt.id, attempt.number, attempt.duties)
        assert again == attempt.drawn
    assert [attempt.duties for attempt in attempts] == [["response"], ["custody"], ["custody"], ["custody"]]
    assert len({tuple(drawn["item_id"] for drawn in attempt.drawn) for attempt in attempts}) > 1


def test_a_new_role_in_the_middle_of_an_attempt_changes_nothing_of_it(client):
    make_version(items=14, draw=4, duties=(("custody",), ("response",)))
    person = learner(client)
    page = begin(client)
    before = [item.id for item in items_of(attempt_base(page))]
    change_role(person, "custody")

    page = client.press(answer_all(client, page, correct=3), "Submit answers")

    (attempt,) = db.session.scalars(select(Attempt)).all()
    assert (page.h1, attempt.duties) == ("You passed", ["response"])
    assert [item.id for item in items_of(attempt_base(page))] == before


def test_a_bank_for_all_alike_asks_nothing_of_the_roster(client):
    make_version()
    learner(client)
    read_lessons(client)
    page = client.page("/learning/modules/protect")
    with statements() as run:
        client.press(page, "Start assessment")

    (attempt,) = db.session.scalars(select(Attempt)).all()
    assert attempt.duties == []
    assert not [text for text in run if "post.designated_role" in text]


@pytest.mark.slow
def test_attempt_after_attempt_asks_what_was_asked_least(client):
    make_version(items=12, draw=4, at_least=2)
    learner(client)
    page = take(client, 0)
    asked = [{item.id for item in items_of(attempt_base(page))}]
    for _ in range(5):
        page = try_again(client, page)
        asked.append({item.id for item in items_of(attempt_base(page))})

    for three in (asked[:3], asked[3:]):  # each item once before any comes a second time, and so on
        assert len(set.union(*three)) == 12


def test_an_old_attempt_is_shown_in_its_own_version_and_order(client):
    version = make_version(items=8, draw=4)
    learner(client)
    page = take(client, 4)
    items = items_of(attempt_base(page))
    (drawn,) = db.session.scalars(select(Attempt.drawn)).all()
    make_version(items=8, draw=6)

    shown = client.page(f"{attempt_base(page)}/answers")

    places = [shown.text.index(f"Prompt {item.position} of v{version}?") for item in items]
    assert places == sorted(places)
    for item, kept in zip(items, drawn, strict=True):
        choices = [shown.text.index(f"Choice {key} & item {item.position}") for key in kept["order"]]
        assert choices == sorted(choices)
