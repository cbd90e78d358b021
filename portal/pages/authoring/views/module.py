"""The page of one module or guide: its draft, or what is published where there is none."""

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import is_guide, subject_of
from portal.domain.authoring.editing import details, item_bank, lesson
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.findings.collect import Finding
from portal.domain.authoring.queries import DraftState
from portal.domain.content_checks import metrics
from portal.domain.item_kinds import kinds_by_name
from portal.pages.authoring.views import draft_context, guides
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date, plural


@bp.get("/<draft:key>")
@requires(Permission.AUTHORING_VIEW)
def show_module(key: str) -> ResponseReturnValue:
    """The draft with its parts, or the published version with “Edit”."""
    try:
        state = queries.get_draft(key)
    except NotFoundError:
        return _show_published(key)
    if is_guide(key):
        return guides.render_draft(state)
    files = draft_context.read_text_files(state)
    reading = queries.check_draft_hashes(key, state.files)
    found = finder.collect_findings(key, reading, files)
    said = details.read_details(files[draft_context.MODULE_FILE])
    lessons, rows = _list_lessons(state, files), _list_items(state, files, said)
    places = {"details", "job-aid", "media"}
    places |= {f"lesson:{each['key']}" for each in lessons} | {f"item:{each['key']}" for each in rows}
    return render_template(
        "authoring/module.html",
        draft=state,
        title=said.title,
        summary=draft_context.findings_sentence(found),
        may_edit=draft_context.may_edit(),
        findings=_by_place(found),
        facts=_list_details(said),
        measured=metrics.measure_module(reading.modules[0].package) if reading.modules else None,
        elsewhere=draft_context.list_findings([each for each in found if each.place not in places]),
        lessons=lessons,
        items=rows,
        draw=said.draw,
        job_aid=lesson.read_lesson(files["job-aid.md"]).title if "job-aid.md" in files else "",
    )


def _show_published(key: str) -> ResponseReturnValue:
    of = subject_of(key)
    version = of.newest_version()
    if version is None:
        raise NotFoundError(f"There is no {of.noun} “{of.activity_key}”.")
    return render_template(
        f"authoring/published_{of.noun}.html",
        key=key,
        version=version,
        may_edit=draft_context.may_edit(),
        opens_attempts=Permission.ATTEMPT_OPEN_UNSEEN in current_user.permissions,
    )


class _ByPlace(dict[str, list[draft_context.FindingRow]]):
    """Findings by place; none where nothing was found."""

    def __missing__(self, place: str) -> list[draft_context.FindingRow]:
        return []


def _by_place(found: Sequence[Finding]) -> _ByPlace:
    return _ByPlace(
        {
            place: draft_context.list_findings(finder.findings_at(found, place))
            for place in {f.place for f in found}
        }
    )


def _list_details(said: details.ModuleDetails) -> list[tuple[str, str]]:
    """The module's details in the words of their form."""
    score = f"{said.mastery_score * 100:f}"
    return [
        ("Aim", said.aim),
        ("Owner", said.owner),
        ("Review by", date(said.review_on)),
        ("Time", plural(said.minutes, "minute")),
        ("Outcomes", str(len(said.outcomes))),
        ("Pass mark", (score.rstrip("0").rstrip(".") if "." in score else score) + "%"),
        ("Each attempt", _draw_words(said)),
    ]


def _draw_words(said: details.ModuleDetails) -> str:
    words = f"{plural(said.draw, 'question')}"
    if said.at_least_per_outcome:
        words += f", at least {said.at_least_per_outcome} on each outcome"
    words += f"; {plural(said.attempts, 'attempt')} at most" if said.attempts else "; no limit of attempts"
    return words + (f"; {plural(said.wait_minutes, 'minute')} between them" if said.wait_minutes else "")


def _list_lessons(state: DraftState, files: dict[str, bytes]) -> list[dict[str, Any]]:
    editors = {each.place: each for each in state.editors}
    rows = []
    for name in details.lesson_keys(files[draft_context.MODULE_FILE]):
        if (content := files.get(f"lessons/{name}.md")) is None:
            continue
        said = lesson.read_lesson(content)
        rows.append(
            {
                "key": name,
                "title": said.title,
                "minutes": said.minutes,
                "words": metrics.measure_text(said.body).words,
                "editor": editors.get(f"lesson:{name}"),
            }
        )
    return rows


def _list_items(
    state: DraftState, files: dict[str, bytes], said: details.ModuleDetails
) -> list[dict[str, Any]]:
    editors = {each.place: each for each in state.editors}
    outcomes, known = dict(said.outcomes), kinds_by_name()
    places = item_bank.read_items(files)
    return [
        {
            "key": place.key,
            "prompt": str(place.table.get("prompt", "")) or place.key,
            "kind": known[kind].label if (kind := str(place.table.get("kind"))) in known else kind,
            "outcome": outcomes.get(str(place.table.get("outcome")), "no outcome"),
            "retired": place.table.get("retired") is True,
            "may_rise": number > 0,
            "may_sink": number < len(places) - 1,
            "editor": editors.get(f"item:{place.key}"),
        }
        for number, place in enumerate(places)
    ]
