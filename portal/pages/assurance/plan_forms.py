"""Forms of the force's plan: one section of it, sending it on, and sending it back."""

from collections.abc import Mapping

from wtforms import Field, SubmitField

from portal.domain.assurance.plan.template import PlanQuestion, PlanSection
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import DayField, LineField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSubmit, GovTextarea
from portal.platform.proposals import LONGEST_NOTE

LABEL = "govuk-label--s"
SHORT = 160  # characters that are seen in one line


def build_section_form(section: PlanSection, answers: Mapping[str, str]) -> PortalForm:
    """Build the form of one section, filled with the answers so far."""
    fields: dict[str, Field] = {each.key: _answer_field(each) for each in section.questions}
    fields["save"] = SubmitField("Save and go on", widget=GovSubmit())
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

    note = LinesField(
        "What is new, and why",
        description="For the person who reads and publishes it.",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[
            RequiredText("Say what is new, for the person who publishes it"),
            MaximumLength(LONGEST_NOTE),
        ],
    )
    review_on = DayField(
        "To be reviewed by",
        missing="Enter the day by which the plan is to be reviewed, such as 31 May 2027",
        description="After this day the plan needs attention, and its owner gets a message.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    send = SubmitField("Send to a second person", widget=GovSubmit())


class SendPlanBackForm(PortalForm):
    """Why a plan is not published as it is."""

    reason = LinesField(
        "Send it back: what has to change",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[RequiredText("Enter what has to change"), MaximumLength(LONGEST_NOTE)],
    )
    send_back = SubmitField("Send back", widget=GovSubmit(secondary=True))
