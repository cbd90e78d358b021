"""The plan is written by one person and published by a second, and is what pages show from that day on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.catalogue.publishing import current_guide
from portal.domain.catalogue.services import publish_guide_files, set_force_values
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.reports.parameters import Position
from portal.features.force_plan.services import (
    GUIDE_KEY,
    begin_plan,
    count_plans_for,
    get_plan_proposal,
    list_missing,
    list_plan_faults,
    list_plan_versions,
    open_plan_proposal,
    publish_plan,
    read_plan,
    save_section,
    send_plan,
    send_plan_back,
    withdraw_plan,
)
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, read_stamps, transaction
from portal.platform.errors import BadInputError, ConflictError, RuleError
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation
from tests.features.force_plan.factories import propose_plan, publish_next_plan, write_plan

MARCH, MAY = datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 5, 12, 9, tzinfo=UTC)


@pytest.fixture
def travel(database: None) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MARCH, tick=False) as traveller:
        make_recommendation("plan")
        yield traveller


def position(day: date, known: datetime | None = None) -> Position:
    newest, _ = read_stamps()  # the clock stands still, stamps rise
    return Position(day, known or newest or clock.now(), clock.today(), latest=known is None)


def act(service, *args, **kwargs):
    with transaction():
        return service(*args, **kwargs, at=clock.now())


def test_what_one_writes_a_second_publishes_as_version_guide_and_settings(travel) -> None:
    one, other = make_person(), make_person()
    act(lambda at: set_force_values({"sharing_plan": "an old one", "nccu_contact": "ring W"}, by=one))

    assert publish_next_plan(one, other, regional_contact="", in_one_line="ask who waits") == 1

    values = shared_content().values
    assert values["sharing_plan"] == "ask who waits (the whole plan, of 3 March 2026, is under Guides)"
    assert values["nccu_contact"] == "ring W"
    assert "regional_contact" not in values
    guide = current_guide(GUIDE_KEY)
    assert guide is not None
    assert (guide.acknowledge, guide.review_on) == (True, date(2027, 3, 3))
    held = read_plan(position(clock.today()))
    assert held is not None
    assert (held.version.number, held.guide.id, held.faults) == (1, guide.id, ())
    assert open_plan_proposal() is None
    actions = db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("plan.")))
    assert set(actions) == {"plan.begun", "plan.section_saved", "plan.proposed", "plan.published"}


def test_its_author_does_not_publish_it_and_nobody_what_is_being_written(travel) -> None:
    one, other = make_person(), make_person()
    proposal = write_plan(one)

    with pytest.raises(RuleError, match="still writing"):
        act(publish_plan, proposal, by=other)
    assert count_plans_for(other) == 0
    act(send_plan, proposal, note="New", review_on=date(2027, 1, 31), by=one)
    with pytest.raises(RuleError, match="You proposed this yourself"):
        act(publish_plan, proposal, by=one)
    with pytest.raises(RuleError, match="waits for a second person"):
        act(save_section, proposal, "collect", {}, by=one)
    assert (count_plans_for(other), count_plans_for(one)) == (1, 0)
    assert act(publish_plan, proposal, by=other) == 1
    with pytest.raises(ConflictError, match="published already"):
        act(publish_plan, proposal, by=other)


def test_what_was_held_then_and_what_was_known_then_are_read_again(travel) -> None:
    one, other = make_person(), make_person()
    publish_next_plan(one, other, in_one_line="the first")
    first = current_guide(GUIDE_KEY)
    travel.move_to(MAY)
    publish_next_plan(one, other, in_one_line="the second")

    then = read_plan(position(date(2026, 4, 30)))
    now = read_plan(position(date(2026, 5, 12)))
    known_then = read_plan(position(date(2026, 5, 12), MAY - timedelta(hours=1)))

    assert all((then, now, known_then, first))
    assert (then.version.number, then.guide.id, then.faults) == (1, first.id, ())
    assert then.details[0].shown.startswith("the first (")
    assert (now.version.number, now.details[0].shown.startswith("the second (")) == (2, True)
    assert known_then.version.number == 1
    assert read_plan(position(date(2026, 3, 2))) is None
    assert [each.number for each in list_plan_versions(position(date(2026, 5, 12)))] == [2, 1]


def test_a_plan_is_stale_past_its_review_and_where_pages_show_something_else(travel) -> None:
    one, other = make_person(), make_person()
    publish_next_plan(one, other, review_on=date(2026, 4, 30))
    assert list_plan_faults(position(date(2026, 4, 30))) == ()  # its last good day; nothing else changed
    travel.move_to(MAY)
    assert list_plan_faults(position(date(2026, 5, 1))) == ("Its review was due on 30 April 2026.",)

    act(lambda at: set_force_values(shared_content().values | {"sharing_plan": "other"}, by=one))
    guide = b'+++\ntitle = "A"\nsummary = "B"\nowner = "C"\nreview_on = 2027-01-31\n+++\n\nOther words.\n'
    act(publish_guide_files, GUIDE_KEY, {f"{GUIDE_KEY}.md": guide}, by=one)

    faults = list_plan_faults(position(date(2026, 5, 12)))
    assert len(faults) == 3
    assert "version 2" in faults[1]
    assert "show something else" in faults[2]
    assert len(list_plan_faults(position(date(2026, 5, 1)))) == 1


def test_what_is_sent_answers_all_that_is_asked(travel) -> None:
    one = make_person()
    with transaction():
        proposal = begin_plan(by=one, at=clock.now())
    act(save_section, proposal, "review", {"owner": "Head  of\nintelligence", "measured_by": ""}, by=one)

    assert get_plan_proposal(proposal).answers == {"owner": "Head of intelligence"}
    with pytest.raises(BadInputError) as refused:
        act(send_plan, proposal, note=" ", review_on=date(2026, 3, 3), by=one)
    assert refused.value.reasons[0] == "Answer “At first contact”."
    assert refused.value.reasons[-2:] == [
        "Say what is new, for the person who publishes it.",
        "Enter a review date after today and within three years.",
    ]
    assert "measured_by" not in {each.key for each in list_missing({})}
    with pytest.raises(BadInputError, match="has 121 characters"):
        act(save_section, proposal, "review", {"owner": "w" * 121}, by=one)


def test_the_next_version_begins_with_what_was_ended_or_published(travel) -> None:
    one, other = make_person(), make_person()
    act(lambda at: set_force_values({"sharing_plan": "plan W-40"}, by=one))
    with transaction():
        proposal = begin_plan(by=one, at=clock.now())
    assert get_plan_proposal(proposal).answers == {"in_one_line": "plan W-40"}
    with pytest.raises(ConflictError):
        act(begin_plan, by=other)
    with pytest.raises(RuleError, match="Somebody else"):
        act(save_section, proposal, "review", {"owner": "Me"}, by=other)
    act(save_section, proposal, "review", {"owner": "Head of intelligence"}, by=one)

    act(send_plan_back, proposal, reason="Nobody finishes it.", by=other)
    proposal = act(begin_plan, by=other)
    assert get_plan_proposal(proposal).answers["owner"] == "Head of intelligence"
    with pytest.raises(RuleError):
        act(withdraw_plan, proposal, by=one)
    act(withdraw_plan, proposal, by=other)

    publish_next_plan(one, other)
    proposal = act(begin_plan, by=one)
    with pytest.raises(RuleError, match="says exactly the same"):
        act(send_plan, proposal, note="Nothing", review_on=date(2027, 3, 3), by=one)


def test_a_version_that_was_overtaken_is_not_published(travel) -> None:
    one, other = make_person(), make_person()
    proposal = propose_plan(one)
    with pytest.raises(BadInputError, match="Say why"):
        act(send_plan_back, proposal, reason="", by=other)
    act(send_plan_back, proposal, reason="Too long", by=other)

    with pytest.raises(ConflictError, match="sent back already"):
        act(publish_plan, proposal, by=other)
    assert get_plan_proposal(proposal).reason == "Too long"
