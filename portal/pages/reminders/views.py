"""Pages of mail: the outbox, what would be sent, when directives remind, and the nudge."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives.scope import refuse_directive_beyond, within_reach
from portal.domain.people.queries import may_see, person_by_staff_number
from portal.domain.reminders import planning, queries, services
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.queries import Addressee, ReminderDirective
from portal.domain.reminders.settings import line_managers_see, mail_hours, relay_is_set
from portal.domain.reminders.untold import UnremindedManager, untold_managers
from portal.domain.status.reminder_queries import chased
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.reminders.forms import NudgeForm, RulesForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import instant

bp = Blueprint("reminders", __name__, template_folder="templates")

STATES = {
    Delivery.WAITING: "Waiting",
    Delivery.SENDING: "Being sent",
    Delivery.SENT: "Sent",
    Delivery.DROPPED: "Not needed any more",
    Delivery.REFUSED: "Refused",
    Delivery.FAILED: "Given up",
    Delivery.BOUNCED: "Came back",
}
AGAIN = (Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED)


@bp.app_template_global("notices_of_accounts")
def notices_of_accounts() -> dict[str, Any]:
    """What the page of grants says of mail about accounts."""
    state = queries.count_notices(current_user.viewer, clock.today())
    return {"relay": relay_is_set(), "state": state}


@bp.get("/reminders")
@requires(Permission.REMINDER_VIEW)
def show_outbox() -> ResponseReturnValue:
    """The outbox."""
    asked = QueryArguments(request.args, request.path)
    state = Delivery(chosen) if (chosen := asked.choice("state", Delivery)) else None
    counts = queries.count_by_delivery(current_user.viewer)
    total = counts[state] if state else sum(counts.values())
    page = asked.page(total)
    hours, now = mail_hours(), clock.now()
    answer = render_template(
        "reminders/index.html",
        page=page,
        errors=asked.errors(),
        rows=queries.list_outbox(current_user.viewer, state, page.offset, page.size),
        counts=counts,
        state=state,
        words=STATES,
        again=AGAIN,
        relay=relay_is_set(),
        next_at=None if hours.allows_sending(now) else hours.next_allowed(now),
        last=queries.last_planned(),
        directives=_list_settable_directives(),
        untold=_list_untold_managers(),
        grants=Permission.ACCOUNT_ADMINISTER in current_user.permissions,
    )
    return answer, asked.status


def _list_untold_managers() -> list[UnremindedManager]:
    """The line managers who get no reminders, because they cannot open the report about their people."""
    return [] if line_managers_see() else untold_managers(current_user.viewer, clock.today())


def _list_settable_directives() -> list[ReminderDirective]:
    """The directives in force whose rules the viewer may set."""
    if Permission.REMINDER_RULE not in current_user.permissions:
        return []
    found = queries.directives_in_force(clock.today())
    mine = within_reach(current_user.viewer, found)
    return [one for one in found.values() if one.id in mine]


@bp.get("/reminders/preview")
@requires(Permission.REMINDER_VIEW)
def preview_reminders() -> ResponseReturnValue:
    """What would be sent to whom today or on a day to come, and why; nothing is written."""
    strict = QueryArguments(request.args, request.path)
    asked = strict.text("day")
    day = clock.read_day(asked) if asked else clock.today()
    if day is None or day < clock.today():
        strict.refuse("day", "Write today’s date or a later one, such as 30 April 2027.")
        day = clock.today()
    plan = planning.plan_reminders(day, line_managers=line_managers_see())
    seen = queries.visible_person_ids(current_user.viewer) & plan.people.keys()
    letters = {one: [line for line in plan.letters[one] if line.about_id in seen] for one in plan.letters}
    rows = [
        (plan.people[one], [planning.reason_in_words(plan, line, one, seen) for line in lines])
        for one, lines in letters.items()
        if one in seen and lines
    ]
    rows.sort(key=_by_name)
    out = {
        **dict.fromkeys(
            (one for one in plan.untold if seen & {*plan.untold[one]}),
            "cannot open the report of those who are overdue",
        ),
        **plan.unreachable,
    }
    missed = [(plan.people[one], why) for one, why in out.items() if one in plan.people and one in seen]
    page = strict.page(len(rows))
    answer = render_template(
        "reminders/preview.html",
        page=page,
        rows=rows[page.offset : page.offset + page.size],
        missed=sorted(missed, key=_by_name),
        day=plan.window.to,
        asked=asked,
        errors=strict.errors(["day"]),
        planned=plan.window.after >= plan.window.to,
    )
    return answer, strict.status


@bp.route("/reminders/rules/<reference>", methods=["GET", "POST"])
@requires(Permission.REMINDER_RULE)
def edit_rules(reference: str) -> ResponseReturnValue:
    """When one directive reminds."""
    about = queries.directive_named(reference, clock.today())
    refuse_directive_beyond(current_user.viewer, about.id)
    form = RulesForm.from_rules(about.rules)
    if form.validate_on_submit():
        with transaction():
            changed = services.save_rules(about, form.entered_rules, by=current_user.person_id)
        flash("The rules are saved." if changed else "Nothing was changed.", "success")
        return redirect(url_for(".show_outbox"), 303)
    return render_template("reminders/rules.html", form=form, about=about), 400 if form.errors else 200


@bp.post("/reminders/<uuid:reference>/again")
@requires(Permission.REMINDER_VIEW)
def send_again(reference: UUID) -> ResponseReturnValue:
    """Let a message that did not arrive wait once more."""
    with transaction():
        row = queries.get_message(current_user.viewer, reference)
        services.try_again(row, by=current_user.person_id, at=clock.now(), hours=mail_hours())
    flash("The message waits again.", "success")
    return redirect(url_for(".show_outbox"), 303)


@bp.route("/people/<staff_number>/nudge/<reference>", methods=["GET", "POST"])
@requires(Permission.REMINDER_NUDGE)
def nudge_person(staff_number: str, reference: str) -> ResponseReturnValue:
    """Remind one person, whom the viewer sees, of one directive."""
    who = _get_person(staff_number)
    about = queries.directive_named(reference, clock.today())
    form, now, hours = NudgeForm(), clock.now(), mail_hours()
    is_self = who.person_id == current_user.person_id
    if not is_self and form.validate_on_submit():
        with transaction():
            goes = services.queue_nudge(who.person_id, about, by=current_user.person_id, at=now, hours=hours)
        when = "now" if goes <= now else f"at {instant(goes)}"
        after = (
            f"The reminder to {who.full_name} goes {when}"
            if relay_is_set()
            else f"The reminder to {who.full_name} waits"
        )
        flash(f"{after}, unless they have completed it by then.", "success")
        return redirect(f"/people/{staff_number}", 303)
    last = queries.nudged_at(who.person_id, about.id)
    ahead = queries.may_nudge_again(last)
    stands = [row for row in chased(clock.today(), [who.person_id]) if row.directive_id == about.id]
    return render_template(
        "reminders/nudge.html",
        form=form,
        is_self=is_self,
        who=who,
        about=about,
        last=last,
        ahead=ahead if ahead and ahead > now else None,
        stands=stands[0] if stands else None,
        goes=None if hours.allows_sending(now) else hours.next_allowed(now),
        relay=relay_is_set(),
    )


def _by_name(line: tuple[Addressee, object]) -> tuple[str, str]:
    person, _ = line
    return person.surname, person.staff_number


def _get_person(staff_number: str) -> Addressee:
    """The person, as far as the viewer may remind them.

    Raises:
        NotFoundError: There is nobody of this number, or none that may be seen.
    """
    person_id = person_by_staff_number(staff_number.replace("\x00", ""))
    found = queries.list_addressees([person_id], clock.today()).get(person_id)
    if found is None or not may_see(current_user.viewer, person_id, Permission.REMINDER_NUDGE):
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return found
