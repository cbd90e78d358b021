"""The page of a recommendation's narrative: as it reads at a position, and the form of its next version."""

from dataclasses import dataclass, field

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from portal.domain.assurance.desk import RecommendationSnapshot, read_recommendation
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.narrative.fields import NarrativeField, list_fields
from portal.domain.assurance.narrative.queries import list_narratives
from portal.domain.assurance.narrative.rendering import check_narrative, field_values, render_narrative
from portal.domain.assurance.narrative.services import write_narrative
from portal.domain.assurance.wording import name_people
from portal.domain.reports.parameters import Position, read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, read_at, template_values_of
from portal.pages.assurance.forms import NarrativeForm
from portal.pages.layout.access import requires
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.layout.forms import mark_refusal
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError
from portal.platform.permissions import Permission


@dataclass(frozen=True)
class NarrativePage:
    """A recommendation with the fields that its narrative may have, at a position."""

    recommendation: RecommendationSnapshot
    position: Position
    fields: list[NarrativeField] = field(default_factory=list)

    @classmethod
    def read(cls, key: str, position: Position) -> "NarrativePage":
        """Read it.

        Raises:
            NotFoundError: There is no such recommendation at the position.
        """
        recommendation = read_recommendation(key, position)
        states = check_evidence(recommendation.evidence, position)
        force = current_app.config["PORTAL"].force_name
        return cls(recommendation, position, list_fields(recommendation, states, position, force))

    def fill_text(self, text: str) -> Markup:
        """A text with its fields filled."""
        return render_narrative(text, field_values(self.fields))


@bp.get("/assurance/<key>/narrative")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_narrative(position: Position, key: str) -> ResponseReturnValue:
    """Show the narrative as at a date, as known on an instant; today's, with the form of the next version."""
    page = read_at(lambda at: NarrativePage.read(key, at), position, "This recommendation")
    text = page.recommendation.narrative.text if page.recommendation.narrative else ""
    form = NarrativeForm(data={"text": text})
    form.offer_day(clock.today())
    return _write_page(page, form)


@bp.post("/assurance/<key>/narrative")
@requires(Permission.ASSURANCE_MANAGE)
def save_narrative(key: str) -> ResponseReturnValue:
    """Save the next version of the narrative, or show how it would read."""
    page, form = NarrativePage.read(key, read_position_today(clock.now())), NarrativeForm()
    if not form.validate_on_submit():
        return _write_page(page, form)
    if form.preview.data:
        faults = check_narrative(form.text.data, page.fields)
        for fault in faults:
            mark_wrong(form.text, fault)
        return _write_page(page, form, None if faults else page.fill_text(form.text.data))
    try:
        with transaction():
            write_narrative(
                key,
                form.text.data,
                page.fields,
                from_on=form.day,
                by=current_user.person_id,
                at=clock.now(),
            )
    except BadInputError as error:
        for fault in error.reasons:
            mark_wrong(form.text, fault)
        return _write_page(page, form)
    except EntryRefusedError as error:
        mark_refusal(form, error)
        return _write_page(page, form)
    flash("The narrative was saved.")
    return redirect(url_for("assurance.show_narrative", key=key), 303)


def _write_page(
    page: NarrativePage, form: NarrativeForm, preview: Markup | None = None
) -> ResponseReturnValue:
    narrative = page.recommendation.narrative
    versions = list_narratives(page.recommendation.id, page.position)
    html = render_template(
        "assurance/narrative.html",
        recommendation=page.recommendation,
        fields=page.fields,
        filled=page.fill_text(narrative.text) if narrative else None,
        preview=preview,
        versions=versions,
        names=name_people(version.recorded_by_id for version in versions),
        form=form,
        **template_values_of(page.position),
    )
    return html, 400 if form.errors else 200
