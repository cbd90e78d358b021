"""The desk at a position: what held on a day, as it was known at an instant."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import RecommendationSnapshot, read_desk, read_recommendation
from portal.platform.errors import NotFoundError
from tests.factories.people import make_person
from tests.features.assurance.factories import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)

APRIL, MAY = date(2026, 4, 30), date(2026, 5, 12)
ENTERED = datetime(2026, 5, 12, 9, tzinfo=UTC)


def read(day: date, known: datetime) -> RecommendationSnapshot:
    return read_recommendation("e-learning", Position(day, known, date(2026, 6, 1), latest=False))


def test_what_was_entered_late_holds_on_its_day_but_was_not_known_then(database: None) -> None:
    with time_machine.travel(datetime(2026, 1, 5, 9, tzinfo=UTC), tick=False):
        one, other = make_person(), make_person()
        recommendation = make_recommendation()
        give_owner(recommendation, one, by=other)
    with time_machine.travel(ENTERED, tick=False):
        give_owner(recommendation, other, by=one, on=APRIL)
        make_action(recommendation, by=one, on=APRIL)
        make_evidence(recommendation, "link", {"address": "https://police.example/plan"}, by=one)
    with time_machine.travel(ENTERED, tick=False):
        make_judgement(recommendation, "met", by=one, confirmed_by=other, on=APRIL)

    then = read(APRIL, datetime(2026, 4, 30, 22, tzinfo=UTC))
    now = read(APRIL, ENTERED + timedelta(days=1))

    assert (then.owner_id, then.actions, then.state) == (one, (), "not_judged")
    assert (now.owner_id, now.state) == (other, "met")
    assert [action.reference for action in now.actions] == ["A-0001"]
    assert [piece.reference for piece in now.evidence] == []  # it holds from the day it was added on
    assert [piece.reference for piece in read(MAY, ENTERED + timedelta(days=1)).evidence] == ["E-0001"]


def test_a_judgement_counts_once_a_second_person_confirms_it(database: None) -> None:
    with time_machine.travel(ENTERED, tick=False):
        one, other = make_person(), make_person()
        recommendation = make_recommendation()
        make_judgement(recommendation, "partly_met", by=one, confirmed_by=other)
    with time_machine.travel(ENTERED + timedelta(days=1), tick=False):
        make_judgement(recommendation, "met", by=one)

    held = read(MAY + timedelta(days=1), ENTERED + timedelta(days=2))

    assert held.state == "partly_met"
    assert held.waiting_judgement is not None
    assert held.waiting_judgement.judgement.state == "met"


def test_a_recommendation_that_was_not_known_then_is_not_found(database: None) -> None:
    with time_machine.travel(ENTERED, tick=False):
        make_recommendation()

    assert read_desk(Position(APRIL, datetime(2026, 4, 30, tzinfo=UTC), MAY, latest=False)) == []
    with pytest.raises(NotFoundError):
        read(APRIL, datetime(2026, 4, 30, tzinfo=UTC))
    assert read(APRIL, ENTERED + timedelta(days=1)).version.title.startswith("Relevant personnel")
