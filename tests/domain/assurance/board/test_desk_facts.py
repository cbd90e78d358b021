"""The desk's facts read once give at each position what a query of that position gives."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.assurance.board.desk_facts import DeskFacts, choose_held, read_desk_facts
from portal.domain.assurance.desk import read_desk
from portal.domain.assurance.holding import list_held
from portal.domain.assurance.models import EvidenceVersion, RiskAssessment
from portal.domain.reports.parameters import Position
from portal.platform.db import db, stamp, transaction
from tests.factories.assurance import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)
from tests.factories.people import make_person

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def position_of(day: date, known: datetime) -> Position:
    return Position(day, known, date(2026, 7, 1), latest=False)


def write_risks(seed: int, count: int) -> None:
    """Assessments of two recommendations, some entered late, corrected or withdrawn."""
    random, replaceable = Random(seed), list[int]()
    with time_machine.travel(FIRST, tick=False):
        by = make_person()
        recommendations = [make_recommendation("plan"), make_recommendation("hydra")]
    for place in range(count):
        at = FIRST + place * DAY
        with time_machine.travel(at, tick=False), transaction():
            row = RiskAssessment(
                recorded_at=stamp(),
                recommendation_id=random.choice(recommendations),
                from_on=at.date() - random.choice([0, 0, 1, 5]) * DAY,
                likelihood=random.randint(1, 5),
                impact=random.randint(1, 5),
                text="Staff leave.",
                recorded_by_id=by,
            )
            if replaceable and random.random() < 0.3:
                row.replaces_id = replaceable.pop(random.randrange(len(replaceable)))
                row.void = random.random() < 0.5
            db.session.add(row)
            db.session.flush()
            if not row.void:
                replaceable.append(row.id)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.integers(-3, 32), known=st.integers(-3, 32))
def compare_at(facts: DeskFacts, day: int, known: int) -> None:
    position = position_of((FIRST + day * DAY).date(), FIRST + known * DAY + timedelta(hours=1))
    chosen = choose_held(facts.rows[RiskAssessment], position.as_at, position.as_known_on)
    assert [row.id for row in chosen] == [row.id for row in list_held(RiskAssessment, position)]


def test_facts_that_are_late_corrected_or_withdrawn_hold_as_a_query_says(database: None) -> None:
    write_risks(seed=7, count=30)
    facts = read_desk_facts(FIRST + 40 * DAY)

    compare_at(facts)
    ids = {row.id for row in facts.rows[RiskAssessment]}
    held = {row.id for row in choose_held(facts.rows[RiskAssessment], date(2026, 5, 1), FIRST + 40 * DAY)}
    assert 0 < len(held) < len(ids)


def test_state_and_headline_are_those_of_the_desk_at_each_position(database: None) -> None:
    with time_machine.travel(FIRST, tick=False):
        one, other = make_person(), make_person()
        plan, hydra = make_recommendation("plan"), make_recommendation("hydra")
        give_owner(plan, one, by=other)
        make_action(plan, by=one)
        make_evidence(plan, "statement", {"text": "It is so.", "post": "Head of Crime"}, by=one)
        make_evidence(plan, "figure", {"directive": "OIC-1"}, by=one, title="Completed")
    with time_machine.travel(FIRST + 3 * DAY, tick=False):
        make_judgement(plan, "not_met", by=one, confirmed_by=other)
        make_evidence(hydra, "attendance", {"event": "hydra"}, by=one, title="Attended")
    with time_machine.travel(FIRST + 6 * DAY, tick=False):
        make_judgement(plan, "met", by=one, confirmed_by=other, on=(FIRST + 2 * DAY).date())
        make_judgement(hydra, "met", by=one)
    facts = read_desk_facts(FIRST + 9 * DAY)

    for day in range(-1, 9):
        for known in range(-1, 9):
            position = position_of((FIRST + day * DAY).date(), FIRST + known * DAY + timedelta(hours=1))
            desk = {held.id: held for held in read_desk(position)}
            for key in (plan, hydra):
                assert facts.is_known(key, position.as_known_on) == (key in desk)
                judged = facts.judgement_at(key, position.as_at, position.as_known_on)
                headline = facts.headlines_at(position.as_at, position.as_known_on).get(key)
                held = desk.get(key)
                assert (judged.judgement.id if judged else None) == (
                    held.judgement.judgement.id if held and held.judgement else None
                )
                counted = [
                    piece.reference
                    for piece in (held.evidence if held else ())
                    if piece.version.kind != "statement"
                ]
                assert ([headline.reference] if headline else []) == counted[:1]


def test_evidence_that_is_withdrawn_is_no_headline(database: None) -> None:
    with time_machine.travel(FIRST, tick=False):
        by = make_person()
        plan = make_recommendation("plan")
        first = make_evidence(plan, "figure", {"directive": "OIC-1"}, by=by, title="Completed")
        make_evidence(plan, "figure", {"directive": "OIC-2"}, by=by, title="Attended")
    with time_machine.travel(FIRST + DAY, tick=False), transaction():
        at = stamp()
        values: dict[str, Any] = {
            "title": "Completed",
            "kind": "figure",
            "definition": {},
            "reason": "It was a test.",
        }
        values |= {
            "reason": "A test.",
            "recorded_at": at,
            "from_on": at.date(),
            "recorded_by_id": by,
            "withdrawn": True,
        }
        db.session.add(EvidenceVersion(evidence_id=first, **values))
    facts = read_desk_facts(FIRST + 2 * DAY)

    before = facts.headlines_at(FIRST.date(), FIRST + 2 * DAY).get(plan)
    after = facts.headlines_at(FIRST.date() + DAY, FIRST + 2 * DAY).get(plan)
    assert before is not None
    assert after is not None
    assert (before.version.title, after.version.title) == ("Completed", "Attended")
