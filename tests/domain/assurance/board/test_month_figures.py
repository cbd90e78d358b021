"""The figures of many days read together are those of a check at each day."""

from datetime import date, datetime, timedelta

import time_machine
from sqlalchemy import select

from portal.domain.assurance.board.desk_facts import read_desk_facts
from portal.domain.assurance.board.month_figures import read_shares, share_of
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive
from portal.domain.reports.parameters import Position
from portal.domain.reports.trend.trend import month_ends
from portal.platform.db import db
from tests.domain.assurance.board.boarding import FIGURE, MAY, TODAY, BoardWorld, make_board_world
from tests.domain.status.facts import make_version
from tests.factories.assurance import make_evidence


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
    days = month_ends(position.as_at)
    pieces = {day: facts.list_evidence(day, known) for day in days}
    shares = read_shares(pieces, position)
    counted = 0
    for day in days:
        states = check_evidence(pieces[day], Position(day, known, position.today, position.latest))
        for reference, state in states.items():
            assert shares[day, reference] == share_of(state), (day, reference)
            counted += shares[day, reference].total
    return counted


def test_each_day_of_many_is_what_a_check_of_that_day_says(database: None) -> None:
    world = make_board_world()
    with time_machine.travel(MAY + timedelta(hours=2), tick=False):
        add_figures(world)
        change_directive(world)

    assert check_days(TODAY) > 0
    assert check_days(MAY + timedelta(hours=1)) > 0
    assert check_days(MAY + timedelta(hours=3)) > 0
