"""Invites people: a message in the outbox for each, or links to be printed, in the caller's transaction."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, insert, or_, select, true, update
from sqlalchemy.orm import aliased

from portal.domain.accounts import services, ways
from portal.domain.accounts.grants import OUTSIDE, is_administered, is_in_administration
from portal.domain.accounts.models import Invitation, PasswordLink, ResetRequest
from portal.domain.accounts.services import INVITATION_LIFETIME, LINK_LIFETIME
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import units_under
from portal.domain.people.visibility import Viewer, is_valid_on
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.queries import Addressee, list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.services import lock_outbox
from portal.domain.status.queries import is_reached_by
from portal.platform import wording as say
from portal.platform.audit import log, log_one_of_many
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.mail import Letter

# Who would be invited, who not and why: one statement for the page, the job and the printed list.

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


MAIL, PAPER = "mail", "paper"
MOST_PRINTED = 200  # on one list
OUTCOME_SENTENCES = {
    InvitationOutcome.OUTSIDE: OUTSIDE,
    InvitationOutcome.CLOSED: "This account is closed. Open it again first.",
    InvitationOutcome.ACCOUNT: "This person can sign in already.",
    InvitationOutcome.PROVIDER: "Only administrators can sign in with a password. This person is none.",
    InvitationOutcome.NO_EMAIL: "No email address is known for this person. Import it with the roster first.",
    InvitationOutcome.SHARED_EMAIL: "Another person has the same email address. Correct the roster first.",
}


def invite_people(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime, hours: SendWindow
) -> int:
    """Invite those of these people who are to be invited now; return how many.

    Safe to repeat: whoever is invited already is left out. The batch is announced by ``announce_batch``.

    Args:
        viewer: The administrator who invites them.
        people: Up to a few hundred, so that the lock is held briefly.
        batch: The same for all that one press of a button makes.
        at: This instant.
        hours: When mail may be sent.
    """
    lock_outbox()
    outcomes = Candidates(viewer, InvitationFilter(), at).outcomes_of(people)
    invited = [person_id for person_id in people if outcomes.get(person_id) is InvitationOutcome.INVITE]
    _queue_invitations(viewer, invited, batch=batch, at=at, hours=hours)
    return len(invited)


def invite_again(viewer: Viewer, person_id: int, *, at: datetime, hours: SendWindow) -> None:
    """Invite one person by mail, even if a link that was sent or printed still works."""
    lock_outbox()
    outcome = Candidates(viewer, InvitationFilter(), at).outcomes_of([person_id]).get(person_id)
    if outcome is None:
        raise RuleError("This person has no post today, so they cannot sign in.")
    if outcome in OUTCOME_SENTENCES:
        raise RuleError(OUTCOME_SENTENCES[outcome])
    if _is_waiting(person_id):
        raise ConflictError("An invitation to this person is waiting to be sent already.")
    batch = uuid.uuid4()
    _queue_invitations(viewer, [person_id], batch=batch, at=at, hours=hours)
    announce_batch(viewer, batch, MAIL)


def print_invitations(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime
) -> dict[int, str]:
    """Make a link for each of these people who may get one on paper; earlier links stop working.

    Returns:
        The tokens by person, in the order of ``people``; they are stored nowhere.
    """
    lock_outbox()
    outcomes = Candidates(viewer, InvitationFilter(), at).outcomes_of(people)
    allowed = [person_id for person_id in people if outcomes.get(person_id) in PRINTABLE]
    tokens = services.make_links_for_paper(allowed, by=viewer.person_id, at=at)
    rows = [
        {**_invitation_columns(viewer, person_id, batch, at), "expires_at": at + INVITATION_LIFETIME}
        for person_id in allowed
    ]
    if rows:
        db.session.execute(insert(Invitation), rows)
        _log_printing(viewer, allowed, batch)
        announce_batch(viewer, batch, PAPER)
    return tokens


def announce_batch(viewer: Viewer, batch: uuid.UUID, way: str) -> int:
    """Record how many people were invited together, so that other administrators get one mail; return it."""
    count = db.session.scalar(select(func.count()).where(Invitation.batch == batch)) or 0
    if count:
        log("accounts.invited", actor_id=viewer.person_id, people=count, by=way, batch=str(batch))
    return count


def _queue_invitations(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime, hours: SendWindow
) -> None:
    if not people:
        return
    columns = {"kind": MessageKind.INVITATION, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    columns |= {"not_before": hours.next_allowed(at), "reason": ""}
    references = {person_id: uuid.uuid4() for person_id in people}
    rows = [{"person_id": person_id, "reference": references[person_id], **columns} for person_id in people]
    db.session.execute(insert(Message), rows)
    statement = select(Message.person_id, Message.id).where(Message.reference.in_(references.values()))
    invitations = [
        {**_invitation_columns(viewer, person_id, batch, at), "message_id": message_id}
        for person_id, message_id in db.session.execute(statement)
    ]
    db.session.execute(insert(Invitation), invitations)
    for person_id in people:
        log_one_of_many("account.invited", actor_id=viewer.person_id, subject_id=person_id, by=MAIL)


def _invitation_columns(viewer: Viewer, person_id: int, batch: uuid.UUID, at: datetime) -> dict[str, object]:
    columns = {"person_id": person_id, "batch": batch, "invited_at": at, "invited_by_id": viewer.person_id}
    return {**columns, "message_id": None, "expires_at": None, "used_at": None}


def _log_printing(viewer: Viewer, people: Collection[int], batch: uuid.UUID) -> None:
    """Record a printed link for each of these people; those with an address get an email about it."""
    with_email = select(PersonName.person_id).where(
        PersonName.person_id.in_(people), PersonName.email.is_not(None)
    )
    reachable = set(db.session.scalars(with_email))
    for person_id in people:
        record = log if person_id in reachable else log_one_of_many
        acted = {"actor_id": viewer.person_id, "subject_id": person_id}
        record("account.invited", **acted, by=PAPER, batch=str(batch))


def _is_waiting(person_id: int) -> bool:
    """Whether an invitation to the person waits for the relay, or is being sent."""
    waiting = select(Message.id).where(
        Message.person_id == person_id,
        Message.kind == MessageKind.INVITATION,
        Message.state.in_((Delivery.WAITING, Delivery.SENDING)),
    )
    return db.session.scalar(waiting.limit(1)) is not None


# Puts the mails that were asked for at sign-in into the outbox; nobody who asks waits for this.

BATCH = 100  # requests in one transaction
MOST_AN_HOUR, MOST_A_DAY = 3, 6  # mails to one account


def queue_reset_mails(at: datetime) -> tuple[int, int]:
    """Handle the oldest requests: one message for each account, unless it had enough of them.

    Returns:
        How many requests were handled and how many messages queued; (0, 0) if no request waited.
    """
    lock_outbox()
    waiting = select(ResetRequest.id, ResetRequest.person_id, ResetRequest.network)
    waiting = waiting.where(ResetRequest.handled_at.is_(None)).order_by(ResetRequest.id).limit(BATCH)
    requests = db.session.execute(waiting).all()
    networks = {request.person_id: request.network for request in reversed(requests) if request.person_id}
    people = [person_id for person_id in networks if person_id not in _find_served(networks, at)]
    columns = {"kind": MessageKind.RESET, "state": Delivery.WAITING, "created_at": at, "not_before": at}
    columns |= {"tries": 0, "reason": ""}
    if people:
        rows = [{"person_id": person_id, "reference": uuid.uuid4(), **columns} for person_id in people]
        db.session.execute(insert(Message), rows)
    for person_id in people:
        log("account.reset_requested", actor_id=None, subject_id=person_id, address=networks[person_id])
    ids = [request.id for request in requests]
    db.session.execute(update(ResetRequest).where(ResetRequest.id.in_(ids)).values(handled_at=at))
    return len(requests), len(people)


def _find_served(people: Collection[int], at: datetime) -> set[int]:
    """Those of these people to whom a mail waits, or who had as many as an account gets."""
    statement = select(Message.person_id, Message.state, Message.created_at).where(
        Message.person_id.in_(people),
        Message.kind == MessageKind.RESET,
        Message.created_at > at - timedelta(days=1),
    )
    times, served = defaultdict(list), set()
    for person_id, state, created_at in db.session.execute(statement):
        times[person_id].append(created_at)
        if state in {Delivery.WAITING, Delivery.SENDING}:
            served.add(person_id)
    hour_ago = at - timedelta(hours=1)
    for person_id, created in times.items():
        if len(created) >= MOST_A_DAY or sum(one > hour_ago for one in created) >= MOST_AN_HOUR:
            served.add(person_id)
    return served


# Composes mails with a link to set a password; the link is made here, when the mail is sent.

RESET_WAITS = timedelta(hours=24)  # after which nobody waits for the mail any more


@dataclass(frozen=True, slots=True)
class LinkLetter:
    """A mail with a link to set a password, or one that says why there is none."""

    letter: Letter
    token: str  # of the link; stored nowhere. Empty: it has none


def compose_link_mail(row: Message, *, now: datetime, portal: PortalDetails) -> LinkLetter | NothingToSend:
    """Make the link of an invitation or a reset, and compose its mail, or say why there is none.

    Args:
        row: The message, which another sender cannot have.
        now: This instant, from which the link's life is counted.
        portal: The portal that sends it.
    """
    reader = list_addressees([row.person_id], london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    state = _read_state(row.person_id, now)
    is_invitation = row.kind == MessageKind.INVITATION
    reason = _reason_against(row, state, now)
    if reason:
        return NothingToSend(reason)
    if state.lacks_factor and not is_invitation:
        return LinkLetter(_compose_without_link(reader, portal, can_sign_in=state.can_sign_in), "")
    lifetime = INVITATION_LIFETIME if is_invitation else LINK_LIFETIME
    token = services.add_link(row.person_id, lifetime, now, may_enrol=is_invitation)
    log("account.link_sent", actor_id=None, subject_id=row.person_id, purpose=row.kind)
    if is_invitation:
        db.session.execute(update(Message).where(Message.id == row.id).values(email=reader.email))
    link, until = f"{portal.address}/set-password/{token}", say.instant(now + lifetime)
    if not is_invitation:
        return LinkLetter(_compose_reset(reader, link, until, portal), token)
    return LinkLetter(_compose_invitation(reader, link, until, portal, adds_factor=state.lacks_factor), token)


def record_delivery(message_id: int, token: str, at: datetime) -> None:
    """Record that the relay accepted a mail with this link: the person's earlier links end.

    An empty token is that of a mail without a link.
    """
    expires_at = services.replace_earlier_links(token, at) if token else None
    if expires_at is not None:
        invitation = update(Invitation).where(Invitation.message_id == message_id)
        db.session.execute(invitation.values(expires_at=expires_at))


class _AccountState(NamedTuple):
    """What decides whether a person is sent a link, and which."""

    is_closed: bool
    shares_email: bool
    may_use_password: bool
    can_sign_in: bool
    lacks_factor: bool


def _read_state(person_id: int, now: datetime) -> _AccountState:
    rules = ways.current_rules(london_day(now))
    row = db.session.execute(
        select(
            ways.is_closed(person_id),
            shares_email(person_id),
            ways.may_use_password(person_id, rules),
            ways.can_sign_in(person_id, rules),
            ways.lacks_factor(person_id, rules),
        )
    ).one()
    return _AccountState(*row)


def _reason_against(row: Message, state: _AccountState, now: datetime) -> str:
    """Why the person gets no link now; empty if they get one."""
    if state.is_closed:
        return "The account is closed."
    if state.shares_email:
        return "Another person has the same email address."
    if not state.may_use_password:
        return "This person cannot sign in with a password."
    if row.kind == MessageKind.RESET:
        return "Asked for too long ago." if row.created_at < now - RESET_WAITS else ""
    if state.can_sign_in:
        return "This person can sign in already."
    newest = select(func.max(Invitation.id)).where(Invitation.person_id == row.person_id)
    own = select(Invitation.id).where(Invitation.message_id == row.id)
    if db.session.scalar(newest) != db.session.scalar(own):
        return "A newer invitation replaces this one."
    return ""


def _compose_invitation(
    reader: Addressee, link: str, until: str, portal: PortalDetails, *, adds_factor: bool
) -> Letter:
    first = "Choose a password, then add a second factor, which your role needs:"
    paragraphs = [
        Paragraph(
            f"{portal.force} has an account for you in its learning portal, for your training and your "
            "records. " + (first if adds_factor else "Choose a password:"),
            link=link,
        ),
        Paragraph(f"The link works once, until {until}. Do not forward this email."),
        Paragraph(
            f"Then sign in with your staff number, {reader.staff_number}, or this email address:",
            link=f"{portal.address}/sign-in",
        ),
        *_help_paragraphs("If the link no longer works, or you did not expect this email:", portal),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal to the address in its roster. Replies are not "
        "read."
    )
    return compose_letter(reader, "Set your password for the learning portal", paragraphs, foot=foot)


def _compose_reset(reader: Addressee, link: str, until: str, portal: PortalDetails) -> Letter:
    paragraphs = [
        Paragraph(
            f"Somebody asked for a link to set a new password for your account, {reader.staff_number}. If it "
            "was you, set it here:",
            link=link,
        ),
        Paragraph(f"The link works once, until {until}. Do not forward this email."),
        Paragraph(
            "If it was not you, do nothing. Your password is not changed, and only you have this link."
        ),
        *_help_paragraphs("If this happens again, report it. This page says who to contact:", portal),
    ]
    return compose_letter(reader, "A link to set a new password", paragraphs, foot=_asked_for(portal))


def _compose_without_link(reader: Addressee, portal: PortalDetails, *, can_sign_in: bool) -> Letter:
    """Such a link would set a password that opens nothing, and end an invitation that does."""
    advice = (
        "If it was you, sign in with your force account. You do not need a password here."
        if can_sign_in  # without a password and a factor: by the force's provider
        else "If it was you, use the link of your invitation, which works for 7 days, or ask an "
        "administrator of the portal for another."
    )
    paragraphs = [
        Paragraph(
            f"Somebody asked for a link to set a new password for your account, {reader.staff_number}. We "
            "have not sent one: your role needs a second factor, you have none yet, and a link by email "
            "cannot add one."
        ),
        Paragraph(advice),
        Paragraph("If it was not you, do nothing. Your password is not changed."),
        *_help_paragraphs("If this happens again, report it. This page says who to contact:", portal),
    ]
    subject = "Sign in with your force account" if can_sign_in else "You need a link from an administrator"
    return compose_letter(reader, subject, paragraphs, foot=_asked_for(portal))


def _asked_for(portal: PortalDetails) -> str:
    return (
        f"{portal.force} sent this from its learning portal because a link was asked for at its sign-in "
        "page. Replies are not read."
    )


def _help_paragraphs(words: str, portal: PortalDetails) -> Sequence[Paragraph]:
    return (Paragraph(words, link=f"{portal.address}/sign-in/help"),)
