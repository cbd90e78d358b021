"""Pages of judgements: the one that counts with its figures, making one, and deciding on it."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import SubmitField

from portal.domain.assurance.desk import RecommendationSnapshot, read_recommendation
from portal.domain.assurance.evidence import judging
from portal.domain.assurance.wording import JUDGEMENT_WORDS, name_people
from portal.domain.reports.parameters import Position, read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, read_at, template_values_of
from portal.pages.assurance.entry_forms import WHOSE, EntryForm, choice_field, day_field, text_field
from portal.pages.assurance.evidence_rows import describe_evidence
from portal.pages.layout.access import requires
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovSubmit
from portal.pages.layout.forms import save_form
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.permissions import Permission


class JudgementForm(EntryForm):
    """Whether a recommendation is met on a day, and why."""

    state = choice_field("Is the recommendation met?", "Choose whether it is met", JUDGEMENT_WORDS)
    reason = text_field(
        "Why?", "Enter why", rows=6, description=f"The evidence as at that day is kept with it. {WHOSE}"
    )
    from_on = day_field(
        "As at which day", description="Today, or an earlier day, with all that is known now."
    )
    send = SubmitField("Send to a second person", widget=GovSubmit())


class SendJudgementBackForm(PortalForm):
    """Why a judgement is not confirmed as it is."""

    reason = text_field("Send it back: what has to change", "Enter what has to change", rows=3)
    send_back = SubmitField("Send back", widget=GovSubmit(secondary=True))


@bp.get("/assurance/<key>/judgement")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_judgement(position: Position, key: str) -> ResponseReturnValue:
    """Show the judgement with the figures it was made on, beside those of the position."""
    recommendation = read_at(lambda at: read_recommendation(key, at), position, "This recommendation")
    return _render_judgement(recommendation, position)


@bp.route("/assurance/<key>/judgement/new", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def judge_recommendation(key: str) -> ResponseReturnValue:
    """Judge a recommendation; a second person confirms it."""
    now = clock.now()
    today = read_position_today(now)
    recommendation = read_recommendation(key, today)
    form = JudgementForm(data=_offer_sent_back(recommendation))
    form.offer_day(today.as_at)
    if form.validate_on_submit():
        with save_form(form, PortalError):
            judging.make_judgement(
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
@requires(Permission.ASSURANCE_CONFIRM)
def confirm_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Confirm a judgement that somebody else made."""
    with transaction():
        judging.confirm_judgement(key, judgement_id, by=current_user.person_id, at=clock.now())
    flash("Confirmed. The judgement counts from now on.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/send-back")
@requires(Permission.ASSURANCE_CONFIRM)
def send_judgement_back(key: str, judgement_id: int) -> ResponseReturnValue:
    """Send a judgement back, with a reason."""
    form = SendJudgementBackForm()
    if not form.validate_on_submit():
        today = read_position_today(clock.now())
        return _render_judgement(read_recommendation(key, today), today, form), 400
    with transaction():
        judging.send_judgement_back(
            key, judgement_id, reason=form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("Sent back. Its author sees why.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/withdraw")
@requires(Permission.ASSURANCE_MANAGE)
def withdraw_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Withdraw one's own judgement."""
    with transaction():
        judging.withdraw_judgement(key, judgement_id, by=current_user.person_id, at=clock.now())
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
    decided = judging.list_decided_judgements(recommendation.id, position)
    people = {row.made_by_id for row, _ in decided} | {decision.decided_by_id for _, decision in decided}
    if recommendation.waiting_judgement is not None:
        people.add(recommendation.waiting_judgement.judgement.made_by_id)
    return {
        **describe_evidence(recommendation, position),
        **template_values_of(position),
        "decided": decided,
        "outcomes": judging.OUTCOMES,
        "names": name_people({*people, recommendation.owner_id}),
    }
