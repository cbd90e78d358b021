"""The form to archive a module and to name the one that replaces it."""

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SubmitField
from wtforms.fields import SelectChoice

from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovRadios, GovSubmit

NO_SUCCESSOR = "none"


class ArchiveForm(PortalForm):
    """The module that replaces the archived one, if there is one."""

    successor = RadioField(
        "Which module replaces it?",
        description="Learners are shown the way there. A pass of this module does not count for it.",
        widget=GovRadios(),
        coerce=lambda value: "" if value == NO_SUCCESSOR else str(value or ""),
    )
    send = SubmitField("Archive this module", widget=GovSubmit())

    def __init__(self, modules: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.successor.choices = [
            *(SelectChoice(value=key, label=title) for key, title in modules),
            SelectChoice(value="", label="None"),
        ]
