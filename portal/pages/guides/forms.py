"""What readers of guides, and those who fill in the force's settings, can send."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain.catalogue.sources.shared_files import ForceSetting
from portal.pages.layout.form_widgets import GovInput


class GuideSearchForm(Form):  # type: ignore[misc]
    """Words to look for."""

    q = StringField("Search guides and lessons", widget=GovInput(autocomplete="off"))


class AcknowledgeForm(FlaskForm):  # type: ignore[misc]
    """The version that the reader had before them."""

    number = IntegerField(widget=HiddenInput(), validators=[InputRequired()])


MAX_CHARACTERS = 300


def build_force_form(settings: Iterable[ForceSetting], **kwargs: Any) -> FlaskForm:
    """One field a setting, with its own label and hint."""
    fields = {
        setting.key: StringField(
            setting.label,
            description=setting.hint,
            widget=GovInput(),
            filters=[lambda text: " ".join((text or "").split())],
            validators=[Length(max=MAX_CHARACTERS, message=f"Use {MAX_CHARACTERS} characters or fewer.")],
        )
        for setting in settings
    }
    return type("ForceForm", (FlaskForm,), fields)(prefix="force", **kwargs)
