"""Forms of a review: sending, commenting and sending back."""

from datetime import datetime
from typing import Any

from wtforms import HiddenField, SubmitField, ValidationError

from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import DayField, LineField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSubmit, GovTextarea
from portal.platform.clock import read_london_time

LABEL = "govuk-label--s"
LONGEST = 2000


def _words_field(label: str, missing: str, hint: str = "", rows: int = 4) -> LinesField:
    return LinesField(
        label,
        description=hint,
        widget=GovTextarea(label_classes=LABEL, rows=rows),
        validators=[RequiredText(missing), MaximumLength(LONGEST)],
    )


class SendForm(PortalForm):
    """Sends a draft for review; ``expected`` is the number of the state that the page showed."""

    expected = HiddenField()
    note = _words_field(
        "What you changed, and why",
        "Say what you changed, and why",
        "The reviewer reads this first. Name the source where the law or a number changed.",
    )
    send = SubmitField("Send for review", widget=GovSubmit())


class PassAgainForm(PortalForm):
    """The day from which older passes do not count; it is previewed before it is published."""

    review = HiddenField()
    from_on = DayField(
        "First day on which older passes do not count",
        missing="Enter the first day on which older passes do not count",
        description="For example, 1 September 2027. Leave people time to pass again.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL),
    )
    preview = SubmitField("Show whom it concerns", widget=GovSubmit(secondary=True))


class ScheduleForm(PortalForm):
    """When a reviewed draft is to be published."""

    review = HiddenField()
    when = LineField(
        "When to publish it",
        description="A London time on a day, such as 9:00 on 1 September 2027.",
        widget=GovInput(classes="govuk-input--width-20", label_classes=LABEL),
        validators=[RequiredText("Enter a time and a day, such as 9:00 on 1 September 2027")],
    )
    send = SubmitField("Approve, and publish then", widget=GovSubmit())

    def validate_when(self, field: LineField) -> None:
        """Refuse a text that names no instant."""
        if self.instant is None:
            raise ValidationError("Enter a time and a day, such as 9:00 on 1 September 2027")

    @property
    def instant(self) -> datetime | None:
        """The instant; None if the text names none."""
        return read_london_time(str(self.when.data or ""))


class SendBackForm(PortalForm):
    """Ends a review without publishing."""

    review = HiddenField()
    reason = _words_field(
        "What must change before it can be published",
        "Say what must change before it can be published",
        "The author sees this with the comments that you have added.",
    )
    send = SubmitField("Send back with a comment", widget=GovSubmit())


class CommentForm(PortalForm):
    """Comments on one place of the reviewed draft."""

    review = HiddenField()
    place = HiddenField()
    text = _words_field("Your comment", "Write the comment", rows=3)
    add = SubmitField("Add comment", widget=GovSubmit(secondary=True))

    def __init__(self, number: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in (self.text, self.add):
            field.id = f"{field.name}-{number}" if number else field.name
