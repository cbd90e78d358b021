"""The page of one module or guide: its draft, else its published version."""

from collections.abc import Sequence
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import content_types, queries
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring import findings as authoring_findings
from portal.domain.authoring.content_types import is_guide, subject_of
from portal.domain.authoring.findings import Finding, LegalChanges, list_legal_changes
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.module_source import SHEET_NAMES, Package
from portal.domain.catalogue.services import archive_of
from portal.domain.content_checks import metrics
from portal.pages.authoring.forms import QuestionFilterForm
from portal.pages.authoring.views import draft_context, guides, question_list
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date, minutes_words, plural


@bp.get("/<draft:key>")
@requires(Permission.AUTHORING_VIEW)
def show_module(key: str) -> ResponseReturnValue:
    """Show the draft with its parts, or the published version with “Edit”."""
    try:
        state = queries.get_draft(key)
    except NotFoundError:
        return _show_published(key)
    if is_guide(key):
        return guides.render_draft(state)
    files = draft_context.read_text_files(state)
    reading = queries.check_draft_hashes(key, state.files)
    findings = authoring_findings.collect_findings(key, reading, files)
    package = reading.modules[0].package if reading.modules else None
    module = content_types.read_details(files[draft_context.MODULE_FILE])
    lessons = _list_lessons(state, files)
    questions = _question_values(state, files, module, lessons, findings)
    places = {"details", "media", *SHEET_NAMES}
    places |= {f"lesson:{lesson['key']}" for lesson in lessons} | {
        f"item:{item['key']}" for item in questions["items"]
    }
    page = render_template(
        "authoring/module.html",
        draft=state,
        title=module.title,
        summary=draft_context.findings_sentence(findings),
        may_edit=draft_context.may_edit(),
        findings=_findings_by_place(findings),
        facts=_list_details(module),
        measures=metrics.measure_module(package) if package else None,
        legal_changes=_legal_changes(state, package),
        other_findings=draft_context.list_findings(
            [finding for finding in findings if finding.place not in places]
        ),
        lessons=lessons,
        **questions,
        draw=module.draw,
        sheets=_list_sheets(files),
    )
    return page, 400 if questions["filter_errors"] else 200


def _list_sheets(files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Key, name and title of the job aid and the briefing; no title where there is none yet."""
    titles = {key: files.get(f"{key}.md") for key in SHEET_NAMES}
    return [
        (key, SHEET_NAMES[key], authoring_files.read_lesson(text).title if text else "")
        for key, text in titles.items()
    ]


def _question_values(
    state: DraftState,
    files: dict[str, bytes],
    module: content_types.ModuleDetails,
    lessons: list[dict[str, Any]],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    """The questions with the search that the address asks for, as the template shows them."""
    items = question_list.list_questions(files, module, state.editors)
    path = url_for(".show_module", key=state.key)
    query = QueryArguments(request.args, path)
    titles = [(row["key"], f"{number}. {row['title']}") for number, row in enumerate(lessons, 1)]
    form = QuestionFilterForm(request.args, module.outcomes, titles)
    wanted = question_list.read_filter(query, form)
    return {
        "items": items,
        "shown_items": question_list.narrow_questions(items, wanted, files, findings),
        "filter_form": form,
        "filter_errors": query.errors([field.name for field in form.lists]),
        "chips": question_list.list_chips(query, form, path),
    }


def _legal_changes(state: DraftState, package: Package | None) -> LegalChanges | None:
    """What changed in statements of law since the published version; None while the draft is unchanged."""
    if package is None or state.base_version_id is None or state.number == 1:
        return None
    return list_legal_changes(package, state.base_version_id)


def _show_published(key: str) -> ResponseReturnValue:
    subject = subject_of(key)
    version = subject.newest_version()
    if version is None:
        raise NotFoundError(f"There is no {subject.noun} “{subject.activity_key}”.")
    return render_template(
        f"authoring/published_{subject.noun}.html",
        key=key,
        version=version,
        may_edit=draft_context.may_edit(),
        opens_attempts=Permission.ATTEMPT_OPEN_UNSEEN in current_user.permissions,
        may_publish=Permission.VERSION_PUBLISH in current_user.permissions,
        links=[link_to(key) for link_to in list_parts("authoring.module")],
        archive=None if is_guide(key) else archive_of(version.activity_id),
    )


class _FindingsByPlace(dict[str, list[draft_context.FindingRow]]):
    """Findings by place; an empty list for a place without any."""

    def __missing__(self, place: str) -> list[draft_context.FindingRow]:
        return []


def _findings_by_place(findings: Sequence[Finding]) -> _FindingsByPlace:
    return _FindingsByPlace(
        {
            place: draft_context.list_findings(authoring_findings.findings_at(findings, place))
            for place in {finding.place for finding in findings}
        }
    )


def _list_details(module: content_types.ModuleDetails) -> list[tuple[str, str]]:
    """Labels and values of the module's details."""
    score = f"{module.mastery_score * 100:f}"
    return [
        ("Aim", module.aim),
        ("Owner", module.owner),
        ("Review by", date(module.review_on)),
        ("Time", minutes_words(module.minutes)),
        ("Outcomes", str(len(module.outcomes))),
        ("Pass mark", (score.rstrip("0").rstrip(".") if "." in score else score) + "%"),
        ("Each attempt", _draw_words(module)),
    ]


def _draw_words(module: content_types.ModuleDetails) -> str:
    words = f"{plural(module.draw, 'question')}"
    if module.at_least_per_outcome:
        words += f", at least {module.at_least_per_outcome} on each outcome"
    words += (
        f"; {plural(module.attempts, 'attempt')} at most" if module.attempts else "; no limit of attempts"
    )
    if module.wait_minutes:
        words += f"; {plural(module.wait_minutes, 'minute')} between them"
    if module.pause_after:
        fails, hours = plural(module.pause_after, "fail"), plural(module.pause_hours, "hour")
        words += f"; after {fails} a pause of {hours}"
    if module.test_out:
        words += "; open before the lessons"
    if module.pre_test:
        words += "; a try before the lessons"
    return words


def _list_lessons(state: DraftState, files: dict[str, bytes]) -> list[dict[str, Any]]:
    editors = {editor.place: editor for editor in state.editors}
    rows = []
    for name in content_types.lesson_keys(files[draft_context.MODULE_FILE]):
        path = authoring_files.lesson_path(files, name)
        if (content := files.get(path)) is None:
            continue
        lesson = authoring_files.read_lesson_file(path, content)
        rows.append(
            {
                "key": name,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "words": metrics.measure_text(lesson.body).words,
                "is_case": authoring_files.is_case_path(path),
                "editor": editors.get(f"lesson:{name}"),
            }
        )
    return rows
