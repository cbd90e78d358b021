"""What readers of guides, and those who fill in the force's settings, can send."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain.catalogue.sources.shared_files import Setting
from portal.pages.layout.form_widgets import GovInput


class SearchForm(Form):  # type: ignore[misc]
    """Words to look for."""

    q = StringField("Search guides and lessons", widget=GovInput(autocomplete="off"))


class AcknowledgeForm(FlaskForm):  # type: ignore[misc]
    """The version that the reader had before them."""

    number = IntegerField(widget=HiddenInput(), validators=[InputRequired()])


MOST_CHARACTERS = 300


def force_form(settings: Iterable[Setting], **kwargs: Any) -> FlaskForm:
    """One field a setting, with its own label and hint."""
    fields = {
        setting.key: StringField(
            setting.label,
            description=setting.hint,
            widget=GovInput(),
            filters=[lambda text: " ".join((text or "").split())],
            validators=[Length(max=MOST_CHARACTERS, message=f"Use {MOST_CHARACTERS} characters or fewer.")],
        )
        for setting in settings
    }
    return type("ForceForm", (FlaskForm,), fields)(prefix="force", **kwargs)
