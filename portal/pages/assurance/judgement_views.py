"""Pages of judgements: the one that counts with its figures, making one, and deciding on it."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.assurance.desk import HeldRecommendation, read_recommendation
from portal.domain.assurance.entering import LONGEST_TEXT, EntryRefusedError
from portal.domain.assurance.evidence import judging
from portal.domain.assurance.evidence.shares import position_of
from portal.domain.assurance.wording import JUDGEMENT_WORDS, name_people
from portal.domain.reports.parameters import Position, PositionError
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, frame_of
from portal.pages.assurance.evidence_rows import describe_evidence
from portal.pages.assurance.forms import WHOSE, EntryForm
from portal.pages.layout.access import requires
from portal.pages.layout.form_fields import DayField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSubmit, GovTextarea, mark_wrong
from portal.pages.layout.report_position import (
    parse_position_now,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.permissions import Permission


class JudgementForm(EntryForm):
    """How a recommendation stands on a day, and why."""

    state = RadioField(
        "Is the recommendation met?",
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=key, label=label) for key, label in JUDGEMENT_WORDS.items()],
        validators=[InputRequired("Choose how it stands")],
    )
    reason = LinesField(
        "Why?",
        description=f"The figures above are kept with it. {WHOSE}",
        widget=GovTextarea(rows=6),
        validators=[RequiredText("Enter why"), MaximumLength(LONGEST_TEXT)],
    )
    from_on = DayField(
        "As at which day",
        missing="Enter the day",
        description="Today, or an earlier day, with all that is known now.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    send = SubmitField("Send to a second person", widget=GovSubmit())


class ReturnJudgementForm(FlaskForm):  # type: ignore[misc]
    """Why a judgement is not confirmed as it is."""

    reason = LinesField(
        "Send it back: what has to change",
        widget=GovTextarea(rows=3),
        validators=[RequiredText("Enter what has to change"), MaximumLength(LONGEST_TEXT)],
    )
    send_back = SubmitField("Send back", widget=GovSubmit(secondary=True))


@bp.get("/assurance/<key>/judgement")
@requires(Permission.ASSURANCE_VIEW)
def show_judgement(key: str) -> ResponseReturnValue:
    """Show the judgement with the figures it was made on, beside those of the position."""
    try:
        position = requested_position()
    except PositionError as error:
        return refuse_position(error, PARENT)
    if current_address := redirect_to_iso_days():
        return current_address
    return _render_judgement(read_recommendation(key, position), position)


@bp.route("/assurance/<key>/judgement/new", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def judge_recommendation(key: str) -> ResponseReturnValue:
    """Judge a recommendation; a second person confirms it."""
    now = clock.now()
    today = position_of(now)
    form = JudgementForm()
    form.offer_day(today.as_at)
    if form.validate_on_submit():
        try:
            position = parse_position_now(form.from_on.data, "")
            with transaction():
                judging.make_judgement(
                    key, position, form.state.data, form.reason.data, by=current_user.person_id, at=now
                )
        except PositionError as error:
            mark_wrong(form.from_on, str(error))
        except EntryRefusedError as error:
            form.show_refusal(error)
        except PortalError as error:
            form.form_errors += [str(error)]
        else:
            flash("Sent. Somebody else confirms it, or sends it back with a reason.", "success")
            return redirect(url_for(".show_judgement", key=key), 303)
    held = read_recommendation(key, today)
    html = render_template("assurance/judging.html", form=form, held=held, **_parts_of(held, today))
    return html, 400 if form.errors else 200


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/confirm")
@requires(Permission.ASSURANCE_CONFIRM)
def confirm_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Confirm a judgement that somebody else made."""
    with transaction():
        judging.confirm_judgement(judgement_id, by=current_user.person_id, at=clock.now())
    flash("Confirmed. The judgement counts from now on.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/send-back")
@requires(Permission.ASSURANCE_CONFIRM)
def send_judgement_back(key: str, judgement_id: int) -> ResponseReturnValue:
    """Send a judgement back, with a reason."""
    form = ReturnJudgementForm()
    if not form.validate_on_submit():
        today = position_of(clock.now())
        return _render_judgement(read_recommendation(key, today), today, form), 400
    with transaction():
        judging.send_judgement_back(
            judgement_id, reason=form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("Sent back. Its author sees why.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


@bp.post("/assurance/<key>/judgement/<int:judgement_id>/withdraw")
@requires(Permission.ASSURANCE_MANAGE)
def withdraw_judgement(key: str, judgement_id: int) -> ResponseReturnValue:
    """Withdraw one's own judgement."""
    with transaction():
        judging.withdraw_judgement(judgement_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn.", "success")
    return redirect(url_for(".show_judgement", key=key), 303)


def _render_judgement(
    held: HeldRecommendation, position: Position, form: ReturnJudgementForm | None = None
) -> str:
    return render_template(
        "assurance/judgement.html",
        form=form or ReturnJudgementForm(),
        held=held,
        me=current_user.person_id,
        **_parts_of(held, position),
    )


def _parts_of(held: HeldRecommendation, position: Position) -> dict[str, Any]:
    decided = judging.list_decided_judgements(held.id, position)
    people = {row.made_by_id for row, _ in decided} | {decision.decided_by_id for _, decision in decided}
    if held.waiting is not None:
        people.add(held.waiting.judgement.made_by_id)
    return {
        **describe_evidence(held, position),
        **frame_of(position),
        "decided": decided,
        "outcomes": judging.OUTCOMES,
        "names": name_people({*people, held.owner_id}),
    }
