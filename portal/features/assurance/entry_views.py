"""Entries about a recommendation as a whole: its owner, decisions and risk."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports.parameters import Position, read_position_today
from portal.features.assurance import evidence, services
from portal.features.assurance.board_views import describe_evidence
from portal.features.assurance.desk import (
    RecommendationSnapshot,
    find_recommendation,
    read_desk,
    read_recommendation,
)
from portal.features.assurance.feature import CONFIRM, MANAGE, VIEW
from portal.features.assurance.forms import (
    PARENT,
    WHOSE,
    AssuranceActionForm,
    DecisionForm,
    EntryForm,
    OwnerForm,
    RiskForm,
    bp,
    choice_field,
    day_field,
    read_at,
    staff_number_of,
    template_values_of,
    text_field,
)
from portal.features.assurance.recommendations import JUDGEMENT_WORDS, name_people
from portal.features.assurance.services import LONGEST_TITLE, ActionLine, list_action_lines
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button
from portal.pages.layout.forms import PortalForm, save_form
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.wording import date as say_date


def read_today(key: str) -> RecommendationSnapshot:
    """A recommendation today as known now, which is what forms change."""
    return read_recommendation(key, read_position_today(clock.now()))


@bp.route("/assurance/<key>/owner", methods=["GET", "POST"])
@requires(MANAGE)
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
@requires(MANAGE)
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
@requires(MANAGE)
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
@requires(MANAGE)
def take_decision_back(key: str, decision_id: int) -> ResponseReturnValue:
    """Say that a decision was never made; it stays in the history."""
    with transaction():
        services.take_decision_back(key, decision_id, by=current_user.person_id)
    flash("The decision is taken back. It stays in the history.", "success")
    return _redirect_to_recommendation(key)


@bp.route("/assurance/<key>/risk", methods=["GET", "POST"])
@requires(MANAGE)
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


# Actions: adding one to a recommendation, and changing it.


@bp.route("/assurance/<key>/actions/new", methods=["GET", "POST"])
@requires(MANAGE)
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
            reference = services.add_action(
                key, form.read_details(), from_on=form.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash(f"You added action {reference}.", "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    return _show_action_form(form, recommendation, None)


@bp.route("/assurance/<key>/actions/<reference>", methods=["GET", "POST"])
@requires(MANAGE)
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
            holds = services.change_action(
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
    return _show_action_form(form, recommendation, line)


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


def _show_action_form(
    form: AssuranceActionForm, recommendation: RecommendationSnapshot, line: ActionLine | None
) -> ResponseReturnValue:
    html = render_template("assurance/action.html", form=form, recommendation=recommendation, line=line)
    return html, 400 if form.errors else 200


# Pages of judgements: the one that counts with its figures, making one, and deciding on it.


class JudgementForm(EntryForm):
    """Whether a recommendation is met on a day, and why."""

    state = choice_field("Is the recommendation met?", "Choose whether it is met", JUDGEMENT_WORDS)
    reason = text_field(
        "Why?", "Enter why", rows=6, description=f"The evidence as at that day is kept with it. {WHOSE}"
    )
    from_on = day_field(
        "As at which day", description="Today, or an earlier day, with all that is known now."
    )
    send = button("Send to a second person")


class SendJudgementBackForm(PortalForm):
    """Why a judgement is not confirmed as it is."""

    reason = text_field("Send it back: what has to change", "Enter what has to change", rows=3)
    send_back = button("Send back", secondary=True)


@bp.get("/assurance/<key>/judgement")
@requires(VIEW)
@at_position(PARENT)
def show_judgement(position: Position, key: str) -> ResponseReturnValue:
    """Show the judgement with the figures it was made on, beside those of the position."""
    recommendation = read_at(lambda at: read_recommendation(key, at), position, "This recommendation")
    return _render_judgement(recommendation, position)


@bp.route("/assurance/<key>/judgement/new", methods=["GET", "POST"])
@requires(MANAGE)
def judge_recommendation(key: str) -> ResponseReturnValue:
    """Judge a recommendation; a second person confirms it."""
    now = clock.now()
    today = read_position_today(now)
    recommendation = read_recommendation(key, today)
    form = JudgementForm(data=_offer_sent_back(recommendation))
    form.offer_day(today.as_at)
    if form.validate_on_submit():
        with save_form(form, PortalError):
            evidence.make_judgement(
                key,
                form.state.data,
                form.reason.data,
                from_on=form.day,
                at=now,
                by=current_user.person_id,
            )
        if not form.errors:
            flash("Sent. Somebody else confirms it, or sends it back with a reason.", "success")
            return redirect(url_for(".show_judgement", key=key), 303)
    html = render_template(
        "assurance/judging.html", form=form, recommendation=recommendation, **_parts_of(recommendation, today)
    )
    return html, 400 if form.errors else 200


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/confirm")
@requires(CONFIRM)
def confirm_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Confirm a judgement that somebody else made."""
    with transaction():
        evidence.confirm_judgement(key, judgement_id, by=current_user.person_id, at=clock.now())
    flash("Confirmed. The judgement counts from now on.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/send-back")
@requires(CONFIRM)
def send_judgement_back(key: str, judgement_id: int) -> ResponseReturnValue:
    """Send a judgement back, with a reason."""
    form = SendJudgementBackForm()
    if not form.validate_on_submit():
        today = read_position_today(clock.now())
        return _render_judgement(read_recommendation(key, today), today, form), 400
    with transaction():
        evidence.send_judgement_back(
            key, judgement_id, reason=form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("Sent back. Its author sees why.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/withdraw")
@requires(MANAGE)
def withdraw_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Withdraw one's own judgement."""
    with transaction():
        evidence.withdraw_judgement(key, judgement_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


def _offer_sent_back(recommendation: RecommendationSnapshot) -> dict[str, str]:
    """What its author wrote in the judgement that was sent back to them."""
    sent_back = recommendation.sent_back
    if sent_back is None or sent_back.judgement.made_by_id != current_user.person_id:
        return {}
    return {"state": sent_back.judgement.state, "reason": sent_back.judgement.reason}


def _render_judgement(
    recommendation: RecommendationSnapshot, position: Position, form: SendJudgementBackForm | None = None
) -> str:
    return render_template(
        "assurance/judgement.html",
        form=form or SendJudgementBackForm(),
        recommendation=recommendation,
        me=current_user.person_id,
        **_parts_of(recommendation, position),
    )


def _parts_of(recommendation: RecommendationSnapshot, position: Position) -> dict[str, Any]:
    decided = evidence.list_decided_judgements(recommendation.id, position)
    people = {row.made_by_id for row, _ in decided} | {decision.decided_by_id for _, decision in decided}
    if recommendation.waiting_judgement is not None:
        people.add(recommendation.waiting_judgement.judgement.made_by_id)
    return {
        **describe_evidence(recommendation, position),
        **template_values_of(position),
        "decided": decided,
        "outcomes": evidence.OUTCOMES,
        "names": name_people({*people, recommendation.owner_id}),
    }
