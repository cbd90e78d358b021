"""Pages that invite people to set a first password: by mail, again by mail, and on paper."""

import uuid
from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from wtforms.fields import SelectChoice

from portal.domain.accounts.services import INVITATION_LIFETIME
from portal.domain.people.names import find_current_unit
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.sight import administered_units
from portal.domain.reminders import invitations
from portal.domain.reminders.invitations import (
    BEFORE,
    NEVER,
    PRINTABLE,
    WITHOUT_MAIL,
    Candidate,
    Candidates,
    InvitationFilter,
    InvitationOutcome,
)
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.queries import directives_in_force
from portal.domain.reminders.sending import mail_hours, relay_is_set
from portal.domain.reminders.tasks import INVITATIONS
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments, address, safe_next
from portal.pages.layout.sessions import cookies
from portal.pages.people.account_views import find_administered_person
from portal.pages.people.forms import InvitationFilterForm, PrintFilterForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.jobs import services as jobs
from portal.platform.permissions import Permission
from portal.platform.wording import instant, plural

# The words of the pages of invitations.

STATE_WORDS = {
    Delivery.WAITING: "Waiting to be sent.",
    Delivery.SENDING: "Being sent.",
    Delivery.DROPPED: "Not sent.",
    Delivery.REFUSED: "Refused.",
    Delivery.FAILED: "Given up.",
    Delivery.BOUNCED: "Came back.",
}
ON_THE_WAY = {Delivery.WAITING, Delivery.SENDING}


def outcome_labels(provider_label: str, *, relay: bool) -> dict[InvitationOutcome, str]:
    """What the page says of each outcome, in the order of its filter.

    Args:
        provider_label: What people sign in with where passwords are for administrators.
        relay: Whether mail can be sent.
    """
    return {
        InvitationOutcome.INVITE: "Will be invited" if relay else "Needs a printed card",
        InvitationOutcome.INVITED: "Invited already",
        InvitationOutcome.UNDELIVERED: "Did not arrive",
        InvitationOutcome.NO_EMAIL: "No email address: print a card",
        InvitationOutcome.SHARED_EMAIL: "Email address of two people",
        InvitationOutcome.ACCOUNT: "Can sign in already",
        InvitationOutcome.PROVIDER: f"Signs in with {provider_label}",
        InvitationOutcome.CLOSED: "Account closed",
        InvitationOutcome.OUTSIDE: "Outside your units",
    }


def describe_candidate(row: Candidate, now: datetime) -> list[str]:
    """What became of the person's newest invitation, a sentence each; none if there is none.

    Args:
        row: The person.
        now: This instant.
    """
    if row.invited_at is None:
        return []
    sentences = [f"{'Printed' if row.is_printed else 'Invited'} at {instant(row.invited_at)}."]
    if row.state in STATE_WORDS:
        sentences.append(STATE_WORDS[Delivery(row.state)])
    elif row.sent_at is not None:
        sentences.append(f"Sent at {instant(row.sent_at)}.")
    if row.reason:
        sentences.append(row.reason)
    if row.used_at is not None:
        sentences.append(f"Used at {instant(row.used_at)}.")
    elif row.expires_at is not None and row.state != Delivery.BOUNCED:
        sentences.append(_describe_link(row.expires_at, now, has_link=row.has_link))
    return sentences


def _describe_link(expires_at: datetime, now: datetime, *, has_link: bool) -> str:
    if expires_at <= now:
        return f"The link expired at {instant(expires_at)}."
    if not has_link:
        return "The link no longer works."
    return f"The link works until {instant(expires_at)}."


def may_be_sent_again(row: Candidate) -> bool:
    """Whether the row offers to send another invitation: one went out, and was not used."""
    return (
        row.outcome in {InvitationOutcome.INVITED, InvitationOutcome.UNDELIVERED}
        and row.state not in ON_THE_WAY
    )


FILTER_FIELDS = ("unit", "role", "directive", "invited", "outcome")
PRINT_FIELDS = ("unit", "role", "who")


