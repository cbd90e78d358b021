"""Evidence checked at many positions together says what a check at each of them says."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import time_machine
from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive
from portal.domain.reports.charts import month_ends
from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import read_desk_facts
from portal.features.assurance.evidence import check_evidence, check_evidence_at
from portal.platform.db import db
from tests.domain.status.facts import make_version
from tests.features.assurance.board.boarding import FIGURE, MAY, TODAY, BoardWorld, make_board_world
from tests.features.assurance.factories import make_evidence


def add_figures(world: BoardWorld) -> None:
    """Figures of a requirement, of a rank, of a unit, and of a directive that there is not."""
    key = db.session.scalars(select(Activity.key).where(Activity.id == world.activities[2])).one()
    definitions = (
        {"requirement": key},
        {"rank": "Constable"},
        {"unit": "Westshire Police"},
        {"requirement": "other"},
        {"directive": "GONE-1"},
    )
    for more in definitions:
        make_evidence(
            world.recommendations["plan"], "figure", {**FIGURE, **more}, by=world.owner, on=date(2026, 1, 1)
        )


def change_directive(world: BoardWorld) -> None:
    """From 1 May the second requirement alone is asked for, in the first place."""
    directive = db.session.scalars(select(Directive.id)).one()
    audience = {"audience": [{"designated_role": ["response"]}], "except": []}
    asked = {1: world.activities[2]}
    make_version(directive, asked, number=2, effective_on=date(2026, 5, 1), audience=audience)


def check_days(known: datetime) -> int:
    """Compare each month end as known on an instant; how many people were counted on all of them together."""
    position = Position(TODAY.date(), known, TODAY.date(), latest=known >= TODAY)
    facts = read_desk_facts(known)
    pieces = {
        at: [piece for recommendation in facts.desk_at(at) for piece in recommendation.evidence]
        for at in (replace(position, as_at=day) for day in month_ends(position.as_at))
    }
    together = check_evidence_at(pieces)
    for at, group in pieces.items():
        assert together[at] == check_evidence(group, at)
        assert list(together[at]) == [piece.reference for piece in group]
    return sum(state.total or 0 for states in together.values() for state in states.values())


def test_each_day_of_many_is_what_a_check_of_that_day_says(database: None) -> None:
    world = make_board_world()
    with time_machine.travel(MAY + timedelta(hours=2), tick=False):
        add_figures(world)
        change_directive(world)

    assert check_days(TODAY) > 0
    assert check_days(MAY + timedelta(hours=1)) > 0
    assert check_days(MAY + timedelta(hours=3)) > 0
