"""Queries about sessions, accounts, passwords and their links."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, and_, bindparam, func, or_, select

from portal.domain.accounts import passwords
from portal.domain.accounts.models import Credential, PasswordLink, SignInSession
from portal.domain.accounts.tokens import hash_token
from portal.domain.people.models import PersonName, Post, RoleGrant, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import build_viewer, viewer_of
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.people.visibility import Viewer, is_granted_to, is_line_manager, is_valid_on
from portal.platform import clock
from portal.platform.clock import london_day
from portal.platform.db import db, read
from portal.platform.permissions import Permission

# How long a session lasts that was opened with a weak password, to choose another.
MUST_CHOOSE_WITHIN = timedelta(minutes=15)


class SessionState(Enum):
    """Whether a session is open."""

    OPEN = "open"
    LAPSED = "lapsed"  # nobody ended it: its time ran out
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without a request, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class RequestSession:
    """The sign-in session of a request, and its person."""

    token_hash: str
    reference: str
    person_id: int
    csrf_secret: str
    created_at: datetime
    seen_at: datetime
    state: SessionState
    must_change: bool  # allows nothing but choosing another password
    method: str  # how the person signed in
    factor: str | None  # the second factor that was shown
    authenticated_at: datetime  # when the person last showed who they are
    viewer: Viewer | None  # the person, by today's posts and grants; None if they have no name


@dataclass(frozen=True, slots=True)
class Account:
    """The signed-in person of a request, in the form that flask-login expects."""

    viewer: Viewer
    session: RequestSession
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def person_id(self) -> int:
        """The id of the account's person."""
        return self.viewer.person_id

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the person may do now."""
        return self.viewer.permissions

    @property
    def display_name(self) -> str:
        """Rank and name, as the header shows them."""
        return self.viewer.display_name

    def get_id(self) -> str:
        """The session's reference, never the person's id."""
        return self.session.reference


_TODAY: Any = bindparam("today", type_=Date())
_SELECT_SESSION: Any = (
    select(
        SignInSession.token_hash,
        SignInSession.reference,
        SignInSession.person_id,
        SignInSession.csrf_secret,
        SignInSession.created_at,
        SignInSession.seen_at,
        SignInSession.must_change,
        SignInSession.method,
        SignInSession.factor,
        func.coalesce(SignInSession.authenticated_at, SignInSession.created_at),
        func.coalesce(SignInSession.ended_at, Credential.closed_at),
        PersonName.staff_number,
        PersonName.forenames,
        PersonName.surname,
        Post.rank_or_grade,
        RoleGrant.role,
        RoleGrant.unit_id,
        and_(bindparam("line_managers", type_=Boolean()), is_line_manager(SignInSession.person_id, _TODAY)),
    )
    .outerjoin(Credential, Credential.person_id == SignInSession.person_id)
    .outerjoin(PersonName, PersonName.person_id == SignInSession.person_id)
    .outerjoin(
        Post, and_(Post.person_id == SignInSession.person_id, is_known_fact(Post), is_valid_on(Post, _TODAY))
    )
    .outerjoin(RoleGrant, is_granted_to(SignInSession.person_id, _TODAY))
    .where(SignInSession.token_hash == bindparam("token_hash"))
    .order_by(Post.post_key)  # the main post, "", comes first
)


def session_of_token(
    token: str, limits: SessionLimits, at: datetime, *, line_managers: bool = False
) -> RequestSession | None:
    """The session of a browser's token; None if it has none.

    One statement. It runs for every page, so it is built once and reads the person with the session.

    Args:
        token: The cookie's value.
        limits: How long sessions last.
        at: This instant.
        line_managers: Whether the roster alone gives line managers sight of their direct reports.
    """
    parameters = {"token_hash": hash_token(token), "today": london_day(at), "line_managers": line_managers}
    rows = read(_SELECT_SESSION, parameters)  # one for each post and grant
    if not rows:
        return None
    token_hash, reference, person_id, secret, created_at, seen_at, must_change, *rest = rows[0]
    method, factor, authenticated_at, ended_at, *rest = rest
    *person, _, _, is_manager = rest
    state = SessionState.OPEN
    if ended_at is not None:
        state = SessionState.ENDED
    elif (
        seen_at + limits.idle <= at
        or created_at + (MUST_CHOOSE_WITHIN if must_change else limits.absolute) <= at
    ):
        state = SessionState.LAPSED
    grants = {(row.role, row.unit_id) for row in rows if row.role is not None}
    viewer = None
    if person[0] is not None:
        viewer = build_viewer(person_id, *person, grants=grants, line_manager=is_manager)
    return RequestSession(
        token_hash, reference, person_id, secret, created_at, seen_at, state, must_change,
        method, factor, authenticated_at, viewer,
    )  # fmt: skip


def account_of_session(session: RequestSession | None) -> Account | None:
    """The account of an open session, if its person has a post today; otherwise None."""
    if session is None or session.state is not SessionState.OPEN:
        return None
    viewer = session.viewer
    return Account(viewer, session) if viewer is not None and viewer.has_post else None


def list_lapsed_form_secrets(person_id: int, limits: SessionLimits, at: datetime) -> list[str]:
    """Form secrets of the person's sessions that expired in the last day and that nobody ended."""
    rows = db.session.execute(
        select(SignInSession.csrf_secret).where(
            SignInSession.person_id == person_id,
            SignInSession.seen_at > at - timedelta(days=1),
            or_(
                SignInSession.end_reason == "lapsed",
                SignInSession.ended_at.is_(None)
                & (
                    (SignInSession.seen_at <= at - limits.idle)
                    | (SignInSession.created_at <= at - limits.absolute)
                ),
            ),
        )
    )
    return [secret for (secret,) in rows]