def add_invitation_pages(bp: Blueprint) -> None:
    """Add the pages below ``/people/invitations``, and the button of one account."""
    for path, view, methods in (
        ("/people/invitations", show_invitations, ["GET", "POST"]),
        ("/people/invitations/print", print_invitations, ["GET", "POST"]),
        ("/people/<staff_number>/account/invitation", invite_person, ["POST"]),
    ):
        bp.add_url_rule(path, view.__name__, view, methods=methods)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def show_invitations() -> ResponseReturnValue:
    """Show who would be invited, who not and why; one button invites them."""
    arguments, now = QueryArguments(request.args, request.path), clock.now()
    units = _administered_units(clock.london_day(now))
    form = InvitationFilterForm(
        data={name: arguments.text(name) for name in ("unit", "role", "directive", "invited")}
    )
    chosen = _read_filter(arguments, form, units, clock.london_day(now))
    outcome = arguments.choice("outcome", InvitationOutcome)
    found = Candidates(current_user.viewer, chosen, now)
    counts, again = found.count_by_outcome()
    if request.method == "POST" and not arguments.faults:
        return _start_inviting(chosen, counts[InvitationOutcome.INVITE])
    shown = [InvitationOutcome(outcome)] if outcome else list(InvitationOutcome)
    page = arguments.page(sum(counts[one] for one in shown))
    rows = found.list_rows(shown, page.offset, page.size)
    settings, hours = cookies.current_settings(), mail_hours()
    html = render_template(
        "people/invitations.html",
        page=page,
        errors=arguments.errors(form._fields),
        form=form,
        rows=[(row, describe_candidate(row, now), may_be_sent_again(row)) for row in rows],
        posts=invitations.list_main_posts([row.person_id for row in rows], clock.london_day(now)),
        units=units,
        counts=counts,
        again=again,
        outcome=outcome,
        labels=outcome_labels(settings.provider_label or settings.oidc_label, relay=relay_is_set()),
        address_with=_address_with,
        filtered=bool(arguments.kept),
        relay=relay_is_set(),
        next_at=None if hours.allows_sending(now) else hours.next_allowed(now),
        per_minute=settings.smtp_per_minute,
        factor_required=settings.second_factor_required,
        provider_label=_label_if_administrators_only(),
    )
    return html, arguments.status


def _administered_units(day: date) -> dict[int, UnitRow]:
    """The units of the day that the viewer administers, by id."""
    units, administered = live_units(day), administered_units(current_user.viewer)
    if administered is None:
        return units
    return {unit_id: unit for unit_id, unit in units.items() if unit_id in administered}


def _read_filter(
    arguments: QueryArguments,
    form: InvitationFilterForm | PrintFilterForm,
    units: dict[int, UnitRow],
    day: date,
) -> InvitationFilter:
    """The filter of the address; what is unknown is refused, and its field says so."""
    roles = invitations.list_designated_roles(current_user.viewer, day)
    form.role.choices = [SelectChoice(value="", label="Any role")]
    form.role.choices += [SelectChoice(value=role, label=role.capitalize()) for role in roles]
    directives = {}
    if isinstance(form, InvitationFilterForm):
        directives = {row.reference: row for row in directives_in_force(day).values()}
        form.directive.choices = [SelectChoice(value="", label="Any, or none")]
        form.directive.choices += [
            SelectChoice(value=reference, label=f"{reference}: {row.title}")
            for reference, row in directives.items()
        ]
    directive = directives.get(arguments.choice("directive", directives))
    chosen = InvitationFilter(
        _read_unit(arguments, units),
        arguments.choice("role", roles),
        directive.id if directive else None,
        arguments.choice("invited", (NEVER, BEFORE)),
    )
    for sentence, name in arguments.faults:
        if name in form:
            form[name].errors = [sentence]
    return chosen


def _read_unit(arguments: QueryArguments, units: dict[int, UnitRow]) -> int | None:
    text = arguments.text("unit")
    try:
        return find_current_unit(text, units) if text else None
    except (NotFoundError, RuleError) as error:
        arguments.refuse("unit", str(error))
        return None


def _address_with(**changed: str) -> str:
    """The address of this page with these fields of the filter changed; an empty one is left out."""
    kept = {name: request.args.get(name, "") for name in FILTER_FIELDS}
    return address(request.path, {**kept, **changed}.items())


