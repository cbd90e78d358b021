"""The form to open one more attempt by staff number."""

from wtforms import RadioField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.records.queries import EXTRA_REASONS
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import LineField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSubmit


class ExtraAttemptByNumberForm(PortalForm):
    """The staff number of the person, and the reason."""

    staff_number = LineField(
        "Staff number",
        description="The number with which the person signs in.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off", spellcheck=False),
        validators=[RequiredText("Enter a staff number"), MaximumLength(40)],
    )
    reason = RadioField(
        "Reason",
        choices=[
            SelectChoice(value=key, label=words[:1].upper() + words[1:])
            for key, words in EXTRA_REASONS.items()
        ],
        widget=GovRadios(),
        validators=[InputRequired("Select the reason")],
    )
    send = SubmitField("Open one more attempt", widget=GovSubmit())
