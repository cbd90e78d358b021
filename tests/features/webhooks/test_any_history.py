"""On random histories events are what a plain walk over every midnight and stamp finds, each once.

It does not matter when, and how often, somebody looks.
"""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.models import Post
from portal.domain.status.models import StatusPeriod
from portal.domain.status.rules import Status
from portal.features.webhooks.models import EventType
from portal.features.webhooks.sending import collect_events
from portal.platform import clock
from portal.platform.clock import to_microseconds
from portal.platform.db import db, newest_stamp
from tests.databases import undone
from tests.domain.status.histories import ACTS, VALIDITY, WAITS, History, Recorded
from tests.domain.status.test_histories import QUIET
from tests.features.webhooks.receiving import make_webhook, outbox, the_webhook

LOOKS = st.lists(st.booleans(), min_size=15, max_size=15)  # after which acts somebody looks
NIGHTS = st.lists(st.integers(0, 40), min_size=15, max_size=15)  # hours after an act, before the look


@pytest.mark.slow
@QUIET
@given(acts=ACTS, validity=VALIDITY, waits=WAITS, looks=LOOKS, nights=NIGHTS)
def test_events_do_not_depend_on_when_somebody_looks(
    database, monkeypatch, acts, validity, waits, looks, nights
):
    with undone():
        recorded = Recorded(monkeypatch)
        history = History(validity)
        often, _ = make_webhook(name="often")
        start = (clock.today(), newest_stamp())
        for number, act in enumerate(acts):
            recorded.wait(waits[number])
            history.act(*act)
            if looks[number]:
                recorded.wait(nights[number])
                collect_for(often)
        once, _ = make_webhook(name="once")
        go_back(once, start)
        collect_events()

        seen = events_of(often)
        assert seen == events_of(once)
        assert max(Counter(map(str, seen)).values(), default=1) == 1
        walked = walk(history, start, (clock.today(), newest_stamp()))
        assert sorted(transitions_of(seen)) == sorted(walked)
        assert sorted(presence_of(seen)) == sorted(
            walk_posts(history, start, (clock.today(), newest_stamp()))
        )


def collect_for(reference):
    collect_events()
    assert collect_events() == 0  # at once again: nothing


def go_back(reference, start):
    """Have a webhook hear of everything since an earlier position."""
    webhook = the_webhook(reference)
    webhook.collected_on, webhook.collected_at = start
    db.session.commit()


def events_of(reference):
    rows = outbox(reference)
    return sorted(((row.type, row.happened_at, row.person_id, str(row.data)) for row in rows), key=str)


def transitions_of(events):
    return [
        (
            person,
            happened_at,
            data["directive"],
            data["requirement"] or "",
            data["old_status"] or "",
            data["new_status"] or "",
        )
        for kind, happened_at, person, text in events
        if kind == EventType.STATUS_CHANGED and (data := eval(text))
    ]


def presence_of(events):
    joined, left = EventType.PERSON_JOINED, EventType.PERSON_LEFT
    return [(person, happened_at, kind) for kind, happened_at, person, _ in events if kind in {joined, left}]


def points_between(history, start, end):
    """Every midnight and every stamp from one position to another, in order: day, stamp known, instant."""
    (day, known), (last_day, last_known) = start, end
    stamps = sorted({stamp for stamp in history.stamps if known < stamp <= last_known})
    points = []
    while day < last_day or stamps:
        if stamps and clock.london_day(stamps[0]) <= day:
            known = stamps.pop(0)
            points.append((day, known, known))
        else:
            day += timedelta(days=1)
            midnight = clock.end_of_day(day - timedelta(days=1)) + timedelta(microseconds=1)
            points.append((day, known, midnight))
    return points


def walk(history, start, end):
    directives = {history.directive, history.other}
    references = {one: db.session.get_one(Directive, one).reference for one in directives}
    keys = requirement_keys(directives)
    rows = db.session.scalars(select(StatusPeriod).where(StatusPeriod.directive_id.in_(directives))).all()

    def shown(day, known):
        d, k = day.toordinal(), to_microseconds(known)
        return {
            (row.person_id, row.directive_id, row.position): Status(row.status).key
            for row in rows
            if row.from_on <= d <= row.to_on and row.known_from <= k < row.known_to
        }

    old, changes = shown(*start), []
    for day, known, instant in points_between(history, start, end):
        new = shown(day, known)
        for cell in old.keys() | new.keys():
            if old.get(cell) != new.get(cell):
                person, directive, position = cell
                named = (references[directive], keys[directive, position])
                changes.append((person, instant, *named, old.get(cell) or "", new.get(cell) or ""))
        old = new
    return changes


def walk_posts(history, start, end):
    posts = db.session.scalars(select(Post).where(Post.person_id.in_(history.people))).all()

    def present(day, known):
        recorded = [post for post in posts if post.recorded_at <= known]
        replaced = {post.replaces_id for post in recorded}
        return {
            post.person_id
            for post in recorded
            if post.id not in replaced and not post.void and post.valid_from <= day <= post.valid_to
        }

    old, changes = present(*start), []
    for day, known, instant in points_between(history, start, end):
        new = present(day, known)
        changes += [(person, instant, EventType.PERSON_JOINED) for person in new - old]
        changes += [(person, instant, EventType.PERSON_LEFT) for person in old - new]
        old = new
    return changes


def requirement_keys(directives):
    """The key of each requirement by directive and position; position 0 is the whole directive."""
    rows = db.session.execute(
        select(DirectiveVersion.directive_id, Requirement.position, Activity.key)
        .join(Requirement, Requirement.directive_version_id == DirectiveVersion.id)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(DirectiveVersion.directive_id.in_(directives))
    )
    return {(one, place): key for one, place, key in rows} | {(one, 0): "" for one in directives}


def test_the_walk_tells_a_difference(database):
    with undone():
        history = History({})
        start = (date(2024, 1, 1), history.stamps[0])
        assert walk(history, start, (date(2026, 5, 1), history.stamps[-1])) != []
