"""What the page says would change is what then changes: for decisions of every kind, drawn at random."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import select

from portal.domain.decisions import preview, queries, services
from portal.domain.decisions.preview import list_choices
from portal.domain.decisions.requests import KINDS, ChangeRequest, list_faults
from portal.domain.directives.models import Directive
from portal.domain.people.queries import viewer_of
from portal.domain.status import queries as status_queries
from portal.domain.status.counts import Scope, Whose, count_units
from portal.domain.status.projector import rebuild_status
from portal.domain.status.queries import directive_statuses
from portal.platform import clock
from portal.platform.db import OPEN_END, db, newest_stamp, stamp, transaction
from tests.domain.status.facts import add, make_exclusion, make_record, make_revocation, make_version
from tests.pages.decisions.desk import TODAY

pytestmark = pytest.mark.slow


def previewed_statuses(desk, viewer, day: date) -> dict:
    """Status, due date and share by directive, as the pages read them."""
    found = {}
    for whole in directive_statuses(desk.people["D1001"], day):
        directive_id = db.session.scalar(select(Directive.id).where(Directive.reference == whole.directive))
        scope = Scope((directive_id,), day, clock.now(), Whose(everyone=True))
        counts = list(count_units(replace(scope, as_known_on=newest_request())))
        done = sum(people for _, status, people in counts if status.held)
        total = sum(people for _, status, people in counts if not status.excluded)
        found[whole.directive] = (whole.status, whole.due_on, preview.CompletionShare(done, total))
    return found


def requirements(desk, day: date) -> dict:
    """The status of each requirement, by directive and position."""
    found, person = {}, desk.people["D1001"]
    for directive_id, reference in db.session.execute(select(Directive.id, Directive.reference)):
        scope = Scope((directive_id,), day, newest_request(), Whose(everyone=True))
        for position, status in (
            status_queries.load_statuses(scope, [person]).get((directive_id, person), {}).items()
        ):
            found[reference, position] = status
    return found


def newest_request():
    return max(clock.now(), newest_stamp())


def random_changes(desk, random: Random) -> list[ChangeRequest]:
    """One wish of each kind that could be granted now."""
    person, found = desk.people["D1001"], []
    for kind in KINDS:
        offered = list_choices(kind, person, TODAY)
        if not offered:
            continue
        first = TODAY + timedelta(random.randint(-150, 60))
        last = random.choice([OPEN_END, first + timedelta(random.randint(0, 200))])
        wish = ChangeRequest(kind, person, "other", **random.choice(offered).ids)
        if kind in ("exemption", "deferral"):
            wish = replace(wish, from_on=first, to_on=last if kind == "exemption" else first + timedelta(40))
        elif kind == "lift":
            wish = replace(wish, to_on=random.choice([None, first, TODAY, TODAY - timedelta(1)]))
        elif kind != "restore":
            wish = replace(wish, from_on=min(first, TODAY))
        wish = services.complete_request(wish)
        if not list_faults(wish, TODAY):
            found.append(wish)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_the_preview_is_what_then_happens(desk, seed):
    random, person = Random(seed), desk.people["D1001"]
    second = add(Directive(reference="OIC-2"))
    rules = {"validity_months": 12, "due_fixed_on": date(2026, 7, 1), "expiring_days": 30}
    make_version(second, {1: desk.activities[1]}, effective_on=date(2026, 1, 1), **rules)
    for activity in desk.activities.values():
        record = make_record(person, activity, TODAY - timedelta(random.randint(0, 500)))
        if random.random() < 0.5:
            make_revocation(person, record, TODAY - timedelta(random.randint(0, 30)))
    make_exclusion(person, desk.directive, date(2026, 5, 1), date(2026, 8, 1))
    viewer = viewer_of(desk.people["D4001"])
    kinds = set()
    for _ in range(2):
        for wish in random_changes(desk, random):
            if list_faults(wish, TODAY):  # what was granted before may have taken its ground away
                continue
            told = preview.preview_effects(wish, viewer, now=newest_request(), today=TODAY)
            days = {TODAY, *(one.day for one in told)}
            before = {day: previewed_statuses(desk, viewer, day) for day in days}
            parts = {day: requirements(desk, day) for day in days}
            with transaction():
                uuid = services.submit_request(wish, {}, by=desk.people["D2001"], at=stamp())
            with transaction():
                services.grant_request(
                    viewer, uuid, queries.get_request(viewer, uuid).change_request, "", at=stamp()
                )
            kinds.add(wish.kind)
            after = {day: previewed_statuses(desk, viewer, day) for day in days}
            happened = {
                (day, reference, *before[day][reference], *after[day][reference])
                for day in days
                for reference in before[day]
                if before[day][reference][:2] != after[day][reference][:2]
            }
            assert happened == {
                (
                    e.day,
                    e.reference,
                    e.before,
                    e.due_before,
                    e.share_before,
                    e.after,
                    e.due_after,
                    e.share_after,
                )
                for e in told
                if (e.before, e.due_before) != (e.after, e.due_after)
            }
            now = {day: requirements(desk, day) for day in days}
            differ = {
                (day, *place, parts[day][place], status)
                for day in days
                for place, status in now[day].items()
                if parts[day][place] is not status
            }
            said = {(e.day, e.reference, p.position, p.before, p.after) for e in told for p in e.parts}
            assert differ == said
    assert len(kinds) >= 4
    with transaction():
        assert rebuild_status(False) == []
