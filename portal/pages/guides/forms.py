"""Forms of the search, the acknowledgement of a guide, and the force's settings."""

from collections.abc import Iterable, Mapping

from wtforms import Field, IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain.catalogue.sources.shared_files import TEST_OUT_KEY, ForceSetting
from portal.domain.people.duties import DUTIES, SETTING, USUAL_NAMES, names_of_duties
from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovTextarea


class GuideSearchForm(PlainForm):
    """The search for guides and lessons."""

    q = StringField("Search guides and lessons", widget=GovInput(autocomplete="off"))


class AcknowledgeForm(PortalForm):
    """The version of the guide that the reader was shown."""

    number = IntegerField(widget=HiddenInput(), validators=[InputRequired()])


MAX_CHARACTERS = 300
_TEST_OUT_WORDS = (("", "As each module says"), ("never", "In no module"), ("always", "In every module"))
MAX_ROLES = 2000  # characters of the roles of one duty


def build_force_form(settings: Iterable[ForceSetting], values: Mapping[str, str]) -> PortalForm:
    """Build a form with one growing field for each setting; what is typed becomes one line of a sentence.

    Below them are the roles of each duty, one a line, and the force's word on assessment before the lessons.
    """
    fields: dict[str, Field] = {
        setting.key: TextAreaField(
            setting.label,
            description=setting.hint,
            widget=GovTextarea(rows=2),
            filters=[lambda text: " ".join((text or "").split())],
            validators=[Length(max=MAX_CHARACTERS, message=f"Use {MAX_CHARACTERS} characters or fewer.")],
        )
        for setting in settings
    }
    names = {SETTING + duty: "\n".join(names) for duty, names in names_of_duties(values).items()}
    fields |= {SETTING + duty: _duty_field(duty) for duty in DUTIES}
    fields[TEST_OUT_KEY] = RadioField(
        "Assessment before the lessons",
        choices=[SelectChoice(value=word, label=label) for word, label in _TEST_OUT_WORDS],
        description="Whoever passes without the lessons does not have to read them.",
        widget=GovRadios(classes="govuk-radios--small", label_classes="govuk-fieldset__legend--m"),
    )
    data = {TEST_OUT_KEY: "", **values, **names}
    form: type[PortalForm] = type("ForceForm", (PortalForm,), fields)
    return form(prefix="force", data=data)


def entered_values(form: PortalForm, settings: Iterable[str]) -> dict[str, str]:
    """The values that were entered, by key; the usual roles of a duty are no value."""
    values = {key: form[key].data or "" for key in (*settings, TEST_OUT_KEY)}
    for duty in DUTIES:
        names = form[SETTING + duty].data or ""
        values[SETTING + duty] = "" if names == "\n".join(USUAL_NAMES[duty]) else names
    return values


def _duty_field(duty: str) -> TextAreaField:
    return TextAreaField(
        f"For {duty}",
        widget=GovTextarea(rows=3),
        filters=[lambda text: "\n".join(filter(None, map(str.strip, (text or "").splitlines())))],
        validators=[Length(max=MAX_ROLES, message=f"Use {MAX_ROLES} characters or fewer.")],
    )
