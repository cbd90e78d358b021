"""The demo's evidence and judgements, on their days and where the force's history begins later."""

from datetime import date, datetime, time, timedelta

import pytest
import time_machine

from portal.domain.reports.parameters import read_position_today
from portal.features.assurance.demo.evidence import EVIDENCE, JUDGEMENTS, schedule_evidence
from portal.features.assurance.desk import read_desk
from portal.platform.clock import LONDON
from portal.platform.db import transaction
from tests.factories.demo import StoryForce
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation

BEFORE_ALL, AFTER_ALL = date(2025, 10, 1), date(2027, 6, 1)


@pytest.mark.slow
@pytest.mark.parametrize("first_day", [BEFORE_ALL, AFTER_ALL])
def test_the_story_is_entered_whole_wherever_the_history_begins(database: None, first_day: date) -> None:
    today = first_day + timedelta(days=420)
    with time_machine.travel(noon(first_day), tick=False):
        people = {number: make_person(staff_number=number) for number in ("D4001", "D6001")}
        for key in ("e-learning", "hydra", "plan", "intelligence-documents"):
            make_recommendation(key)
    force = StoryForce(today, first_day, people)
    schedule_evidence(force)

    for day in sorted(force.days):
        with time_machine.travel(noon(day), tick=False), transaction():
            for act in force.days[day]:
                act()

    with time_machine.travel(noon(today), tick=False):
        desk = {each.key: each for each in read_desk(read_position_today(noon(today)))}
    assert sum(len(each.evidence) for each in desk.values()) == len(EVIDENCE)
    assert desk["e-learning"].state == "partly_met"
    assert desk["plan"].state == "partly_met"
    waiting = desk["intelligence-documents"].waiting_judgement
    assert waiting is not None
    assert waiting.judgement.reason == JUDGEMENTS[-1].reason
    assert desk["hydra"].evidence[0].version.definition["threshold"] == "0.9"


def noon(day: date) -> datetime:
    """Noon in London."""
    return datetime.combine(day, time(12), LONDON)