def find_signed_out_person(form_secret: str, limits: SessionLimits, at: datetime) -> int | None:
    """The person of the session with this form secret, if they signed out of it within the last day."""
    day_ago = at - timedelta(days=1)
    return db.session.scalar(
        select(SignInSession.person_id).where(
            SignInSession.csrf_secret == form_secret,
            SignInSession.created_at > day_ago - limits.absolute,  # which has an index
            SignInSession.ended_at > day_ago,
            SignInSession.end_reason == "signed_out",
        )
    )


@dataclass(frozen=True, slots=True)
class SignInCandidate:
    """The account that a typed name belongs to, if any."""

    person_id: int | None
    password_hash: str | None
    password_rule: int | None
    closed_at: datetime | None


_NOBODY = SignInCandidate(None, None, None, None)
_TYPED: Any = bindparam("typed")
_SELECT_CANDIDATE: Any = (
    select(PersonName.person_id, Credential.password_hash, Credential.password_rule, Credential.closed_at)
    .outerjoin(Credential, Credential.person_id == PersonName.person_id)
    .where(
        or_(
            PersonName.staff_number.in_((_TYPED, bindparam("upper"), bindparam("lower"))),
            PersonName.email == bindparam("casefold"),
        )
    )
    .order_by((PersonName.staff_number == _TYPED).desc(), PersonName.person_id)
    .limit(1)
)


def find_account(typed: str) -> SignInCandidate:
    """Find the account of a typed staff number, in any capitals, or email address."""
    name = fold_staff_number(typed.replace("\x00", ""))  # PostgreSQL takes no NUL
    forms = {"upper": name.upper(), "lower": name.lower(), "casefold": name.casefold()}
    rows = read(_SELECT_CANDIDATE, {"typed": name, **forms})
    return SignInCandidate(*rows[0]) if rows else _NOBODY


def password_opens_account(
    candidate: SignInCandidate, plain: str, *, administrators_only: bool = False
) -> bool:
    """Whether the password opens the account.

    Costs one Argon2 verification, also if there is no such account, and whoever may use a password.
    """
    matches = passwords.password_matches(candidate.password_hash, plain)
    if not matches or candidate.person_id is None or candidate.closed_at is not None:
        return False
    return _may_sign_in(candidate.person_id, administrators_only=administrators_only)


