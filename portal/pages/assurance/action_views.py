"""Actions: adding one to a recommendation, and changing it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance import actions
from portal.domain.assurance.action_links import ActionLine, list_action_lines
from portal.domain.assurance.desk import RecommendationSnapshot, find_recommendation, read_desk
from portal.domain.assurance.entering import LONGEST_TITLE
from portal.domain.reports.parameters import read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.entry_forms import staff_number_of
from portal.pages.assurance.forms import AssuranceActionForm
from portal.pages.layout.access import requires
from portal.pages.layout.forms import save_form
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


@bp.route("/assurance/<key>/actions/new", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def add_action(key: str) -> ResponseReturnValue:
    """Add an action. Another page may name one in the address: ``?title=…`` fills in its title."""
    recommendation, lines = _read_actions(key)
    form = AssuranceActionForm(data={"title": request.args.get("title", "")[:LONGEST_TITLE], "state": "open"})
    del form.reason
    form.send.label.text = "Add the action"
    form.offer_day(clock.today())
    form.offer_actions(lines)
    if form.validate_on_submit():
        with save_form(form):
            reference = actions.add_action(
                key, form.read_details(), from_on=form.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash(f"You added action {reference}.", "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    return _show_form(form, recommendation, None)


@bp.route("/assurance/<key>/actions/<reference>", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def change_action(key: str, reference: str) -> ResponseReturnValue:
    """Change an action from a day on, with the reason."""
    recommendation, lines = _read_actions(key)
    line = next((line for line in lines if (line.key, line.reference) == (key, reference)), None)
    if line is None:
        raise NotFoundError("There is no such action.")
    form = AssuranceActionForm(data=_first_values(line, recommendation))
    form.offer_day(clock.today())
    form.offer_actions(lines, reference)
    if form.validate_on_submit():
        with save_form(form):
            holds = actions.change_action(
                reference,
                form.read_details(),
                form.reason.data.strip(),
                from_on=form.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash(_saved_sentence(form, reference, holds), "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    return _show_form(form, recommendation, line)


def _read_actions(key: str) -> tuple[RecommendationSnapshot, list[ActionLine]]:
    """The recommendation, and the actions of all of them, today as known now."""
    position = read_position_today(clock.now())
    desk = read_desk(position)
    return find_recommendation(desk, key), list_action_lines(desk, position.as_at)


def _first_values(line: ActionLine, recommendation: RecommendationSnapshot) -> dict[str, object]:
    action = next(action for action in recommendation.actions if action.reference == line.reference)
    return {
        "title": line.title,
        "owner": staff_number_of(line.owner_id),
        "due_on": say_date(line.due_on) if line.due_on else "",
        "state": line.state,
        "waits_for": list(action.waits_for),
    }


def _saved_sentence(form: AssuranceActionForm, reference: str, holds: bool) -> str:
    if holds:
        return f"Action {reference} is saved."
    return (
        f"Action {reference} is saved as of {say_date(form.day)}. An entry of a later day is there already,"
        " and still holds today."
    )


def _show_form(
    form: AssuranceActionForm, recommendation: RecommendationSnapshot, line: ActionLine | None
) -> ResponseReturnValue:
    html = render_template("assurance/action.html", form=form, recommendation=recommendation, line=line)
    return html, 400 if form.errors else 200
