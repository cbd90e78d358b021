"""Pages of reminders: the outbox, a preview, when directives remind, and the nudge."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives.scope import directives_within_own_units, refuse_directive_outside_own_units
from portal.domain.people.queries import find_seen_person
from portal.domain.reminders import planning, queries, services
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.planning import ReminderPlan
from portal.domain.reminders.queries import Addressee, ReminderDirective
from portal.domain.reminders.settings import line_managers_see, mail_hours, relay_is_set
from portal.domain.reminders.untold import UntoldManagerRow, list_untold_managers
from portal.domain.status.queries import people_to_remind
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.reminders.bulk_nudge_views import add_bulk_nudge_page
from portal.pages.reminders.forms import NudgeForm, RulesForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import instant

bp = Blueprint("reminders", __name__, template_folder="templates")
add_bulk_nudge_page(bp)

STATES = {
    Delivery.WAITING: "Waiting",
    Delivery.SENDING: "Being sent",
    Delivery.SENT: "Sent",
    Delivery.DROPPED: "Not needed any more",
    Delivery.REFUSED: "Refused",
    Delivery.FAILED: "Given up",
    Delivery.BOUNCED: "Came back",
}
SENDABLE_AGAIN = (Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED)


@bp.app_template_global("notices_of_accounts")
def notices_of_accounts() -> dict[str, Any]:
    """What the page of grants shows about mail about accounts."""
    state = queries.count_notices(current_user.viewer, clock.today())
    return {"relay": relay_is_set(), "state": state}


@bp.get("/reminders")
@requires(Permission.REMINDER_VIEW)
def show_outbox() -> ResponseReturnValue:
    """Show the messages of the outbox."""
    arguments = QueryArguments(request.args, request.path)
    state = Delivery(chosen) if (chosen := arguments.choice("state", Delivery)) else None
    counts = queries.count_by_delivery(current_user.viewer)
    total = counts[state] if state else sum(counts.values())
    page = arguments.page(total)
    hours, now = mail_hours(), clock.now()
    html = render_template(
        "reminders/index.html",
        page=page,
        errors=arguments.errors(),
        rows=queries.list_outbox(current_user.viewer, state, page.offset, page.size),
        counts=counts,
        state=state,
        words=STATES,
        again=SENDABLE_AGAIN,
        relay=relay_is_set(),
        next_at=None if hours.allows_sending(now) else hours.next_allowed(now),
        last=queries.last_planned_day(),
        directives=_list_settable_directives(),
        untold=_list_current_untold_managers(),
        grants=Permission.ACCOUNT_ADMINISTER in current_user.permissions,
    )
    return html, arguments.status


def _list_current_untold_managers() -> list[UntoldManagerRow]:
    """The line managers who get no reminders because they cannot open the report about their people."""
    return [] if line_managers_see() else list_untold_managers(current_user.viewer, clock.today())


def _list_settable_directives() -> list[ReminderDirective]:
    """The directives in force whose rules the viewer may set."""
    if Permission.REMINDER_RULE not in current_user.permissions:
        return []
    directives = queries.directives_in_force(clock.today())
    settable_ids = directives_within_own_units(current_user.viewer, directives)
    return [directive for directive in directives.values() if directive.id in settable_ids]


@bp.get("/reminders/preview")
@requires(Permission.REMINDER_VIEW)
def preview_reminders() -> ResponseReturnValue:
    """Show what would be sent to whom today or on a later day, and why; nothing is written."""
    arguments = QueryArguments(request.args, request.path)
    typed_day = arguments.text("day")
    day = clock.read_day(typed_day) if typed_day else clock.today()
    if day is None or day < clock.today():
        arguments.refuse("day", "Enter today’s date or a later one, such as 30 April 2027.")
        errors, page = arguments.errors(["day"]), arguments.page(0)
        return render_template("reminders/preview.html", page=page, typed_day=typed_day, errors=errors), 400
    plan = planning.plan_reminders(day, line_managers=line_managers_see())
    visible = queries.visible_person_ids(current_user.viewer) & plan.people.keys()
    rows = _list_planned_letters(plan, visible)
    page = arguments.page(len(rows))
    html = render_template(
        "reminders/preview.html",
        page=page,
        rows=rows[page.offset : page.offset + page.size],
        missed=_list_people_missed(plan, visible),
        day=plan.window.to,
        typed_day=typed_day,
        errors=arguments.errors(["day"]),
        planned=plan.window.after >= plan.window.to,
    )
    return html, arguments.status


def _list_planned_letters(plan: ReminderPlan, visible: set[int]) -> list[tuple[Addressee, list[str]]]:
    """The addressees and reasons of the plan that the viewer may see, by name."""
    rows = []
    for person_id, lines in plan.letters.items():
        visible_lines = [line for line in lines if line.about_id in visible]
        if person_id in visible and visible_lines:
            reasons = [planning.line_words(plan, line, person_id, visible) for line in visible_lines]
            rows.append((plan.people[person_id], reasons))
    return sorted(rows, key=_name_key)


def _list_people_missed(plan: ReminderPlan, visible: set[int]) -> list[tuple[Addressee, str]]:
    """The people who should get a reminder and cannot, with the reason, as far as the viewer may see them."""
    reasons = {
        manager_id: "cannot open the report of those who are overdue"
        for manager_id, people in plan.untold.items()
        if visible.intersection(people)
    }
    reasons |= plan.unreachable
    rows = [(plan.people[i], reason) for i, reason in reasons.items() if i in plan.people and i in visible]
    return sorted(rows, key=_name_key)


@bp.route("/reminders/rules/<reference>", methods=["GET", "POST"])
@requires(Permission.REMINDER_RULE)
def edit_rules(reference: str) -> ResponseReturnValue:
    """Edit when one directive reminds."""
    directive = queries.directive_named(reference, clock.today())
    refuse_directive_outside_own_units(current_user.viewer, directive.id)
    form = RulesForm.from_rules(directive.rules)
    if form.validate_on_submit():
        with transaction():
            changed = services.save_rules(directive, form.entered_rules, by=current_user.person_id)
        flash("Rules saved." if changed else "Nothing was changed.", "success")
        return redirect(url_for(".show_outbox"), 303)
    html = render_template("reminders/rules.html", form=form, directive=directive)
    return html, 400 if form.errors else 200


@bp.post("/reminders/<uuid:reference>/again")
@requires(Permission.REMINDER_VIEW, recent=True)
def send_again(reference: UUID) -> ResponseReturnValue:
    """Queue a message that did not arrive once more."""
    with transaction():
        row = queries.get_message(current_user.viewer, reference)
        services.requeue_message(row, by=current_user.person_id, at=clock.now(), hours=mail_hours())
    flash("Message queued again.", "success")
    return redirect(url_for(".show_outbox"), 303)


@bp.route("/people/<staff_number>/nudge/<reference>", methods=["GET", "POST"])
@requires(Permission.REMINDER_NUDGE)
def nudge_person(staff_number: str, reference: str) -> ResponseReturnValue:
    """Remind one person, whom the viewer may see, of one directive."""
    person = _get_person(staff_number)
    log_disclosure(person.person_id, "reminder")
    directive = queries.directive_named(reference, clock.today())
    form, now, hours = NudgeForm(), clock.now(), mail_hours()
    is_self = person.person_id == current_user.person_id
    if not is_self and form.validate_on_submit():
        with transaction():
            send_at = services.queue_nudge(
                person.person_id, directive, by=current_user.person_id, at=now, hours=hours
            )
        flash(_nudge_message(person, None if send_at <= now else send_at), "success")
        return redirect(f"/people/{staff_number}", 303)
    rows = people_to_remind(clock.today(), [person.person_id])
    return render_template(
        "reminders/nudge.html",
        form=form,
        is_self=is_self,
        person=person,
        directive=directive,
        last=queries.list_last_nudges(person.person_id, now).get(directive.id),
        status_row=next((row for row in rows if row.directive_id == directive.id), None),
        next_at=None if hours.allows_sending(now) else hours.next_allowed(now),
        relay=relay_is_set(),
    )


def _nudge_message(person: Addressee, send_at: datetime | None) -> str:
    """What the page says after a nudge; ``send_at`` is None if mail may be sent now."""
    if not relay_is_set():
        when = "Email is not set up, so it will not be sent yet."
    else:
        when = f"It will be sent at {instant(send_at)}." if send_at else "It will be sent soon."
    return f"Reminder to {person.full_name} queued. {when} It is cancelled if they finish first."


def _name_key(row: tuple[Addressee, object]) -> tuple[str, str]:
    return row[0].surname, row[0].staff_number


def _get_person(staff_number: str) -> Addressee:
    """The person with this staff number, if the viewer may remind them.

    Raises:
        NotFoundError: Nobody has the number, or the viewer may not see the person.
    """
    person_id = find_seen_person(current_user.viewer, staff_number, Permission.REMINDER_NUDGE)
    person = queries.list_addressees([person_id], clock.today()).get(person_id)
    if person is None:
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person
