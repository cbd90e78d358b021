"""Pages of reminders: the outbox, a preview, when directives remind, and the nudge."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field, Form, ValidationError
from wtforms.fields import SelectChoice

from portal.domain.directives.services import directives_within_own_units, refuse_directive_outside_own_units
from portal.domain.people.queries import find_seen_person
from portal.domain.people.visibility import Viewer
from portal.domain.reminders import message_texts, queries, services
from portal.domain.reminders.message_texts import ReminderPlan
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.queries import (
    Addressee,
    ReminderDirective,
    UntoldManagerRow,
    list_untold_managers,
)
from portal.domain.reminders.rules import ReminderRules
from portal.domain.reminders.sending import line_managers_see, mail_hours, relay_is_set
from portal.domain.reminders.services import MOST, plan_bulk_nudge, sort_days
from portal.domain.reports.parameters import MISSING, NAMES, parse_filters
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.status.queries import people_to_remind
from portal.pages.layout.access import requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.fields import button, text_as_typed
from portal.pages.layout.forms import CheckboxesField, PortalForm
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import instant, number, plural

# Forms: when a directive reminds, and the reminder to one person.

LONGEST_PERIOD = 730  # days
MOST_PERIODS = 6  # in one field


def _read_days(text: str) -> list[int]:
    return [int(word) for word in re.split(r"[,;\s]+", text.strip()) if word]


class DaysList:
    """Validator: at most ``most`` numbers of days."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise a ValidationError with a sentence if the field contains anything else."""
        try:
            days = _read_days(field.data or "")
        except ValueError:
            days = [-1]
        if len(days) > self.most or any(not 0 <= day <= LONGEST_PERIOD for day in days):
            if self.most == 1:
                raise ValidationError(f"Enter a number of days from 0 to {LONGEST_PERIOD}, such as 7.")
            raise ValidationError(
                f"Enter up to {self.most} numbers of days from 0 to {LONGEST_PERIOD}, such as 30, 7, 1."
            )


class RulesForm(PortalForm):
    """When a directive reminds."""

    notice = text_as_typed(
        "Days before the due date",
        "For example, 30, 7, 1. Leave it empty to remind nobody before the due date.",
        checks=[DaysList(MOST_PERIODS)],
        autocomplete=None,
    )
    every = text_as_typed(
        "Days between reminders of somebody overdue",
        "The first goes on the first day overdue. 0 means none.",
        checks=[DaysList(1)],
        autocomplete=None,
    )
    escalate = text_as_typed(
        "Days overdue before the line manager is told",
        "0 means never.",
        checks=[DaysList(1)],
        autocomplete=None,
    )
    ending = text_as_typed(
        "Days before a completion ends",
        "For example, 60, 30, 7. This matters only if completions end.",
        checks=[DaysList(MOST_PERIODS)],
        autocomplete=None,
    )
    send = button("Save")

    @classmethod
    def from_rules(cls, rules: ReminderRules, **kwargs: Any) -> "RulesForm":
        """The form filled with these rules, or with what was sent."""
        data = {
            "notice": ", ".join(map(str, rules.notice_days)),
            "every": str(rules.overdue_every),
            "escalate": str(rules.escalate_after),
            "ending": ", ".join(map(str, rules.ending_days)),
        }
        return cls(data=data, **kwargs)

    @property
    def entered_rules(self) -> ReminderRules:
        """The rules that were sent; the form must be valid."""
        every, escalate = [(_read_days(field.data or "") or [0])[0] for field in (self.every, self.escalate)]
        notice, ending = [sort_days(_read_days(field.data or "")) for field in (self.notice, self.ending)]
        return ReminderRules(notice, every, escalate, ending)


class BulkNudgeForm(PortalForm):
    """The people to remind: all of the preview are ticked until somebody unticks them."""

    people = CheckboxesField("People to remind")
    send = button("Send the reminders")

    def offer_people(self, people: Sequence[Addressee]) -> None:
        """Offer the people of a preview."""
        self.people.choices = [
            SelectChoice(value=person.staff_number, label=f"{person.listed_name} ({person.staff_number})")
            for person in people
        ]
        if not self.is_submitted():
            self.people.data = [person.staff_number for person in people]

    def validate_people(self, field: CheckboxesField) -> None:
        """Require at least one."""
        if not field.chosen_values:
            raise ValidationError("Select the people to remind")


class NudgeForm(PortalForm):
    """The button that sends a reminder."""

    send = button("Send the reminder")


# A reminder to the people whom a report lists: a preview with each of them ticked, then the outcome.


def add_bulk_nudge_page(bp: Blueprint) -> None:
    """Add the page ``/reminders/directives/<reference>``."""
    bp.add_url_rule(
        "/reminders/directives/<reference>", "nudge_people", nudge_people, methods=["GET", "POST"]
    )


@requires(Permission.REMINDER_NUDGE)
def nudge_people(reference: str) -> ResponseReturnValue:
    """Remind the people whom the report with these filters lists, of those who have something left to do."""
    report = _requested_report(reference)
    missing = report.shown.count_people(*MISSING)
    if missing > MOST:
        raise RuleError(
            f"You can remind at most {number(MOST)} people at once, and {number(missing)} have not finished. "
            "Filter the report first, by unit for example."
        )
    directive = queries.directive_named(reference, clock.today())
    viewer, now, hours = current_user.viewer, clock.now(), mail_hours()
    plan = plan_bulk_nudge(report.list_person_ids(), directive, viewer, at=now)
    back = f"/monitoring/directives/{reference}?{urlencode(report.filters.address)}"
    form = BulkNudgeForm()
    form.offer_people(plan.people)
    if form.validate_on_submit():
        ticked = set(form.people.chosen_values)
        chosen = {person.person_id for person in plan.people if person.staff_number in ticked}
        with transaction():
            sent = services.queue_bulk_nudge(chosen, directive, viewer, at=now, hours=hours)
        flash(
            _outcome(len(sent.people), None if hours.allows_sending(now) else hours.next_allowed(now)),
            "success",
        )
        return redirect(back, 303)
    html = render_template(
        "reminders/bulk_nudge.html",
        form=form,
        plan=plan,
        of_whom=report.filters.in_words,
        back=f"{back}#people",
        next_at=None if hours.allows_sending(now) else hours.next_allowed(now),
        relay=relay_is_set(),
    )
    return html, 400 if form.errors else 200


def _requested_report(reference: str) -> CompletionReport:
    """The report of today with the filters of the address; none that is refused is left out."""
    arguments = QueryArguments(request.args)
    arguments.only(NAMES, several=("rank",))
    arguments.raise_faults()
    viewer: Viewer = current_user.viewer
    return completion_report(viewer, reference, parse_position_now("", ""), parse_filters(request.args))


def _outcome(count: int, send_at: datetime | None) -> str:
    """What the page says after the reminders; ``send_at`` is None if mail may be sent now."""
    if not relay_is_set():
        when = "Email is not set up, so they will not be sent yet."
    else:
        when = f"They will be sent at {instant(send_at)}." if send_at else "They will be sent soon."
    return f"{plural(count, 'reminder')} queued. {when} Each is cancelled if the person finishes first."


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
    plan = message_texts.plan_reminders(day, line_managers=line_managers_see())
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
            reasons = [message_texts.line_words(plan, line, person_id, visible) for line in visible_lines]
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
    """The person with this staff number, if the viewer may remind them."""
    person_id = find_seen_person(current_user.viewer, staff_number, Permission.REMINDER_NUDGE)
    person = queries.list_addressees([person_id], clock.today()).get(person_id)
    if person is None:
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person