def _start_inviting(chosen: InvitationFilter, count: int) -> ResponseReturnValue:
    """Start the job that invites everyone whom the preview showed, unless that has changed since."""
    here = redirect(_address_with(), 303)
    if not relay_is_set():
        flash("Email is not set up, so nobody can be invited by email.", "error")
        return here
    if not count:
        flash("Nobody is left to invite here. The list says why.", "success")
        return here
    if request.form.get("people") != str(count):
        flash(
            f"The list has changed: {plural(count, 'person', 'people')} now. Check it and try again.", "error"
        )
        return here
    with transaction():
        reference = jobs.start_job(
            INVITATIONS, chosen.as_arguments, by=current_user.person_id, at=clock.now()
        )
    return redirect(url_for("jobs.show_job", reference=reference), 303)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def invite_person(staff_number: str) -> ResponseReturnValue:
    """Send one person an invitation, or a new one instead of the last."""
    person = find_administered_person(staff_number)
    back = request.form.get("next")
    target = safe_next(back) if back else url_for("people.show_account", staff_number=staff_number)
    try:
        if not relay_is_set():
            raise RuleError("Email is not set up. Make a link and hand it over instead.")
        with transaction():
            invitations.invite_again(
                current_user.viewer, person.person_id, at=clock.now(), hours=mail_hours()
            )
    except (ConflictError, RuleError) as error:
        flash(str(error), "error")
    else:
        flash(f"An invitation to {person.display_name} will be sent.", "success")
    return redirect(target, 303)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def print_invitations() -> ResponseReturnValue:
    """Choose a unit; once confirmed, make a link for each person in it and show them to be printed."""
    arguments, now = QueryArguments(request.args, request.path), clock.now()
    units = _administered_units(clock.london_day(now))
    form = PrintFilterForm(data={name: arguments.text(name) for name in PRINT_FIELDS})
    if not relay_is_set():
        del form.who  # everyone gets a card
    if any(name in request.args for name in PRINT_FIELDS) and not arguments.text("unit"):
        arguments.refuse("unit", "Enter a unit, by path or name")
    chosen = _read_filter(arguments, form, units, clock.london_day(now))
    who = arguments.choice("who", ("all",))
    is_ready = chosen.unit_id is not None and not arguments.faults
    people: list[Candidate] = []
    if is_ready:
        outcomes = PRINTABLE if who or not relay_is_set() else WITHOUT_MAIL
        found = Candidates(current_user.viewer, chosen, now)
        people = found.list_rows(outcomes, 0, invitations.MOST_PRINTED + 1)
    is_too_long = len(people) > invitations.MOST_PRINTED
    if request.method == "POST" and people and not is_too_long:
        return _show_printed_list(people, units[chosen.unit_id or 0], now)
    html = render_template(
        "people/print_invitations.html",
        form=form,
        errors=arguments.errors(form._fields),
        people=people,
        is_ready=is_ready,
        is_too_long=is_too_long,
        most=invitations.MOST_PRINTED,
        days=INVITATION_LIFETIME.days,
        action=address(request.path, arguments.kept),
        provider_label=_label_if_administrators_only(),
    )
    return html, arguments.status


def _label_if_administrators_only() -> str:
    """What people sign in with where passwords are for administrators; empty where they are for everyone."""
    settings = cookies.current_settings()
    return "" if settings.passwords_for_everyone else settings.provider_label


def _show_printed_list(people: list[Candidate], unit: UnitRow, now: datetime) -> ResponseReturnValue:
    with transaction():
        tokens = invitations.print_invitations(
            current_user.viewer, [row.person_id for row in people], batch=uuid.uuid4(), at=now
        )
    portal = cookies.current_settings().address
    cards = []
    for row in people:
        if row.person_id in tokens:
            link = f"{portal}{url_for('account.set_password', token=tokens[row.person_id])}"
            cards.append(
                (row, link, _draw_code(link, f"QR code of the link of {row.forenames} {row.surname}"))
            )
    return render_template(
        "people/printed_invitations.html",
        cards=cards,
        unit=unit,
        expires_at=now + INVITATION_LIFETIME,
        sign_in=f"{portal}{url_for('sign_in.sign_in')}",
    )


def _draw_code(link: str, title: str) -> Markup:
    """The QR code of a link, as an inline drawing without styles."""
    import segno

    # A mask is given, because trying all eight takes four times as long; readers can do with any.
    code = segno.make_qr(link, error="m", mask=4)
    drawing = code.svg_inline(omitsize=True, svgclass="portal-code", lineclass=None, title=title)
    return Markup(drawing.replace("<svg ", '<svg role="img" ', 1))  # noqa: S704 - the library escapes the title
