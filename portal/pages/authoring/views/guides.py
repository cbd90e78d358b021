"""A guide's draft: its page, its text, and how readers will meet it."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.editing import guide as text
from portal.domain.authoring.editing.guide import GuideFields
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.sources.guide_source import GuideSection, guide_sections
from portal.domain.content_checks.metrics import measure_text
from portal.pages.authoring.forms.guide import GuideForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.clock import read_day
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as day
from portal.platform.wording import plural

PLACE = "text"
ASKS = "Readers are asked to say that they have read it"


@dataclass(frozen=True, slots=True)
class PreviewedVersion:
    """A draft as the version that it would be."""

    title: str
    summary: str
    owner: str
    review_on: date
    acknowledge: bool
    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the readers' page of a guide is drawn from."""

    version: PreviewedVersion
    sections: list[GuideSection]
    acknowledgement: None = None
    needs_acknowledgement: bool = True


def draft_page(state: DraftState) -> str:
    """The draft with what the check says of it."""
    said = text.read_guide(draft_context.read_file(state, subject_of(state.key).main_file))
    files = queries.draft_files(state)
    found = finder.collect_findings(state.key, queries.check_draft_hashes(state.key, state.files), files)
    return render_template(
        "authoring/guide.html",
        draft=state,
        title=said.title,
        summary=draft_context.findings_sentence(found),
        may_edit=draft_context.may_edit(),
        findings=draft_context.list_findings(found),
        words=measure_text(said.body).words,
        editor=next((each for each in state.editors if each.place == PLACE), None),
        facts=[
            ("Summary", said.summary),
            ("Owner", said.owner),
            ("Review by", day(said.review_on) if said.review_on else "Not set"),
            ("Asked to acknowledge", "Yes" if said.acknowledge else "No"),
            ("Length", plural(measure_text(said.body).words, "word")),
        ],
    )


@bp.route("/<guide:key>/text", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_guide(key: str) -> ResponseReturnValue:
    """The guide's text, what a list says of it, and how it looks on a phone."""
    form = GuideForm()
    try:
        sheet, form, held = _open_guide(key)
    except NotFoundError:
        if form.is_submitted():
            return texts.render_gone(key, form)
        raise
    return texts.handle_editor(sheet, form, held, partial(_file_content, form))


def render_fragment(key: str) -> str:
    """What stands beside the text, for the text that was sent."""
    sheet, form, held = _open_guide(key)
    return texts.render_fragment(sheet, form, _file_content(form, held))


def _open_guide(key: str) -> tuple[TextSheet, GuideForm, bytes]:
    state = queries.get_draft(key)
    path = subject_of(key).main_file
    held = draft_context.read_file(state, path)
    said = text.read_guide(held)
    sheet = TextSheet(
        state=state,
        path=path,
        place=PLACE,
        caption="Guide",
        whole=said.title,
        learner=url_for(".preview_draft", key=key),
        lines=_compared_lines,
    )
    shown = {"title": said.title, "summary": said.summary, "owner": said.owner, "body": said.body}
    shown["review_on"] = day(said.review_on) if said.review_on else ""
    form = GuideForm(data=shown | {"acknowledge": said.acknowledge, "expected": state.files[path]})
    return sheet, form, held


def _file_content(form: GuideForm, held: bytes) -> bytes:
    """The file as the form says it; a day that cannot be read leaves that of the file."""
    said = GuideFields(
        title=form.title.data or "",
        summary=form.summary.data or "",
        owner=form.owner.data or "",
        review_on=read_day(form.review_on.data or "") or text.read_guide(held).review_on,
        acknowledge=form.acknowledge.data,
        body=form.body.data or "",
    )
    return text.write_guide(held, said)


def _compared_lines(held: bytes) -> list[str]:
    """What the page of two versions compares beside the text."""
    said = text.read_guide(held)
    review_on = f"Review by {day(said.review_on)}" if said.review_on else ""
    return [said.title, said.summary, said.owner, review_on, ASKS if said.acknowledge else ""]


def preview_guide(state: DraftState) -> str:
    """The guide on its readers' page; nothing that is done there is kept.

    Raises:
        NotFoundError: It cannot be read.
    """
    reading = queries.check_draft_hashes(state.key, state.files)
    if not reading.guides:
        raise NotFoundError("This draft cannot be read.")
    checked = reading.guides[0]
    said = checked.guide
    version = PreviewedVersion(
        title=said.title,
        summary=said.summary,
        owner=said.owner,
        review_on=said.review_on,
        acknowledge=said.acknowledge,
        number=(state.published_number or 0) + 1,
        published_at=state.last_saved_at,
    )
    return render_template(
        "authoring/preview_guide.html",
        state=state,
        guide=Previewed(version, guide_sections(said.title, checked.html)),
        html=fill_placeholders(checked.html),
        draft_name=draft_context.breadcrumb_text(state, said.title),
    )
