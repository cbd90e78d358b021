"""Actions: adding one to a recommendation, and changing it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance import actions
from portal.domain.assurance.action_links import ActionLine, list_action_lines
from portal.domain.assurance.desk import HeldRecommendation, read_desk
from portal.domain.assurance.entering import LONGEST_TITLE, EntryRefusedError
from portal.domain.people.services import list_names_of
from portal.domain.reports.parameters import read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.forms import ActionChangeForm, AssuranceActionForm
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


@bp.route("/assurance/<key>/actions/new", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def add_action(key: str) -> ResponseReturnValue:
    """Add an action. Another page may name one in the address: ``?title=…`` fills in its title."""
    held, lines = _read_actions(key)
    form = AssuranceActionForm(data={"title": request.args.get("title", "")[:LONGEST_TITLE], "state": "open"})
    form.offer_day(clock.today())
    form.offer_actions(lines)
    if form.validate_on_submit():
        try:
            with transaction():
                reference = actions.add_action(
                    key, form.read_details(), from_on=form.day, at=clock.now(), by=current_user.person_id
                )
        except EntryRefusedError as error:
            form.show_refusal(error)
        else:
            flash(f"Action {reference} is added.", "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    return _show_form(form, held, None)


@bp.route("/assurance/<key>/actions/<reference>", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def change_action(key: str, reference: str) -> ResponseReturnValue:
    """Change an action from a day on, with the reason."""
    held, lines = _read_actions(key)
    line = next((line for line in lines if (line.key, line.reference) == (key, reference)), None)
    if line is None:
        raise NotFoundError("There is no such action.")
    form = ActionChangeForm(data=_filled(line, held))
    form.offer_day(clock.today())
    form.offer_actions(lines, reference)
    if form.validate_on_submit():
        try:
            with transaction():
                holds = actions.change_action(
                    reference,
                    form.read_details(),
                    form.reason.data.strip(),
                    from_on=form.day,
                    at=clock.now(),
                    by=current_user.person_id,
                )
        except EntryRefusedError as error:
            form.show_refusal(error)
        else:
            flash(_say_saved(form, reference, holds), "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    return _show_form(form, held, line)


def _read_actions(key: str) -> tuple[HeldRecommendation, list[ActionLine]]:
    """The recommendation, and the actions of all of them, today as known now."""
    position = read_position_today(clock.now())
    desk = read_desk(position)
    found = next((held for held in desk if held.key == key), None)
    if found is None:
        raise NotFoundError("There is no such recommendation.")
    return found, list_action_lines(desk, position.as_at)


def _filled(line: ActionLine, held: HeldRecommendation) -> dict[str, object]:
    names = list_names_of([line.owner_id] if line.owner_id is not None else [])
    action = next(action for action in held.actions if action.reference == line.reference)
    return {
        "title": line.title,
        "owner": names[0].staff_number if names else "",
        "due_on": say_date(line.due_on) if line.due_on else "",
        "state": line.state,
        "waits_for": list(action.waits_for),
    }


def _say_saved(form: AssuranceActionForm, reference: str, holds: bool) -> str:
    if holds:
        return f"Action {reference} is saved."
    return (
        f"Action {reference} is saved as of {say_date(form.day)}. An entry of a later day is there already,"
        " and still holds today."
    )


def _show_form(
    form: AssuranceActionForm, held: HeldRecommendation, line: ActionLine | None
) -> ResponseReturnValue:
    html = render_template("assurance/action.html", form=form, held=held, line=line)
    return html, 400 if form.errors else 200
