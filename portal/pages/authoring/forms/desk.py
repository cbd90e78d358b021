"""Forms to create a module or a guide, and to search the questions of a draft."""

import re
from collections.abc import Sequence
from typing import ClassVar

from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField, SubmitField, ValidationError
from wtforms.fields import SelectChoice

from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_fields import LineField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit

LABEL = "govuk-label--s"
KEY_BOX = GovInput(
    classes="govuk-input--width-20",
    label_classes=LABEL,
    autocomplete="off",
    autocapitalize="none",
    spellcheck=False,
)
QUESTION_STATES = {
    "in-use": "In use",
    "retired": "Retired",
    "put-right": "Something to put right",
    "consider": "Something to consider",
}
Choice = tuple[str, str]  # value and label
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class NewForm(PortalForm):
    """The title and key of a new module or guide."""

    noun: ClassVar[str]
    key: LineField

    def validate_key(self, field: LineField) -> None:
        """Refuse a key that is not fit for addresses."""
        if not _KEY.fullmatch(str(field.data)):
            raise ValidationError(
                "Enter the short name with small letters, digits and hyphens, such as “protect”"
            )


class NewModuleForm(NewForm):
    """The form to create a module."""

    noun = "module"
    title = LineField(
        "Title",
        description="What learners will see in their list, such as “Protect: law, victims and children”."
        " You can change it later.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a title"), MaximumLength(120)],
    )
    key = LineField(
        "Short name",
        description="One or two words for the module’s address and for directives, such as “protect”: small"
        " letters, digits and hyphens. It cannot be changed later.",
        widget=KEY_BOX,
        validators=[RequiredText("Enter a short name, such as “protect”"), MaximumLength(40)],
    )
    send = SubmitField("Create the module", widget=GovSubmit())


class NewGuideForm(NewForm):
    """The form to create a guide."""

    noun = "guide"
    title = LineField(
        "Title",
        description="What readers will see in the list of guides, such as “Who to call and what they need"
        " from you”. You can change it later.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a title"), MaximumLength(120)],
    )
    key = LineField(
        "Short name",
        description="A few words for the guide’s address and for directives, such as “who-to-call”: small"
        " letters, digits and hyphens. It cannot be changed later.",
        widget=KEY_BOX,
        validators=[RequiredText("Enter a short name, such as “who-to-call”"), MaximumLength(40)],
    )
    send = SubmitField("Create the guide", widget=GovSubmit())


class QuestionFilterForm(PlainForm):
    """The search of a draft's questions, kept in the address.

    Args:
        outcomes: The module's, by key and text.
        lessons: Its lessons, by key and title.
    """

    words = StringField("Words", widget=GovInput(label_classes=LABEL, autocomplete="off"))
    outcome = SelectField("Outcome", widget=GovSelect(label_classes=LABEL), validate_choice=False)
    lesson = SelectField("Lesson", widget=GovSelect(label_classes=LABEL), validate_choice=False)
    state = SelectField("State", widget=GovSelect(label_classes=LABEL), validate_choice=False)

    def __init__(
        self, arguments: MultiDict[str, str], outcomes: Sequence[Choice], lessons: Sequence[Choice]
    ) -> None:
        super().__init__(arguments)
        self.outcome.choices = _choices("All outcomes", outcomes)
        self.lesson.choices = _choices("All lessons", lessons)
        self.state.choices = _choices("All states", list(QUESTION_STATES.items()))

    @property
    def lists(self) -> list[SelectField]:
        """The fields with a list."""
        return [self.outcome, self.lesson, self.state]


def _choices(everything: str, choices: Sequence[Choice]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=text) for value, text in [("", everything), *choices]]
