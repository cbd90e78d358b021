"""Who would be invited, who not and why: one statement for the page, the job and the printed list."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from portal.domain.accounts.grants.authority import is_administered, is_in_administration
from portal.domain.accounts.models import Invitation, PasswordLink
from portal.domain.accounts.sign_in import ways
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import Viewer, units_under
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.reminders.models import Delivery, Message
from portal.domain.status.queries import is_reached_by
from portal.platform.clock import london_day
from portal.platform.db import db

NEVER, BEFORE = "never", "before"  # whether somebody was invited


class InvitationOutcome(StrEnum):
    """Whether a person would be invited now, or why not."""

    INVITE = "invite"
    OUTSIDE = "outside"  # the units that the viewer administers
    CLOSED = "closed"
    ACCOUNT = "account"  # they can sign in already
    PROVIDER = "provider"  # passwords are for administrators alone, and the person is none
    NO_EMAIL = "no-email"
    SHARED_EMAIL = "shared-email"
    INVITED = "invited"  # the mail waits, or its link works
    UNDELIVERED = "undelivered"  # the address refused or returned the last invitation, and is still the same


PRINTABLE = (
    InvitationOutcome.INVITE,
    InvitationOutcome.NO_EMAIL,
    InvitationOutcome.SHARED_EMAIL,
    InvitationOutcome.INVITED,
    InvitationOutcome.UNDELIVERED,
)
WITHOUT_MAIL = (InvitationOutcome.NO_EMAIL, InvitationOutcome.SHARED_EMAIL)


@dataclass(frozen=True, slots=True)
class InvitationFilter:
    """Which people are looked at; empty fields narrow nothing."""

    unit_id: int | None = None  # the unit and those below it
    role: str = ""  # the designated role of a post
    directive_id: int | None = None  # that applies to them today
    history: str = ""  # NEVER or BEFORE: whether they were invited

    @property
    def as_arguments(self) -> dict[str, Any]:
        """The fields as a job keeps them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Candidate(NamedTuple):
    """A person whom the filter names, and what the page says about them."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None
    outcome: str
    invited_at: datetime | None
    expires_at: datetime | None
    used_at: datetime | None
    is_printed: bool
    has_link: bool  # that works, whoever made it
    state: str | None  # a Delivery
    sent_at: datetime | None
    reason: str | None


class Candidates:
    """The people of a filter with a post today whose accounts the viewer may look at, with their outcomes."""

    def __init__(self, viewer: Viewer, chosen: InvitationFilter, at: datetime) -> None:
        self._day, self._at = london_day(at), at
        person, rules = PersonName.person_id, ways.current_rules(self._day)
        self._outcome = case(
            (~is_administered(person, viewer), InvitationOutcome.OUTSIDE),
            (ways.is_closed(person), InvitationOutcome.CLOSED),
            (ways.can_sign_in(person, rules), InvitationOutcome.ACCOUNT),
            (~ways.may_use_password(person, rules), InvitationOutcome.PROVIDER),
            (PersonName.email.is_(None), InvitationOutcome.NO_EMAIL),
            (shares_email(person), InvitationOutcome.SHARED_EMAIL),
            (self._is_under_way(), InvitationOutcome.INVITED),
            (self._came_back(), InvitationOutcome.UNDELIVERED),
            else_=InvitationOutcome.INVITE,
        )
        self._where = [is_in_administration(PersonName.person_id, viewer), *self._filter_conditions(chosen)]

    def count_by_outcome(self) -> tuple[dict[InvitationOutcome, int], int]:
        """The number of people of each outcome, and of those to invite who were invited before."""
        was_invited = Invitation.id.is_not(None)
        people = self._select(self._outcome.label("outcome"), was_invited.label("before")).subquery()
        columns = (people.c.outcome, people.c.before)
        statement = select(*columns, func.count()).group_by(*columns)
        counts, again = dict.fromkeys(InvitationOutcome, 0), 0
        for outcome, before, count in db.session.execute(statement):
            counts[InvitationOutcome(outcome)] += count
            again += count if before and outcome == InvitationOutcome.INVITE else 0
        return counts, again

    def list_rows(self, outcomes: Collection[InvitationOutcome], offset: int, limit: int) -> list[Candidate]:
        """A slice of the people of these outcomes, by name. One statement."""
        message_columns = (Message.state, Message.sent_at, Message.reason)
        invitation_columns = (Invitation.invited_at, Invitation.expires_at, Invitation.used_at)
        is_printed = and_(Invitation.id.is_not(None), Invitation.message_id.is_(None))
        link_columns = (*invitation_columns, is_printed, self._has_link())
        n = PersonName
        person_columns = (n.person_id, n.staff_number, n.surname, n.forenames, n.email)
        statement = self._select(*person_columns, self._outcome, *link_columns, *message_columns)
        statement = statement.where(self._outcome.in_(outcomes)).order_by(n.surname, n.staff_number)
        return [Candidate(*row) for row in db.session.execute(statement.offset(offset).limit(limit))]

    def next_slice(self, after: int, limit: int) -> list[int]:
        """The ids of the next people to invite, after the person with this id."""
        statement = self._select(PersonName.person_id).where(
            PersonName.person_id > after, self._outcome == InvitationOutcome.INVITE
        )
        return list(db.session.scalars(statement.order_by(PersonName.person_id).limit(limit)))

    def outcomes_of(self, people: Collection[int]) -> Mapping[int, InvitationOutcome]:
        """The outcome of each of these people, a few hundred at most, whom the filter names."""
        statement = self._select(PersonName.person_id, self._outcome)
        rows = db.session.execute(statement.where(PersonName.person_id.in_(people)))
        return {person_id: InvitationOutcome(outcome) for person_id, outcome in rows}

    def _select(self, *columns: Any) -> Select[Any]:
        """These columns of the people, each with their newest invitation and its message, if any."""
        later = aliased(Invitation)  # and no maximum of their ids: PostgreSQL would look for each through all
        is_later = (later.person_id == PersonName.person_id, later.id > Invitation.id)
        is_newest = and_(Invitation.person_id == PersonName.person_id, ~exists().where(*is_later))
        return (
            select(*columns)
            .select_from(PersonName)
            .outerjoin(Invitation, is_newest)
            .outerjoin(Message, Message.id == Invitation.message_id)
            .where(*self._where)
        )

    def _filter_conditions(self, chosen: InvitationFilter) -> list[ColumnElement[bool]]:
        post = [Post.person_id == PersonName.person_id, is_known_fact(Post), is_valid_on(Post, self._day)]
        if chosen.unit_id is not None:
            post.append(Post.unit_id.in_(units_under(chosen.unit_id, self._day)))
        if chosen.role:
            post.append(Post.designated_role == chosen.role)
        wanted: list[ColumnElement[bool]] = [exists().where(*post)]
        if chosen.directive_id is not None:
            wanted.append(is_reached_by(PersonName.person_id, chosen.directive_id, self._day))
        if chosen.history:
            wanted.append(Invitation.id.is_(None) if chosen.history == NEVER else Invitation.id.is_not(None))
        return wanted

    def _is_under_way(self) -> ColumnElement[bool]:
        """The newest invitation waits for the relay, or went out and the person has a link that works."""
        lost = Message.state.in_((Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED, Delivery.DROPPED))
        works = and_(Invitation.id.is_not(None), func.coalesce(~lost, true()), self._has_link())
        waits = Message.state.in_((Delivery.WAITING, Delivery.SENDING))
        return and_(Invitation.used_at.is_(None), or_(works, waits))

    def _has_link(self) -> ColumnElement[bool]:
        link = PasswordLink
        works = (link.used_at.is_(None), link.expires_at > self._at)
        return exists().where(link.person_id == PersonName.person_id, *works)

    def _came_back(self) -> ColumnElement[bool]:
        at_fault = Message.state.in_((Delivery.REFUSED, Delivery.BOUNCED))
        return and_(at_fault, Message.email == PersonName.email)


def shares_email(person_id: Any) -> ColumnElement[bool]:
    """Somebody else has the person's email address, in other capitals: nobody knows whose mailbox it is."""
    own, other = aliased(PersonName), aliased(PersonName)
    is_same = func.lower(other.email) == func.lower(own.email)
    return exists().where(own.person_id == person_id, other.person_id != own.person_id, is_same)


def list_designated_roles(viewer: Viewer, day: date) -> list[str]:
    """The roles of the posts of the day, of people whose accounts the viewer may look at. One statement."""
    roles = select(Post.designated_role).where(
        is_known_fact(Post), is_valid_on(Post, day), is_in_administration(Post.person_id, viewer)
    )
    return sorted(db.session.scalars(roles.distinct()))


def list_main_posts(people: Collection[int], day: date) -> dict[int, tuple[str, int]]:
    """The designated role and the unit of each person's first post of the day. One statement."""
    rows = db.session.execute(
        select(Post.person_id, Post.designated_role, Post.unit_id)
        .where(Post.person_id.in_(people), is_known_fact(Post), is_valid_on(Post, day))
        .order_by(Post.post_key.desc())  # the main post, "", is written last
    )
    return {person_id: (role, unit_id) for person_id, role, unit_id in rows}
