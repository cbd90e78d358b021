"""A reminder to the people whom a report lists: a preview with each of them ticked, then the outcome."""

from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.queries import Viewer
from portal.domain.reminders import queries, services
from portal.domain.reminders.bulk_nudges import MOST, plan_bulk_nudge
from portal.domain.reminders.settings import mail_hours, relay_is_set
from portal.domain.reports.parameters import MISSING, NAMES, parse_filters
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import parse_position_now
from portal.pages.reminders.forms import BulkNudgeForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import instant, number, plural


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
