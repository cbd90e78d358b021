"""Examines, for the doctor, what an installed portal lacks before an officer can learn."""

from datetime import date

from sqlalchemy import ColumnElement, exists, func, select

from config import current_settings
from portal.domain.accounts.account_list import has_post
from portal.domain.accounts.ways import can_sign_in, current_rules, is_closed
from portal.domain.catalogue.version_cache import published_modules
from portal.domain.directives.queries import list_directives
from portal.domain.people.models import Person, RoleGrant
from portal.domain.people.visibility import is_granted_to
from portal.platform import clock
from portal.platform.db import db
from portal.platform.operations.doctor import SetUpFinding, State
from portal.platform.permissions import Role
from portal.platform.wording import date as say_date
from portal.platform.wording import number, plural


def examine_first_steps() -> list[SetUpFinding]:
    """A finding for each step after the installation: roster, content, who signs in, a directive."""
    day = clock.today()
    return [
        _examine_roster(day),
        _examine_content(),
        _examine_administrators(day),
        _examine_learners(day),
        _examine_directives(day),
    ]


def _count_people(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(Person).where(*conditions)) or 0


def _is_administrator(day: date) -> ColumnElement[bool]:
    return exists().where(is_granted_to(Person.id, day), RoleGrant.role == Role.ADMINISTRATOR)


def _may_sign_in(day: date) -> tuple[ColumnElement[bool], ...]:
    return has_post(Person.id, day), can_sign_in(Person.id, current_rules(day)), ~is_closed(Person.id)


def _examine_roster(day: date) -> SetUpFinding:
    if people := _count_people(has_post(Person.id, day)):
        has = "has" if people == 1 else "have"
        return SetUpFinding(
            State.RIGHT, "roster", f"{plural(people, 'person', 'people')} {has} a post today."
        )
    return SetUpFinding(State.WRONG, "roster", "Nobody has a post today: people import FILE")


def _examine_content() -> SetUpFinding:
    if modules := len(published_modules()):
        return SetUpFinding(State.RIGHT, "content", f"Published: {plural(modules, 'module')}.")
    return SetUpFinding(
        State.WRONG,
        "content",
        "No module is published: content publish --author STAFF_NUMBER --publisher STAFF_NUMBER",
    )


def _examine_administrators(day: date) -> SetUpFinding:
    subject, is_administrator = "administrator", _is_administrator(day)
    if not _count_people(is_administrator, has_post(Person.id, day)):
        sentence = "Nobody is administrator: people grant STAFF_NUMBER administrator"
        return SetUpFinding(State.WRONG, subject, sentence)
    if able := _count_people(is_administrator, *_may_sign_in(day)):
        sentence = f"{plural(able, 'administrator')} can sign in."
        return SetUpFinding(State.RIGHT, subject, sentence)
    if current_settings().provider_issuer:
        sentence = "No administrator has signed in yet with the force's own sign-in."
        return SetUpFinding(State.NOTE, subject, sentence)
    return SetUpFinding(
        State.WRONG,
        subject,
        "No administrator can sign in: accounts invite STAFF_NUMBER prints a link, with which they choose a"
        " password and add a second factor.",
    )


def _examine_learners(day: date) -> SetUpFinding:
    if able := _count_people(~_is_administrator(day), *_may_sign_in(day)):
        sentence = f"{plural(able, 'person', 'people')} beside administrators can sign in."
        return SetUpFinding(State.RIGHT, "learners", sentence)
    if current_settings().provider_issuer:
        sentence = "Nobody has signed in yet with the force's own sign-in."
        return SetUpFinding(State.NOTE, "learners", sentence)
    return SetUpFinding(
        State.WRONG,
        "learners",
        "Nobody but administrators can sign in: invite people at /people/invitations, or set the force's own"
        " sign-in (docs/operating/entra-id.md, docs/operating/saml.md).",
    )


def _examine_directives(day: date) -> SetUpFinding:
    subject, directives = "directives", list_directives()
    current = [each.version_on(day) for each in directives]
    in_force = sum(version is not None and not version.file.withdrawn for version in current)
    if in_force:
        are = "is" if in_force == 1 else "are"
        return SetUpFinding(State.RIGHT, subject, f"{number(in_force)} {are} in force.")
    coming = [version for each in directives if (version := each.next_version_after(day))]
    first = min((v.effective_on for v in coming if not v.file.withdrawn), default=None)
    if first:
        return SetUpFinding(State.NOTE, subject, f"None is in force before {say_date(first)}.")
    return SetUpFinding(
        State.WRONG,
        subject,
        "None is in force, so that nothing is required of anybody: issue one at /directives, or with"
        " directives issue FILE",
    )
