"""Pages of an administrator about one account: link, roles, closing, sessions."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import queries, services
from portal.domain.accounts.factors import enrolment
from portal.domain.accounts.grants import authority, changes
from portal.domain.accounts.grants.grant_list import role_words, where_words
from portal.domain.accounts.identities import binding, identity_list
from portal.domain.accounts.identities.binding import Refusal
from portal.domain.accounts.overview.last_sign_in import find_last_sign_in
from portal.domain.accounts.overview.ways import method_words
from portal.domain.accounts.sign_in import locks
from portal.domain.people.queries import Viewer, find_seen_person, viewer_of
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.layout.paging import Page
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import needs_factor
from portal.pages.people.forms import GrantForm
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import UNIT_ROLES, Permission, Role

REFUSAL_WORDS = {  # why, and what to do
    Refusal.NO_CLAIM: "The sign-in gives no number. Have the provider send it.",
    Refusal.NOBODY: "Nobody in the roster has this number. Correct it there, or at the provider.",
    Refusal.SEVERAL: "More than one person has this number. Correct the roster.",
    Refusal.NO_POST: "No post in the roster today.",
    Refusal.CLOSED: "The account is closed.",
    Refusal.BOUND_TO_ANOTHER: "Signs in with another account. If that one was replaced, remove the link.",
}


def add_account_pages(bp: Blueprint) -> None:
    """Add the pages below ``/people/<staff number>/account``."""
    root = "/people/<staff_number>/account"
    for path, view, methods in (
        ("", show_account, ["GET"]),
        ("/link", make_link, ["POST"]),
        ("/grants", grant_role, ["POST"]),
        ("/grants/end", revoke_role, ["POST"]),
        ("/close", close_account, ["GET", "POST"]),
        ("/open", reopen_account, ["POST"]),
        ("/sessions/end", end_all_sessions, ["POST"]),
        ("/sessions/<reference>/end", end_person_session, ["POST"]),
        ("/unlock", lift_lock, ["POST"]),
        ("/identity/remove", remove_identity, ["POST"]),
        ("/factors/reset", reset_factors, ["POST"]),
    ):
        bp.add_url_rule(root + path, view.__name__, view, methods=methods)
    bp.add_url_rule("/people/identities", show_identities.__name__, show_identities, methods=["GET"])


def find_person_in_administration(staff_number: str) -> Viewer:
    """Find the person at whose account the administrator may look: by that role alone, not by another.

    Raises:
        NotFoundError: Nobody has this number, or the administrator may not look at that account.
    """
    person_id = find_seen_person(current_user.viewer, staff_number, Permission.ACCOUNT_ADMINISTER)
    person = viewer_of(person_id, line_managers=cookies.current_settings().line_managers_see)
    if person is None:
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person


def find_administered_person(staff_number: str) -> Viewer:
    """Find the person whose account the administrator is about to change.

    Raises:
        NotFoundError: Nobody has this number, or the administrator may not look at that account.
        ForbiddenError: They may not change it.
    """
    person = find_person_in_administration(staff_number)
    if not authority.administers_person(current_user.viewer, person.person_id):
        raise ForbiddenError(authority.OUTSIDE)
    return person


def _return_to_account(staff_number: str, message: str, category: str = "success") -> ResponseReturnValue:
    flash(message, category)
    return redirect(url_for("people.show_account", staff_number=staff_number), 303)


def _return_after_role_change(person: Viewer, message: str) -> ResponseReturnValue:
    """Redirect to the page, or to sign-in if the administrator's own roles changed: that ends the session."""
    if person.person_id != current_user.person_id:
        return _return_to_account(
            person.staff_number, f"{message}. {person.display_name} is signed out everywhere."
        )
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash(f"{message}. Your own roles changed, so sign in again.", "success")
    return response


def _build_grant_form() -> GrantForm:
    form = GrantForm()
    form.offer_roles_and_units(current_user.viewer)
    return form


@requires(Permission.ACCOUNT_ADMINISTER)
def show_account(staff_number: str) -> ResponseReturnValue:
    """The state of the account, and what the administrator can do with it."""
    person = find_person_in_administration(staff_number)
    log_disclosure(person.person_id, "account")
    return _render_account(person, _build_grant_form())


def _render_account(person: Viewer, form: GrantForm) -> ResponseReturnValue:
    settings = cookies.current_settings()
    may_change = authority.administers_person(current_user.viewer, person.person_id)
    factors = enrolment.list_factors(person.person_id)
    return render_template(
        "people/account.html",
        form=form,
        person=person,
        identity=identity_list.find_identity(person.person_id, settings.provider_issuer),
        provider_label=settings.provider_label,
        factors=factors,
        lacks_factor=needs_factor(person) and not factors,
        state=queries.get_account_state(person.person_id, clock.now()),
        grants=authority.list_current_grants(person.person_id),
        sessions=queries.list_open_sessions(person.person_id, cookies.session_limits(), clock.now()),
        here=current_user.session.reference,
        last=find_last_sign_in(person.person_id),
        lock=locks.find_lock_of(person.person_id, settings.secret_key, clock.now()),
        method_words=method_words,
        may_change=may_change,
        outside=authority.OUTSIDE,
        is_self=person.person_id == current_user.person_id,
        role_words=role_words,
        where_words=where_words,
        open_end=OPEN_END,
    )


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def make_link(staff_number: str) -> ResponseReturnValue:
    """Make a single-use link to set a password, and show it this once."""
    person = find_administered_person(staff_number)
    with transaction():
        token = services.create_password_link(person.person_id, by=current_user.person_id, at=clock.now())
    link = f"{cookies.current_settings().address}{url_for('account.set_password', token=token)}"
    return render_template("people/link.html", person=person, link=link)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def grant_role(staff_number: str) -> ResponseReturnValue:
    """Grant a role."""
    person, form = find_administered_person(staff_number), _build_grant_form()
    if not form.validate_on_submit():
        return _render_account(person, form)
    role, unit_id = form.chosen_role, form.chosen_unit
    try:
        with transaction():
            is_new = changes.grant_role(
                person.person_id,
                role,
                unit_id=unit_id,
                by=current_user.person_id,
                at=clock.now(),
                until=form.last_day,
            )
    except RuleError as error:
        return _show_refusal(person, form, role, unit_id, error)
    if not is_new:
        return _return_to_account(staff_number, f"They already have this role: {role_words(role)}")
    return _return_after_role_change(person, f"Role granted: {role_words(role)}")


