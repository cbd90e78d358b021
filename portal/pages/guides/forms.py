"""Forms of the search, the acknowledgement of a guide, and the force's settings."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain.catalogue.sources.shared_files import ForceSetting
from portal.pages.layout.form_widgets import GovInput, GovTextarea


class GuideSearchForm(Form):  # type: ignore[misc]
    """The search for guides and lessons."""

    q = StringField("Search guides and lessons", widget=GovInput(autocomplete="off"))


class AcknowledgeForm(FlaskForm):  # type: ignore[misc]
    """The version of the guide that the reader was shown."""

    number = IntegerField(widget=HiddenInput(), validators=[InputRequired()])


MAX_CHARACTERS = 300


def build_force_form(settings: Iterable[ForceSetting], **kwargs: Any) -> FlaskForm:
    """Build a form with one growing field for each setting; what is typed becomes one line of a sentence."""
    fields = {
        setting.key: TextAreaField(
            setting.label,
            description=setting.hint,
            widget=GovTextarea(rows=2),
            filters=[lambda text: " ".join((text or "").split())],
            validators=[Length(max=MAX_CHARACTERS, message=f"Use {MAX_CHARACTERS} characters or fewer.")],
        )
        for setting in settings
    }
    return type("ForceForm", (FlaskForm,), fields)(prefix="force", **kwargs)
