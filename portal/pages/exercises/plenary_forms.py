"""Forms of the plenary: a statement, a choice of them, their groups, and an action."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from wtforms import HiddenField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError

from portal.domain.exercises import actions, statements
from portal.domain.exercises.statements import Statement
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import (
    CheckboxesField,
    DayField,
    LineField,
    MaximumLength,
    RequiredText,
)
from portal.pages.layout.form_widgets import GovInput, GovSubmit, GovTextarea


class StatementForm(PortalForm):
    """One anonymous statement."""

    text = LineField(
        "Your statement",
        description=f"One thought, of at most {statements.LONGEST} characters. Name nobody in it.",
        widget=GovTextarea(rows=3),
        validators=[RequiredText("Write a statement"), MaximumLength(statements.LONGEST)],
    )
    send = SubmitField("Send without your name", widget=GovSubmit())


class StatementsField(CheckboxesField):
    """Some of the statements that a page shows."""

    def offer_statements(self, offered: Iterable[Statement]) -> None:
        """Offer some statements, in their order."""
        self.choices = [
            SelectChoice(value=str(row.key), label=f"{row.text} (off the wall)" if row.hidden else row.text)
            for row in offered
        ]

    @property
    def chosen_keys(self) -> list[UUID]:
        """The keys of the chosen statements; a value that is no key is left out."""
        return [key for value in dict.fromkeys(self.data or []) if (key := read_key(value)) is not None]


class RankingForm(PortalForm):
    """The statements that matter most to one person."""

    chosen = StatementsField("Choose up to three", description="Each gets one point.")
    send = SubmitField("Send your choice", widget=GovSubmit())

    def validate_chosen(self, field: StatementsField) -> None:
        """Require one, two or three."""
        if not 1 <= len(field.chosen_keys) <= statements.CHOICES:
            raise ValidationError("Choose one, two or three statements")


class ThemeForm(PortalForm):
    """Statements to put into a group, or to take off the wall; the button says which."""

    chosen = StatementsField("Statements")
    theme = LineField(
        "Name of the group",
        description="Leave it empty to take statements out of their group.",
        widget=GovInput(classes="govuk-input--width-20"),
        validators=[MaximumLength(statements.LONGEST_THEME)],
    )

    def validate_chosen(self, field: StatementsField) -> None:
        """Require at least one."""
        if not field.chosen_keys:
            raise ValidationError("Choose the statements")


class OnceForm(PortalForm):
    """A form with a key of its own, so that sent twice is once."""

    key = HiddenField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if read_key(self.key.data or "") is None:
            self.key.data = str(uuid4())

    @property
    def form_key(self) -> UUID:
        """Its key."""
        return UUID(self.key.data)


class ActionForm(OnceForm):
    """Something to be done after the exercise."""

    what = LineField(
        "What is to be done",
        widget=GovTextarea(rows=2),
        validators=[RequiredText("Enter what is to be done"), MaximumLength(actions.LONGEST)],
    )
    owner = LineField(
        "Who will do it",
        description="A role or a post, such as duty inspector.",
        widget=GovInput(classes="govuk-input--width-20"),
        validators=[RequiredText("Enter who will do it"), MaximumLength()],
    )
    due_on = DayField(
        "By when",
        description="Such as 31 May 2027",
        missing="Enter a date, such as 31 May 2027",
        widget=GovInput(classes="govuk-input--width-10"),
    )
    send = SubmitField("Write it down", widget=GovSubmit())

    @property
    def due_day(self) -> date:
        """The day; the form must be valid."""
        day = self.due_on.day
        if day is None:
            raise ValueError("The form is not valid.")
        return day


def read_key(text: str) -> UUID | None:
    """Read a key; None: the text is no key."""
    try:
        return UUID(text)
    except ValueError:
        return None
