"""What a reader of guides can send."""

from flask_wtf import FlaskForm
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import HiddenInput

from portal.web.form_widgets import GovInput


class SearchForm(Form):  # type: ignore[misc]
    """Words to look for."""

    q = StringField("Search guides and lessons", widget=GovInput(autocomplete="off"))


class AcknowledgeForm(FlaskForm):  # type: ignore[misc]
    """The version that the reader had before them."""

    number = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
