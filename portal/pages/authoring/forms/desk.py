"""Forms to create a module or a guide."""

import re
from typing import ClassVar

from flask_wtf import FlaskForm
from wtforms import SubmitField, ValidationError

from portal.pages.layout.form_fields import LineField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSubmit

LABEL = "govuk-label--s"
KEY_BOX = GovInput(
    classes="govuk-input--width-20",
    label_classes=LABEL,
    autocomplete="off",
    autocapitalize="none",
    spellcheck=False,
)
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class NewForm(FlaskForm):  # type: ignore[misc]
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
