"""The desk's facts are read once, and give the desk at each position."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import DeskFacts, choose_held_facts, list_held_facts, read_desk_facts
from portal.features.assurance.models import EvidenceVersion, RiskAssessment
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_person
from tests.features.assurance.factories import make_evidence, make_judgement, make_recommendation

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
    chosen = choose_held_facts(facts.rows[RiskAssessment], position)
    assert [row.id for row in chosen] == [row.id for row in list_held_facts(RiskAssessment, position)]


def test_facts_that_are_late_corrected_or_withdrawn_hold_as_a_query_says(database: None) -> None:
    write_risks(seed=7, count=30)
    facts = read_desk_facts(FIRST + 40 * DAY)

    compare_at(facts)
    ids = {row.id for row in facts.rows[RiskAssessment]}
    late = position_of(date(2026, 5, 1), FIRST + 40 * DAY)
    held = {row.id for row in choose_held_facts(facts.rows[RiskAssessment], late)}
    assert 0 < len(held) < len(ids)


def test_the_facts_of_a_later_instant_give_the_desk_of_an_earlier_one(database: None) -> None:
    with time_machine.travel(FIRST, tick=False):
        one, other = make_person(), make_person()
        plan = make_recommendation("plan")
        make_evidence(plan, "statement", {"text": "It is so.", "post": "Head of Crime"}, by=one)
        make_evidence(plan, "figure", {"directive": "OIC-1"}, by=one, title="Completed")
    with time_machine.travel(FIRST + 3 * DAY, tick=False):
        make_judgement(plan, "not_met", by=one, confirmed_by=other)
        make_recommendation("hydra")
    with time_machine.travel(FIRST + 6 * DAY, tick=False):
        make_judgement(plan, "met", by=one, confirmed_by=other, on=(FIRST + 2 * DAY).date())
        make_judgement(plan, "partly_met", by=one)
    facts = read_desk_facts(FIRST + 9 * DAY)

    def desk(day: int, known: int) -> dict[str, str]:
        at = position_of((FIRST + day * DAY).date(), FIRST + known * DAY + timedelta(hours=1))
        return {held.key: held.state for held in facts.desk_at(at)}

    assert desk(-1, -1) == {}
    assert desk(0, 0) == desk(2, 2) == {"plan": "not_judged"}
    assert desk(3, 3) == {"plan": "not_met", "hydra": "not_judged"}
    assert desk(2, 5)["plan"] == "not_judged"
    assert desk(2, 6)["plan"] == "met"  # entered late
    assert desk(3, 6)["plan"] == desk(6, 6)["plan"] == "not_met"  # from the later day, and confirmed
    (held, _) = facts.desk_at(position_of((FIRST + 6 * DAY).date(), FIRST + 7 * DAY))
    assert held.waiting_judgement is not None
    assert held.headline is not None
    assert held.headline.reference == "E-0002"  # a statement counts nobody


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

    def headline(day: date) -> str:
        (held,) = facts.desk_at(position_of(day, FIRST + 2 * DAY))
        return held.headline.version.title if held.headline else ""

    assert (headline(FIRST.date()), headline(FIRST.date() + DAY)) == ("Completed", "Attended")
