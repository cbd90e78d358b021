"""Pages of the force's plan: as it holds at a position, writing the next version, and publishing it."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field

from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.people.visibility import Viewer
from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import RecommendationSnapshot, find_recommendation, read_desk
from portal.features.assurance.feature import CONFIRM, MANAGE, VIEW
from portal.features.assurance.forms import template_values_of
from portal.features.assurance.recommendations import name_people
from portal.features.assurance.services import list_action_lines
from portal.features.force_plan import services as assurance_plan
from portal.features.force_plan.services import PlanQuestion, PlanSection, ProposedPlan, plan_template
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, one_day, text_lines
from portal.pages.layout.forms import (
    GovInput,
    GovTextarea,
    LineField,
    LinesField,
    MaximumLength,
    PortalForm,
)
from portal.pages.layout.navigation import Waiting
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.proposals import LONGEST_NOTE
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

bp = Blueprint("force_plan", __name__, template_folder="templates")

# Forms of the force's plan: one section of it, sending it on, and sending it back.

LABEL = "govuk-label--s"
SHORT = 160  # characters that are seen in one line


def build_section_form(section: PlanSection, answers: Mapping[str, str]) -> PortalForm:
    """Build the form of one section, filled with the answers so far."""
    fields: dict[str, Field] = {each.key: _answer_field(each) for each in section.questions}
    fields["save"] = button("Save and go on")
    form: type[PortalForm] = type("PlanSectionForm", (PortalForm,), fields)
    return form(prefix="plan", data=dict(answers))


def _answer_field(question: PlanQuestion) -> Field:
    label = question.label if question.required else f"{question.label} (optional)"
    about = {"description": question.hint, "validators": [MaximumLength(question.most)]}
    if question.kind == "lines":
        return LinesField(label, widget=GovTextarea(label_classes=LABEL, rows=6), **about)
    if question.most < SHORT:
        return LineField(label, widget=GovInput(label_classes=LABEL, autocomplete="off"), **about)
    return LineField(label, widget=GovTextarea(label_classes=LABEL, rows=2), **about)


class SendPlanForm(PortalForm):
    """What is new, and when the plan is to be looked at again."""

    note = text_lines(
        "What is new, and why",
        "For the person who reads and publishes it.",
        required="Say what is new, for the person who publishes it",
        most=LONGEST_NOTE,
        bold=True,
        rows=3,
    )
    review_on = one_day(
        "To be reviewed by",
        "After this day the plan needs attention, and its owner gets a message.",
        bold=True,
        missing="Enter the day by which the plan is to be reviewed, such as 31 May 2027",
    )
    send = button("Send to a second person")


class SendPlanBackForm(PortalForm):
    """Why a plan is not published as it is."""

    reason = text_lines(
        "Send it back: what has to change",
        required="Enter what has to change",
        most=LONGEST_NOTE,
        bold=True,
        rows=3,
    )
    send_back = button("Send back", secondary=True)


PARENT = {"text": "The recommendation", "href": "/assurance/plan"}


@bp.get("/assurance/plan/document")
@requires(VIEW)
@at_position(PARENT)
def show_plan(position: Position) -> ResponseReturnValue:
    """Show the plan as at a date, as known on an instant, with what makes it untrue and its milestones."""
    desk, plan = read_desk(position), assurance_plan.read_plan(position)
    recommendation = find_recommendation(desk, assurance_plan.KEY)
    lines = list_action_lines(desk, position.as_at)  # an action may wait for one of another recommendation
    actions = [line for line in lines if line.key == assurance_plan.KEY]
    known = {line.title for line in actions}
    return render_template(
        "force_plan/plan.html",
        recommendation=recommendation,
        plan=plan,
        html=fill_placeholders(plan.guide.html) if plan else "",
        versions=assurance_plan.list_plan_versions(position),
        suggested=[title for title in plan_template().milestones if title not in known],
        actions=actions,
        names=name_people(line.owner_id for line in actions),
        proposal=None if position.past else assurance_plan.open_plan_proposal(),
        ended=[] if position.past else assurance_plan.list_ended_plans(),
        guide_key=assurance_plan.GUIDE_KEY,
        own=current_user.person_id,
        **template_values_of(position),
    )


@bp.post("/assurance/plan/document")
@requires(MANAGE)
def begin_next_plan() -> ResponseReturnValue:
    """Begin the next version with what is there, then show its sections."""
    with transaction():
        assurance_plan.begin_plan(by=current_user.person_id, at=clock.now())
    return redirect(url_for(".write_next_plan"), 303)


@bp.route("/assurance/plan/draft", methods=["GET", "POST"])
@requires(MANAGE)
def write_next_plan() -> ResponseReturnValue:
    """Show the sections of the version that one writes, and send it to a second person."""
    proposal = assurance_plan.open_plan_proposal()
    if proposal is None:
        raise NotFoundError("Nobody is writing the next version of the plan. Begin it on the plan’s page.")
    if not _is_own_draft(proposal):
        return redirect(url_for(".show_plan_proposal", proposal_id=proposal.id))
    form = SendPlanForm(data={"review_on": date_words(proposal.review_on)})
    review_on = form.review_on.day
    if form.validate_on_submit() and review_on is not None:
        try:
            with transaction():
                assurance_plan.send_plan(
                    proposal.id,
                    note=form.note.data,
                    review_on=review_on,
                    by=current_user.person_id,
                    at=clock.now(),
                )
        except (BadInputError, RuleError) as error:
            form.form_errors += error.reasons if isinstance(error, BadInputError) else [str(error)]
        else:
            flash("Sent. Somebody else publishes it, or sends it back with a reason.", "success")
            return redirect(url_for(".show_plan_proposal", proposal_id=proposal.id), 303)
    html = render_template(
        "force_plan/draft.html", form=form, proposal=proposal, sections=plan_template().sections
    )
    return html, 400 if form.errors else 200


@bp.route("/assurance/plan/draft/<section_key>", methods=["GET", "POST"])
@requires(MANAGE)
def write_plan_section(section_key: str) -> ResponseReturnValue:
    """Write one section of the version that one writes, then go on to the next."""
    proposal, template = assurance_plan.open_plan_proposal(), plan_template()
    section = template.find_section(section_key)
    if proposal is None or section is None:
        raise NotFoundError("There is no such section, or nobody is writing the next version of the plan.")
    if not _is_own_draft(proposal):
        return redirect(url_for(".show_plan_proposal", proposal_id=proposal.id))
    form = build_section_form(section, proposal.answers)
    if form.validate_on_submit():
        answers = {each.key: form[each.key].data or "" for each in section.questions}
        with transaction():
            assurance_plan.save_section(
                proposal.id, section_key, answers, by=current_user.person_id, at=clock.now()
            )
        flash(f"Saved: {section.title}.", "success")
        keys = [each.key for each in template.sections]
        later = keys[keys.index(section_key) + 1 :]
        target = (
            url_for(".write_plan_section", section_key=later[0]) if later else url_for(".write_next_plan")
        )
        return redirect(target, 303)
    html = render_template("force_plan/section.html", form=form, section=section, template=template)
    return html, 400 if form.errors else 200


@bp.get("/assurance/plan/proposals/<int:proposal_id>")
@requires(VIEW)
def show_plan_proposal(proposal_id: int) -> ResponseReturnValue:
    """Show a proposed version as officers would see it, what it changes, and what became of it."""
    return _render_proposal(assurance_plan.get_plan_proposal(proposal_id), SendPlanBackForm())


@bp.post("/assurance/plan/proposals/<int:proposal_id>/publish")
@requires(CONFIRM, recent=True)
def publish_next_plan(proposal_id: int) -> ResponseReturnValue:
    """Publish exactly what was sent: as the plan, as a guide, and in the details that lessons show."""
    with transaction():
        number = assurance_plan.publish_plan(proposal_id, by=current_user.person_id, at=clock.now())
    flash(f"Version {number} is published. Its guide and every lesson show it from now on.", "success")
    return redirect(url_for(".show_plan"), 303)


@bp.post("/assurance/plan/proposals/<int:proposal_id>/send-back")
@requires(CONFIRM)
def send_next_plan_back(proposal_id: int) -> ResponseReturnValue:
    """Send a proposed version back with a reason."""
    form = SendPlanBackForm()
    if not form.validate_on_submit():
        return _render_proposal(assurance_plan.get_plan_proposal(proposal_id), form), 400
    with transaction():
        assurance_plan.send_plan_back(
            proposal_id, reason=form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("Sent back. What was written is kept for the next version.", "success")
    return redirect(url_for(".show_plan_proposal", proposal_id=proposal_id), 303)


@bp.post("/assurance/plan/proposals/<int:proposal_id>/withdraw")
@requires(MANAGE)
def withdraw_next_plan(proposal_id: int) -> ResponseReturnValue:
    """Withdraw one's own version, whether it was sent or not."""
    with transaction():
        assurance_plan.withdraw_plan(proposal_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn. The next version begins with what was written.", "success")
    return redirect(url_for(".show_plan_proposal", proposal_id=proposal_id), 303)


def _is_own_draft(proposal: ProposedPlan) -> bool:
    return proposal.is_written and proposal.proposed_by_id == current_user.person_id


def _render_proposal(proposal: ProposedPlan, form: SendPlanBackForm) -> str:
    comparison = assurance_plan.compare_plan(proposal, clock.today())
    own = proposal.proposed_by_id == current_user.person_id
    return render_template(
        "force_plan/proposal.html",
        proposal=proposal,
        comparison=comparison,
        html=fill_placeholders(comparison.html),
        form=form,
        own=own,
        may_decide=CONFIRM in current_user.permissions and not own,
        may_manage=MANAGE in current_user.permissions,
    )


# What other pages show of the plan.


def find_plans(viewer: Viewer) -> Iterator[Waiting]:
    """Versions of the plan that somebody else wrote."""
    if count := assurance_plan.count_plans_for(viewer.person_id):
        yield Waiting(
            f"{plural(count, 'version')} of the force’s plan {'waits' if count == 1 else 'wait'} for you",
            plural(
                count,
                "version of the force’s plan to read and publish",
                "versions of the force’s plan to read and publish",
            ),
            url_for("force_plan.show_plan"),
            "Written by somebody else",
        )


def show_pane(recommendation: RecommendationSnapshot, position: Position) -> str:
    """The pane on the page of the recommendation that the plan answers; empty on those of others."""
    if recommendation.key != assurance_plan.KEY:
        return ""
    return render_template("force_plan/pane.html", recommendation=recommendation, position=position)
