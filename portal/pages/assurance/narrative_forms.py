"""The form with which the force's answer is written."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import SubmitField

from portal.domain.assurance.narrative.rendering import MOST_CHARACTERS
from portal.pages.layout.form_fields import DayField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSubmit, GovTextarea
from portal.platform.wording import date as date_words


class NarrativeForm(FlaskForm):  # type: ignore[misc]
    """A narrative's Markdown, and from which day it holds."""

    text = LinesField(
        "The answer in words",
        description="Name posts and meetings, not people. Begin headings with ##, and put words between two "
        "asterisks to make them **bold**. Numbers come from fields, so that they are right at every date.",
        widget=GovTextarea(rows=18),
        validators=[RequiredText("Write the answer in words"), MaximumLength(MOST_CHARACTERS)],
    )
    from_on = DayField(
        "From which day is it true?",
        missing="Enter the day from which it holds",
        description="For example, 30 April 2026. An earlier day than today is entered late, and says so.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    preview = SubmitField("Preview", widget=GovSubmit(secondary=True))
    save = SubmitField("Save", widget=GovSubmit())

    @classmethod
    def begin(cls, text: str, day: date) -> "NarrativeForm":
        """The form with the text of the version that holds, and today."""
        return cls(data={"text": text, "from_on": date_words(day)})
