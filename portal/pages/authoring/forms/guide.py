"""The form of a guide: its details and its text."""

from wtforms import BooleanField, HiddenField

from portal.pages.authoring.forms.pages import EDITOR, LABEL
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import (
    LONGEST_TEXT,
    DayField,
    LineField,
    LinesField,
    MaximumLength,
    RequiredText,
)
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovTextarea


class GuideForm(PortalForm):
    """One guide; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = LineField(
        "Title",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[
            RequiredText("Enter a title, such as “Who to call and what they need from you”"),
            MaximumLength(120),
        ],
    )
    summary = LineField(
        "Summary",
        description="One sentence that says what a reader finds here. The list of guides shows it.",
        widget=GovTextarea(label_classes=LABEL, rows=2),
        validators=[RequiredText("Enter a summary in one sentence"), MaximumLength(300)],
    )
    body = LinesField(
        "Text of the guide",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the guide"), MaximumLength(LONGEST_TEXT)],
    )
    owner = LineField(
        "Owner",
        description="The unit that is responsible for the content, such as “Learning and development”.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter the unit that is responsible for the content"), MaximumLength(120)],
    )
    review_on = DayField(
        "Review by",
        description="The day by which someone must check it against the law again, such as 31 May 2027.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    acknowledge = BooleanField(
        "Ask readers to confirm that they have read it",
        description="They must confirm again when a new version is published. A directive can require it.",
        widget=GovCheckboxes(),
    )
