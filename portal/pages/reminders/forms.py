"""Forms: when a directive reminds, and the reminder to one person."""

import re
from collections.abc import Sequence
from typing import Any

from wtforms import Field, Form, StringField, SubmitField, ValidationError
from wtforms.fields import SelectChoice

from portal.domain.reminders.queries import Addressee
from portal.domain.reminders.rules import ReminderRules
from portal.domain.reminders.services import sort_days
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import CheckboxesField
from portal.pages.layout.form_widgets import GovInput, GovSubmit

LONGEST_PERIOD = 730  # days
MOST_PERIODS = 6  # in one field


def _read_days(text: str) -> list[int]:
    return [int(word) for word in re.split(r"[,;\s]+", text.strip()) if word]


class DaysList:
    """Validator: at most ``most`` numbers of days."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise a ValidationError with a sentence if the field contains anything else."""
        try:
            days = _read_days(field.data or "")
        except ValueError:
            days = [-1]
        if len(days) > self.most or any(not 0 <= day <= LONGEST_PERIOD for day in days):
            if self.most == 1:
                raise ValidationError(f"Enter a number of days from 0 to {LONGEST_PERIOD}, such as 7.")
            raise ValidationError(
                f"Enter up to {self.most} numbers of days from 0 to {LONGEST_PERIOD}, such as 30, 7, 1."
            )


class RulesForm(PortalForm):
    """When a directive reminds."""

    notice = StringField(
        "Days before the due date",
        description="For example, 30, 7, 1. Leave it empty to remind nobody before the due date.",
        widget=GovInput(),
        validators=[DaysList(MOST_PERIODS)],
    )
    every = StringField(
        "Days between reminders of somebody overdue",
        description="The first goes on the first day overdue. 0 means none.",
        widget=GovInput(),
        validators=[DaysList(1)],
    )
    escalate = StringField(
        "Days overdue before the line manager is told",
        description="0 means never.",
        widget=GovInput(),
        validators=[DaysList(1)],
    )
    ending = StringField(
        "Days before a completion ends",
        description="For example, 60, 30, 7. This matters only if completions end.",
        widget=GovInput(),
        validators=[DaysList(MOST_PERIODS)],
    )
    send = SubmitField("Save", widget=GovSubmit())

    @classmethod
    def from_rules(cls, rules: ReminderRules, **kwargs: Any) -> "RulesForm":
        """The form filled with these rules, or with what was sent."""
        data = {
            "notice": ", ".join(map(str, rules.notice_days)),
            "every": str(rules.overdue_every),
            "escalate": str(rules.escalate_after),
            "ending": ", ".join(map(str, rules.ending_days)),
        }
        return cls(data=data, **kwargs)

    @property
    def entered_rules(self) -> ReminderRules:
        """The rules that were sent; the form must be valid."""
        every, escalate = [(_read_days(field.data or "") or [0])[0] for field in (self.every, self.escalate)]
        notice, ending = [sort_days(_read_days(field.data or "")) for field in (self.notice, self.ending)]
        return ReminderRules(notice, every, escalate, ending)


class BulkNudgeForm(PortalForm):
    """The people to remind: all of the preview are ticked until somebody unticks them."""

    people = CheckboxesField("People to remind")
    send = SubmitField("Send the reminders", widget=GovSubmit())

    def offer_people(self, people: Sequence[Addressee]) -> None:
        """Offer the people of a preview."""
        self.people.choices = [
            SelectChoice(value=person.staff_number, label=f"{person.listed_name} ({person.staff_number})")
            for person in people
        ]
        if not self.is_submitted():
            self.people.data = [person.staff_number for person in people]

    def validate_people(self, field: CheckboxesField) -> None:
        """Require at least one."""
        if not field.chosen_values:
            raise ValidationError("Select the people to remind")


class NudgeForm(PortalForm):
    """The button that sends a reminder."""

    send = SubmitField("Send the reminder", widget=GovSubmit())