def _may_sign_in(person_id: int, *, administrators_only: bool) -> bool:
    viewer = viewer_of(person_id)
    if viewer is None or not viewer.has_post:
        return False
    return not administrators_only or Permission.ACCOUNT_ADMINISTER in viewer.permissions


def is_open_account(person_id: int, *, administrators_only: bool = False) -> bool:
    """Whether the person may sign in, once they have shown who they are otherwise than by the provider."""
    closed = select(Credential.closed_at).where(Credential.person_id == person_id)
    return db.session.scalar(closed) is None and _may_sign_in(
        person_id, administrators_only=administrators_only
    )


def is_own_password(person_id: int, plain: str) -> bool:
    """Whether ``plain`` is the person's password."""
    password_hash = db.session.scalar(
        select(Credential.password_hash).where(Credential.person_id == person_id)
    )
    return passwords.password_matches(password_hash, plain)


def list_words_about(person_id: int) -> list[str]:
    """The person's names, staff number, email address and units: too easy to guess in their password."""
    row = db.session.execute(
        select(PersonName.staff_number, PersonName.surname, PersonName.forenames, PersonName.email).where(
            PersonName.person_id == person_id
        )
    ).one_or_none()
    today = clock.today()
    units = db.session.scalars(
        select(UnitState.name)
        .join(Post, Post.unit_id == UnitState.unit_id)
        .where(
            Post.person_id == person_id,
            is_known_fact(Post),
            is_valid_on(Post, today),
            is_known_fact(UnitState),
            is_valid_on(UnitState, today),
        )
    )
    return [part for part in (*(row or ()), *units) if part]


@dataclass(frozen=True, slots=True)
class AccountState:
    """The state of an account, as an administrator sees it."""

    has_password: bool
    closed_at: datetime | None
    set_at: datetime | None
    link_at: datetime | None  # when the link was made that still works; None: there is none


def get_account_state(person_id: int, at: datetime) -> AccountState:
    """The state of the person's account; one who never had one has no password. Two statements."""
    credential = db.session.get(Credential, person_id)
    link_at = db.session.scalar(
        select(func.max(PasswordLink.created_at)).where(
            PasswordLink.person_id == person_id, PasswordLink.used_at.is_(None), PasswordLink.expires_at > at
        )
    )
    if credential is None:
        return AccountState(False, None, None, link_at)
    has_password = credential.password_hash is not None
    return AccountState(has_password, credential.closed_at, credential.set_at, link_at)


def person_of_link(token: str, at: datetime) -> int | None:
    """The person whose password the link sets; None if it was used, has expired or never existed."""
    return db.session.scalar(
        select(PasswordLink.person_id).where(
            PasswordLink.token_hash == hash_token(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > at,
        )
    )


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One browser in which a person is signed in."""

    reference: str
    browser: str
    address: str
    method: str
    created_at: datetime
    seen_at: datetime


def is_open(limits: SessionLimits, at: datetime) -> ColumnElement[bool]:
    """WHERE clause: a session was neither ended nor has it expired, as ``session_of_token`` sees it."""
    return and_(
        SignInSession.ended_at.is_(None),
        SignInSession.seen_at > at - limits.idle,
        SignInSession.created_at > at - limits.absolute,
        or_(SignInSession.must_change.is_(False), SignInSession.created_at > at - MUST_CHOOSE_WITHIN),
    )


def list_open_sessions(person_id: int, limits: SessionLimits, at: datetime) -> list[OpenSession]:
    """Where the person is signed in now, the latest seen first."""
    rows = db.session.execute(
        select(
            SignInSession.reference,
            SignInSession.browser,
            SignInSession.address,
            SignInSession.method,
            SignInSession.created_at,
            SignInSession.seen_at,
        )
        .where(SignInSession.person_id == person_id, is_open(limits, at))
        .order_by(SignInSession.seen_at.desc(), SignInSession.reference)
    )
    return [OpenSession(*row) for row in rows]
