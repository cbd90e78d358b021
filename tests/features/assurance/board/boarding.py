"""A desk over a force of six, for the tests of the board.

What is known: on 1 March four recommendations with their owner, actions of two and a figure of one; on
20 April a completion; on 10 May two judgements as at 30 April, and a completion of April entered late.
Today is 1 June 2026.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import time_machine

from portal.domain.directives.models import Directive
from portal.domain.reports.parameters import Position
from portal.features.assurance.models import ActionVersion
from portal.platform.db import db, stamp, transaction
from tests.domain.status.facts import add, make_activity, make_record, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.features.assurance.factories import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)

MARCH, APRIL = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 4, 20, 9, tzinfo=UTC)
MAY, TODAY = datetime(2026, 5, 10, 9, tzinfo=UTC), datetime(2026, 6, 1, 9, tzinfo=UTC)
TITLES = {
    "intelligence-documents": "Intelligence documents, every time",
    "plan": "A plan to collect, analyse and share information",
    "hydra": "Relevant personnel complete the Hydra package",
    "e-learning": "Relevant personnel complete the four e-learning modules",
}
FIGURE = {"directive": "OIC-2026", "requirement": "", "threshold": "0.95"}


@dataclass
class BoardWorld:
    """Ids of what a test may name."""

    owner: int
    auditor: int
    learners: list[int]
    activities: dict[int, int]
    recommendations: dict[str, int]

    def complete(self, learner: int, on: date) -> None:
        """Somebody completes everything."""
        for activity in self.activities.values():
            make_record(self.learners[learner], activity, on)


def make_board_world() -> BoardWorld:
    """The force and the desk of this module's description."""
    with time_machine.travel(MARCH, tick=False):
        world = _make_force()
        _make_desk(world)
    with time_machine.travel(APRIL, tick=False):
        world.complete(0, date(2026, 4, 18))
    with time_machine.travel(MAY, tick=False):
        world.complete(1, date(2026, 4, 29))
        for key, state in (("e-learning", "partly_met"), ("hydra", "met")):
            found = world.recommendations[key]
            make_judgement(found, state, by=world.owner, confirmed_by=world.auditor, on=date(2026, 4, 30))
    return world


def _make_force() -> BoardWorld:
    unit = make_unit("Westshire Police")
    owner = make_person(unit, staff_number="D4001", forenames="Ruth", surname="Hale", role="supervision")
    auditor = make_person(unit, staff_number="D6001", forenames="Ada", surname="Auditor", role="audit")
    make_grant(owner, "directive_owner")
    make_grant(auditor, "auditor")
    learners = [make_person(unit, surname=f"Learner{place}") for place in range(5)]
    activities = {1: make_activity(), 2: make_activity()}
    audience = {"audience": [{"designated_role": ["response"]}], "except": []}
    directive = add(Directive(reference="OIC-2026"))
    make_version(directive, activities, effective_on=date(2026, 1, 1), audience=audience)
    return BoardWorld(owner, auditor, learners, activities, {})


def _make_desk(world: BoardWorld) -> None:
    places = {key: place for place, key in enumerate(TITLES, 1)}
    ids = {key: make_recommendation(key, title=TITLES[key], place=place) for key, place in places.items()}
    world.recommendations.update(ids)
    for recommendation in ids.values():
        give_owner(recommendation, world.owner, by=world.auditor)
    make_evidence(ids["e-learning"], "figure", FIGURE, by=world.owner, title="Everyone complete")
    make_action(ids["e-learning"], by=world.owner, title="Brief every team", due_on=date(2026, 4, 15))
    make_action(ids["plan"], by=world.owner, title="Agree the plan", due_on=date(2026, 9, 1))


def change_action(action_id: int, *, by: int, on: date, **values: Any) -> None:
    """The next version of an action, recorded two days before today."""
    with time_machine.travel(TODAY - timedelta(days=2), tick=False), transaction():
        row = ActionVersion(action_id=action_id, from_on=on, recorded_by_id=by, recorded_at=stamp())
        for name, value in values.items():
            setattr(row, name, value)
        db.session.add(row)


def position_at(day: date) -> Position:
    """The position of a day as known on 1 June 2026, which is today."""
    return Position(day, TODAY, TODAY.date(), latest=True)
