"""A guide's draft: its page, its editor and its preview."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import content_types, queries
from portal.domain.authoring import findings as authoring_findings
from portal.domain.authoring.content_types import GuideFields, subject_of
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.other_sources import GuideSection, guide_sections
from portal.domain.content_checks.metrics import measure_text
from portal.pages.authoring.forms import GuideForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.clock import read_day
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

PLACE = "text"
ACKNOWLEDGEMENT = "Readers are asked to confirm that they have read it"


@dataclass(frozen=True, slots=True)
class PreviewedGuideVersion:
    """A draft shown as the version that it would become."""

    title: str
    summary: str
    owner: str
    review_on: date
    acknowledge: bool
    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PreviewedGuide:
    """A draft shown on the readers' page of a guide."""

    version: PreviewedGuideVersion
    sections: list[GuideSection]
    acknowledgement: None = None
    needs_acknowledgement: bool = True


def render_draft(state: DraftState) -> str:
    """The page of the draft, with its findings."""
    fields = content_types.read_guide(draft_context.read_file(state, subject_of(state.key).main_file))
    files = queries.draft_files(state)
    findings = authoring_findings.collect_findings(
        state.key, queries.check_draft_hashes(state.key, state.files), files
    )
    return render_template(
        "authoring/guide.html",
        draft=state,
        title=fields.title,
        summary=draft_context.findings_sentence(findings),
        may_edit=draft_context.may_edit(),
        findings=draft_context.list_findings(findings),
        editor=next((editor for editor in state.editors if editor.place == PLACE), None),
        facts=[
            ("Summary", fields.summary),
            ("Owner", fields.owner),
            ("Review by", date_words(fields.review_on) if fields.review_on else "Not set"),
            ("Readers asked to confirm that they have read it", "Yes" if fields.acknowledge else "No"),
            ("Length", plural(measure_text(fields.body).words, "word")),
        ],
    )


@bp.route("/<guide:key>/text", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_guide(key: str) -> ResponseReturnValue:
    """Edit the guide, with its findings and a preview at phone width."""
    form = GuideForm()
    try:
        sheet, form, content = _open_guide(key)
    except NotFoundError:
        if form.is_submitted():
            return texts.render_gone(key, form)
        raise
    return texts.handle_editor(sheet, form, content, partial(_file_content, form))


def render_fragment(key: str) -> str:
    """The parts of the editor that change as the author types, for the text that was sent."""
    sheet, form, content = _open_guide(key)
    return texts.render_fragment(sheet, form, _file_content(form, content))


def _open_guide(key: str) -> tuple[TextSheet, GuideForm, bytes]:
    state = queries.get_draft(key)
    path = subject_of(key).main_file
    content = draft_context.read_file(state, path)
    fields = content_types.read_guide(content)
    sheet = TextSheet(
        state=state,
        path=path,
        place=PLACE,
        caption="Guide",
        parent_title=fields.title,
        preview_address=url_for(".preview_draft", key=key),
        lines=_compared_lines,
    )
    values = {
        "title": fields.title,
        "summary": fields.summary,
        "owner": fields.owner,
        "review_on": date_words(fields.review_on) if fields.review_on else "",
        "acknowledge": fields.acknowledge,
        "body": fields.body,
        "note": fields.note,
        "expected": state.files[path],
    }
    form = GuideForm(data=values)
    return sheet, form, content


def _file_content(form: GuideForm, content: bytes) -> bytes:
    """The file with the form's values; an unreadable review date leaves that of the file."""
    fields = GuideFields(
        title=form.title.data or "",
        summary=form.summary.data or "",
        owner=form.owner.data or "",
        review_on=read_day(form.review_on.data or "") or content_types.read_guide(content).review_on,
        acknowledge=form.acknowledge.data,
        body=form.body.data or "",
        note=(form.note.data or "").strip(),
    )
    return content_types.write_guide(content, fields)


def _compared_lines(content: bytes) -> list[str]:
    """The fields that the comparison of two versions shows above the text."""
    fields = content_types.read_guide(content)
    review_on = f"Review by {date_words(fields.review_on)}" if fields.review_on else ""
    return [
        fields.title,
        fields.summary,
        fields.owner,
        review_on,
        ACKNOWLEDGEMENT if fields.acknowledge else "",
    ]


def preview_guide(state: DraftState) -> str:
    """Show the draft on the readers' page, where nothing is saved."""
    reading = queries.check_draft_hashes(state.key, state.files)
    if not reading.guides:
        raise NotFoundError("This draft cannot be read.")
    checked = reading.guides[0]
    guide = checked.guide
    version = PreviewedGuideVersion(
        title=guide.title,
        summary=guide.summary,
        owner=guide.owner,
        review_on=guide.review_on,
        acknowledge=guide.acknowledge,
        number=(state.published_number or 0) + 1,
        published_at=state.last_saved_at,
    )
    return render_template(
        "authoring/preview_guide.html",
        state=state,
        guide=PreviewedGuide(version, guide_sections(guide.title, checked.html)),
        html=fill_placeholders(checked.html),
        draft_name=draft_context.breadcrumb_text(state, guide.title),
    )
