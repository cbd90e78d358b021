"""Yours to do: what a person owns at the desk, and how far they say that it is."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance.actions import report_progress
from portal.domain.assurance.evidence.judging import list_judgements_for
from portal.domain.assurance.own_work import read_own_work
from portal.domain.assurance.stale import list_stale
from portal.domain.reports.parameters import read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import template_values_of
from portal.pages.assurance.forms import ProgressForm
from portal.pages.layout.access import requires
from portal.pages.layout.forms import save_form
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@bp.get("/assurance/mine")
@requires(Permission.ACCOUNT_OWN)
def show_own_work() -> ResponseReturnValue:
    """Show one's own recommendations and actions, and what one may confirm; all may see this page."""
    position = read_position_today(clock.now())
    work = read_own_work(current_user.person_id, position)
    may_confirm = Permission.ASSURANCE_CONFIRM in current_user.permissions
    return render_template(
        "assurance/mine.html",
        work=work,
        to_confirm=list_judgements_for(current_user.person_id) if may_confirm else [],
        stale=list_stale(position, current_user.person_id),
        may_view=Permission.ASSURANCE_VIEW in current_user.permissions,
        **template_values_of(position),
    )


@bp.route("/assurance/mine/<reference>", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def report_action(reference: str) -> ResponseReturnValue:
    """Say how far one's own action is, and what was done."""
    work = read_own_work(current_user.person_id, read_position_today(clock.now()))
    line = next((line for line in work.actions if line.reference == reference), None)
    if line is None:
        raise NotFoundError("You own no such action that is still to be done.")
    form = ProgressForm(data={"state": line.state})
    form.offer_day(clock.today())
    if form.validate_on_submit():
        with save_form(form):
            report_progress(
                reference,
                form.state.data,
                form.reason.data.strip(),
                from_on=form.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash(f"Action {reference} is saved.", "success")
            return redirect(url_for(".show_own_work"), 303)
    html = render_template("assurance/progress.html", form=form, line=line, title=work.titles[line.key])
    return html, 400 if form.errors else 200
