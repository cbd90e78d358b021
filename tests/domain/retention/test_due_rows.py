"""A statement finds the rows that the rule names: London days, leavers, people who come back."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from portal.domain.accounts.models import Credential, LastSignIn
from portal.domain.people.models import Post, RoleGrant
from portal.domain.retention.classes import is_due
from portal.domain.retention.queries import list_due_keys, preview_class, stores_of
from portal.domain.retention.stores import list_tables_of_messages
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.clock import LONDON
from portal.platform.db import OPEN_END, db, stamp, transaction
from tests.databases import undone
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.people import make_person, make_unit

TODAY = date(2026, 6, 1)
PEOPLE = 4
# Around the days on which the class "access" (24 months) and leavers (12 months) end their periods.
NEAR = st.integers(-3, 3)


class Instant(NamedTuple):
    """A London day near the limit, and a time of day at which the day is easily taken for another."""

    days: int
    hour: int
    minute: int

    def after(self, day: date) -> datetime:
        local = datetime.combine(day + timedelta(days=self.days), datetime.min.time(), LONDON)
        return local.replace(hour=self.hour, minute=self.minute)


INSTANTS = st.builds(Instant, NEAR, st.sampled_from([0, 1, 12, 23]), st.sampled_from([0, 30, 59]))


@settings(max_examples=few_or_many(15, 100), suppress_health_check=IN_ONE_TRANSACTION)
@given(
    st.lists(INSTANTS, min_size=1, max_size=12),
    st.sampled_from([date(2026, 6, 1), date(2026, 3, 30), date(2026, 10, 26), date(2026, 3, 1)]),
)
def test_an_entry_is_due_by_the_london_day_of_its_instant(database, instants, today):
    limit = today.replace(year=today.year - 2)
    moments = [instant.after(limit) for instant in instants]
    rows = [{"happened_at": moment, "action": "account.signed_in", "detail": {}} for moment in moments]
    with undone():
        db.session.execute(insert(AuditEvent), rows)
        preview = preview_class("access", 24, today)

    days = [clock.london_day(moment) for moment in moments]
    due = [day for day in days if is_due(day, 24, today)]
    assert (preview.rows, preview.oldest_on) == (len(due), min(due, default=None))


class Career(NamedTuple):
    """Posts as pairs of first and last day, from the limit; one open; a grant's and a sign-in's day."""

    posts: list[tuple[int, int]]
    open_post: bool
    grant_to: int | None
    signed_in: int | None

    def used_to(self, limit: date) -> date:
        """The last day on which the person had a post, could use a role or signed in."""
        ends = [last for _, last in self.posts] + [self.grant_to, self.signed_in]
        return OPEN_END if self.open_post else limit + timedelta(days=max(e for e in ends if e is not None))


STRETCHES = st.tuples(st.integers(-40, 3), st.integers(0, 6)).map(lambda pair: (pair[0], sum(pair)))
MAYBE = st.one_of(st.none(), NEAR)
CAREERS = st.builds(Career, st.lists(STRETCHES, min_size=1, max_size=3), st.booleans(), MAYBE, MAYBE)


@settings(max_examples=few_or_many(20, 150), suppress_health_check=IN_ONE_TRANSACTION)
@given(st.lists(CAREERS, min_size=PEOPLE, max_size=PEOPLE))
def test_an_account_is_due_when_nothing_of_it_could_be_used_for_the_period(database, careers):
    limit = TODAY - timedelta(days=366)  # 31 May 2025, whose year ended yesterday
    with undone():
        unit = make_unit("Response")
        people = [make_person() for _ in careers]
        with transaction():
            for person, career in zip(people, careers, strict=True):
                _write_career(person, unit, career, limit)

        (store,) = stores_of("leavers")
        preview = preview_class("leavers", 12, TODAY)
        keys = list_due_keys("leavers", store, preview.limit, 100)

    due = [
        person
        for person, career in zip(people, careers, strict=True)
        if is_due(career.used_to(limit), 12, TODAY)
    ]
    assert (sorted(keys), preview.rows) == (due, len(due))


def _write_career(person: int, unit: int, career: Career, limit: date) -> None:
    def day(number: int) -> date:
        return limit + timedelta(days=number)

    at, post = stamp(), {"person_id": person, "rank_or_grade": "x", "designated_role": "x", "unit_id": unit}
    stretches = [(day(first), day(last)) for first, last in career.posts]
    stretches += [(day(-30), OPEN_END)] if career.open_post else []
    for number, (first, last) in enumerate(stretches):
        row = Post(recorded_at=at, post_key=str(number), valid_from=first, valid_to=last, **post)
        db.session.add(row)
    if career.grant_to is not None:
        grant = {"role": "manager", "given_at": clock.noon(day(-50)), "valid_from": day(-50)}
        db.session.add(RoleGrant(person_id=person, valid_to=day(career.grant_to), **grant))
    if career.signed_in is not None:
        at_noon = clock.noon(day(career.signed_in))
        how = {"method": "password", "browser": "", "address": ""}
        db.session.add(LastSignIn(person_id=person, signed_in_at=at_noon, **how))
    db.session.add(Credential(person_id=person, password_hash="x"))


def test_whatever_refers_to_an_email_goes_before_it():
    referring = {
        key.parent.table.name
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "message"
    }

    assert referring == {table.__tablename__ for table in list_tables_of_messages()}
