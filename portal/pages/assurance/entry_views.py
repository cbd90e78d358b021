"""Entries about a recommendation as a whole: its owner, decisions and risk."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance import services
from portal.domain.assurance.desk import RecommendationSnapshot, read_recommendation
from portal.domain.assurance.wording import name_people
from portal.domain.reports.parameters import read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.entry_forms import EntryForm, staff_number_of
from portal.pages.assurance.forms import DecisionForm, OwnerForm, RiskForm
from portal.pages.layout.access import requires
from portal.pages.layout.forms import save_form
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


def read_today(key: str) -> RecommendationSnapshot:
    """A recommendation today as known now, which is what forms change."""
    return read_recommendation(key, read_position_today(clock.now()))


@bp.route("/assurance/<key>/owner", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def change_owner(key: str) -> ResponseReturnValue:
    """Give a recommendation to a person, or to nobody, from a day on."""
    recommendation = read_today(key)
    form = OwnerForm(data={"owner": staff_number_of(recommendation.owner_id)})
    form.offer_day(clock.today())
    if form.validate_on_submit():
        with save_form(form):
            services.give_owner(
                key, form.owner_id, from_on=form.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            who = "Nobody" if form.owner_id is None else name_people([form.owner_id])[form.owner_id]
            flash(f"{who} owns it from {say_date(form.day)} on.", "success")
            return _redirect_to_recommendation(key)
    return _show_form("owner.html", form, recommendation)


@bp.route("/assurance/<key>/decisions/new", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def add_decision(key: str) -> ResponseReturnValue:
    """Record a decision of the force."""
    recommendation, form = read_today(key), DecisionForm()
    form.offer_day(clock.today())
    if form.validate_on_submit():
        with save_form(form):
            services.record_decision(
                key, form.read_details(), from_on=form.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash("The decision is recorded.", "success")
            return _redirect_to_recommendation(key)
    return _show_form("decision.html", form, recommendation)


@bp.route("/assurance/<key>/decisions/<int:decision_id>", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def correct_decision(key: str, decision_id: int) -> ResponseReturnValue:
    """Correct a decision that was recorded wrongly; what it said stays in the history."""
    recommendation, row = read_today(key), services.find_decision(key, decision_id)
    form = DecisionForm(
        data={
            "title": row.title,
            "text": row.text,
            "decided_by": row.decided_by,
            "from_on": say_date(row.from_on),
        }
    )
    if form.validate_on_submit():
        with save_form(form):
            services.correct_decision(
                key,
                decision_id,
                form.read_details(),
                from_on=form.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash("The decision is corrected. What it said before is in the history.", "success")
            return _redirect_to_recommendation(key)
    return _show_form("decision.html", form, recommendation, decision_id)


@bp.post("/assurance/<key>/decisions/<int:decision_id>/taken-back")
@requires(Permission.ASSURANCE_MANAGE)
def take_decision_back(key: str, decision_id: int) -> ResponseReturnValue:
    """Say that a decision was never made; it stays in the history."""
    with transaction():
        services.take_decision_back(key, decision_id, by=current_user.person_id)
    flash("The decision is taken back. It stays in the history.", "success")
    return _redirect_to_recommendation(key)


@bp.route("/assurance/<key>/risk", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def assess_risk(key: str) -> ResponseReturnValue:
    """Say what may go wrong, how likely that is, and how grave it would be."""
    recommendation = read_today(key)
    risk = recommendation.risk
    filled = {} if risk is None else {"text": risk.text}
    if risk is not None:
        filled |= {"likelihood": str(risk.likelihood), "impact": str(risk.impact)}
    form = RiskForm(data=filled)
    form.offer_day(clock.today())
    if form.validate_on_submit():
        with save_form(form):
            services.assess_risk(
                key, form.read_details(), from_on=form.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash("The risk is saved.", "success")
            return _redirect_to_recommendation(key)
    return _show_form("risk.html", form, recommendation)


def _show_form(
    template: str, form: EntryForm, recommendation: RecommendationSnapshot, decision_id: int | None = None
) -> ResponseReturnValue:
    html = render_template(
        f"assurance/{template}", form=form, recommendation=recommendation, decision_id=decision_id
    )
    return html, 400 if form.errors else 200


def _redirect_to_recommendation(key: str) -> ResponseReturnValue:
    return redirect(url_for(".show_recommendation", key=key), 303)
