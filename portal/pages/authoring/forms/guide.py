"""The form of a guide: what a list says of it, and its text."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField

from portal.pages.authoring.forms.fields import LONGEST_TEXT, Day, Line, Needed, Plain, Text
from portal.pages.authoring.forms.pages import EDITOR, LABEL
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovTextarea


class GuideForm(FlaskForm):  # type: ignore[misc]
    """One guide, with the hash of the file that the page showed."""

    expected = HiddenField()
    title = Line(
        "Title",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[Needed("Enter a title, such as “Who to call and what they need from you”"), Plain(120)],
    )
    summary = Line(
        "Summary",
        description="One sentence that says what a reader finds here. It stands in the list of guides.",
        widget=GovTextarea(label_classes=LABEL, rows=2),
        validators=[Needed("Enter a summary in one sentence"), Plain(300)],
    )
    body = Text(
        "Text of the guide",
        widget=EDITOR,
        validators=[Needed("Write the text of the guide"), Plain(LONGEST_TEXT)],
    )
    owner = Line(
        "Owner",
        description="The unit that answers for the content, such as “Learning and development”.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[Needed("Enter the unit that answers for the content"), Plain(120)],
    )
    review_on = Day(
        "Review by",
        description="The day by which someone must have read it again against the law, such as 31 May 2027.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    acknowledge = BooleanField(
        "Ask readers to say that they have read it",
        description="They are asked again when a new version is published. A directive can require it.",
        widget=GovCheckboxes(),
    )