def _show_refusal(
    person: Viewer, form: GrantForm, role: Role, unit_id: int | None, error: RuleError
) -> ResponseReturnValue:
    """Show the form again if another unit would help, else the page of the account with the reason."""
    if unit_id is None or role in UNIT_ROLES:
        return _return_to_account(person.staff_number, str(error), "error")
    form.unit.errors = [str(error)]
    return _render_account(person, form)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def revoke_role(staff_number: str) -> ResponseReturnValue:
    """End a role of the person."""
    person = find_administered_person(staff_number)
    role_and_unit = (request.form.get("role", ""), request.form.get("unit", ""))
    for grant in authority.list_current_grants(person.person_id):
        if (grant.role.value, str(grant.unit_id or "")) == role_and_unit:
            return _end_role(person, grant)
    return abort(404)


def _end_role(person: Viewer, grant: authority.CurrentGrant) -> ResponseReturnValue:
    try:
        with transaction():
            changes.revoke_role(
                person.person_id,
                grant.role,
                unit_id=grant.unit_id,
                by=current_user.person_id,
                at=clock.now(),
            )
    except RuleError as error:
        return _return_to_account(person.staff_number, str(error), "error")
    return _return_after_role_change(person, f"Role ended: {role_words(grant.role)}")


@requires(Permission.ACCOUNT_ADMINISTER)
def close_account(staff_number: str) -> ResponseReturnValue:
    """Ask for confirmation, then close the account."""
    person = find_administered_person(staff_number)
    if request.method == "GET":
        log_disclosure(person.person_id, "account")
        return render_template("people/close_account.html", person=person)
    try:
        with transaction():
            services.close_account(person.person_id, by=current_user.person_id, at=clock.now())
    except RuleError as error:
        return _return_to_account(staff_number, str(error), "error")
    return _return_to_account(staff_number, "The account is closed")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def reopen_account(staff_number: str) -> ResponseReturnValue:
    """Open a closed account again."""
    person = find_administered_person(staff_number)
    with transaction():
        services.reopen_account(person.person_id, by=current_user.person_id)
    return _return_to_account(staff_number, "The account is open again")


@requires(Permission.ACCOUNT_ADMINISTER)
def end_all_sessions(staff_number: str) -> ResponseReturnValue:
    """Sign the person out everywhere."""
    person = find_administered_person(staff_number)
    with transaction():
        services.end_sessions(person.person_id, "ended_elsewhere", current_user.person_id, clock.now())
    return _return_to_account(staff_number, "They are signed out everywhere")


@requires(Permission.ACCOUNT_ADMINISTER)
def end_person_session(staff_number: str, reference: str) -> ResponseReturnValue:
    """Sign the person out of one browser."""
    person = find_administered_person(staff_number)
    with transaction():
        services.end_session(person.person_id, reference, clock.now(), by=current_user.person_id)
    if reference != current_user.session.reference:
        return _return_to_account(staff_number, "That browser is signed out")
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("You are signed out", "success")
    return response


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def lift_lock(staff_number: str) -> ResponseReturnValue:
    """Let the person sign in again at once after too many failed tries."""
    person = find_administered_person(staff_number)
    with transaction():
        locks.lift_lock(person.person_id, cookies.current_settings().secret_key, by=current_user.person_id)
    return _return_to_account(staff_number, "The lock is lifted: they can sign in again now")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def remove_identity(staff_number: str) -> ResponseReturnValue:
    """Forget which identity at the force's provider signs the person in."""
    person = find_administered_person(staff_number)
    issuer = cookies.current_settings().provider_issuer
    with transaction():
        binding.remove_identity(person.person_id, issuer, by=current_user.person_id, at=clock.now())
    return _return_to_account(staff_number, "The link is removed, and every session is ended")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def reset_factors(staff_number: str) -> ResponseReturnValue:
    """Remove the person's second factors, because they lost them."""
    person = find_administered_person(staff_number)
    try:
        with transaction():
            enrolment.reset_factors(person.person_id, by=current_user.person_id, at=clock.now())
    except RuleError as error:
        return _return_to_account(staff_number, str(error), "error")
    return _return_to_account(staff_number, "The second factor is removed, and every session is ended")


@requires(Permission.ACCOUNT_ADMINISTER)
def show_identities() -> ResponseReturnValue:
    """Who signs in with the force's provider, and who was not let in."""
    settings, viewer = cookies.current_settings(), current_user.viewer
    if not settings.provider_issuer:
        abort(404)
    total = identity_list.count_bound_identities(viewer, settings.provider_issuer)
    page = Page.of(total, request.path, request.args.items())
    return render_template(
        "people/identities.html",
        page=page,
        bound=identity_list.list_bound_identities(
            viewer, settings.provider_issuer, offset=page.offset, limit=page.size
        ),
        refused=identity_list.list_refused_sign_ins(viewer, settings.provider_issuer),
        reason_words=REFUSAL_WORDS,
        provider_label=settings.provider_label,
        match_claim=settings.provider_claim,
    )
