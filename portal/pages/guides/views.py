"""Pages of guides: the list with its search, one guide with its acknowledgement, and force settings."""

from collections.abc import Iterable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field, IntegerField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain import guides
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.search import MOST_CHARACTERS, SearchResult, search_content
from portal.domain.catalogue.services import set_force_values
from portal.domain.catalogue.source_files import TEST_OUT_KEY, ForceSetting
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.learning.queries import readable_versions
from portal.domain.people.queries import list_post_names
from portal.domain.people.staff_numbers import (
    DUTIES,
    SETTING,
    USUAL_NAMES,
    names_of_duties,
    roles_without_duty,
)
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.fields import radios, text_as_typed, text_block
from portal.pages.layout.forms import PlainForm, PortalForm
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import open_at_place
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission
from portal.platform.wording import date

# Forms of the search, the acknowledgement of a guide, and the force's settings.


class GuideSearchForm(PlainForm):
    """The search for guides and lessons."""

    q = text_as_typed("Search guides and lessons")


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
        setting.key: text_block(
            setting.label,
            setting.hint,
            checks=[Length(max=MAX_CHARACTERS, message=f"Use {MAX_CHARACTERS} characters or fewer.")],
            rows=2,
            filters=[lambda text: " ".join((text or "").split())],
        )
        for setting in settings
    }
    names = {SETTING + duty: "\n".join(names) for duty, names in names_of_duties(values).items()}
    fields |= {SETTING + duty: _duty_field(duty) for duty in DUTIES}
    fields[TEST_OUT_KEY] = radios(
        "Assessment before the lessons",
        "Whoever passes without the lessons does not have to read them.",
        classes="govuk-radios--small",
        label_classes="govuk-fieldset__legend--m",
        choices=[SelectChoice(value=word, label=label) for word, label in _TEST_OUT_WORDS],
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
    return text_block(
        f"For {duty}",
        checks=[Length(max=MAX_ROLES, message=f"Use {MAX_ROLES} characters or fewer.")],
        rows=3,
        filters=[lambda text: "\n".join(filter(None, map(str.strip, (text or "").splitlines())))],
    )


MAX_HITS = 20
bp = Blueprint("guides", __name__, template_folder="templates")


@bp.get("/guides")
@requires(Permission.LEARN)
def list_guides() -> ResponseReturnValue:
    """List every guide, or what matches a search of modules, lessons, guides and the glossary."""
    typed = " ".join(request.args.get("q", "")[: 2 * MOST_CHARACTERS].split())
    text = "".join(filter(str.isprintable, typed))[:MOST_CHARACTERS]  # nothing that turns a line around
    person_id, result = current_user.person_id, SearchResult()
    exact = bool(request.args.get("exact"))
    if text:
        result = search_content(text, readable_versions(person_id), MAX_HITS, exact=exact)
    return render_template(
        "guides/index.html",
        text=text,
        form=GuideSearchForm(data={"q": text}),
        result=result,
        exact=exact,
        guides=[] if text else guides.guides_for(person_id),
        links=[link_to() for link_to in list_parts("guides.links")],
        sets_force=Permission.FORCE_SET in current_user.permissions,
    )


@bp.get("/guides/<key>")
@requires(Permission.LEARN)
def show_guide(key: str) -> ResponseReturnValue:
    """Show one guide on one page, for reading and printing."""
    guide = guides.guide_for(current_user.person_id, key)
    return render_template(
        "guides/guide.html",
        guide=guide,
        html=open_at_place(fill_placeholders(guide.version.html)),
        form=AcknowledgeForm(data={"number": guide.version.number}),
    )


@bp.get("/guides/<key>/guide.pdf")
@requires(Permission.LEARN)
def download_guide(key: str) -> ResponseReturnValue:
    """Download the guide as a tagged PDF, to print or save."""
    version = guides.guide_for(current_user.person_id, key).version
    return send_pdf(
        markup_of_page(fill_placeholders(version.html)),
        title=version.title,
        above="Guide",
        foot=f"version {version.number}, published on {date(version.published_at)}",
        at=version.published_at,
        name=f"{key}.pdf",
        strict=False,  # what was once published is there to be printed, whatever its headings are
    )


@bp.post("/guides/<key>")
@requires(Permission.LEARN)
def acknowledge_guide(key: str) -> ResponseReturnValue:
    """Record that the reader has read this version, then show the guide."""
    form = AcknowledgeForm()
    if form.validate_on_submit():
        with transaction():
            reference = guides.acknowledge_guide(
                current_user.person_id, key, form.number.data, at=clock.now()
            )
        flash(f"Recorded: you have read this guide. Reference {reference}.", "success")
    return redirect(url_for(".show_guide", key=key), 303)


@bp.route("/force-settings", methods=["GET", "POST"])
@requires(Permission.FORCE_SET, recent=True)
def edit_force_settings() -> ResponseReturnValue:
    """Edit the force's settings, with the pages on which each is shown."""
    content = shared_content()
    form = build_force_form(content.settings.values(), content.values)
    if form.validate_on_submit():
        values = entered_values(form, content.settings)
        with transaction():
            changed = set_force_values(values, by=current_user.person_id)
        flash("Saved. Every page shows it from now on." if changed else "You changed nothing.", "success")
        return redirect(url_for(".edit_force_settings"), 303)
    return render_template(
        "guides/force_settings.html",
        form=form,
        content=content,
        uses=guides.uses_of_settings(),
        planned=frozenset().union(*(list_keys() for list_keys in list_parts("guides.force_settings"))),
        duty_keys=[SETTING + duty for duty in DUTIES],
        test_out_key=TEST_OUT_KEY,
        other_roles=roles_without_duty(list_post_names(clock.today()), content.values),
    )
