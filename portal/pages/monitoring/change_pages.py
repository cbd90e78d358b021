"""The page of the difference between two positions of a directive."""

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import last_visit, sentences
from portal.domain.reports.as_of import EARLIEST, Position, PositionError
from portal.domain.reports.changes.changes import Changes, in_words
from portal.domain.reports.filters import Filters, filters_of
from portal.domain.reports.known_values import refuse_unknown
from portal.domain.reports.queries import completion_report
from portal.domain.reports.viewer_scope import Reach
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.monitoring.export_views import position_of
from portal.pages.monitoring.forms import ChangesForm
from portal.platform import clock
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date

WEEK = timedelta(days=7)
FIELDS = ("from_as_at", "from_as_known_on", "as_at", "as_known_on")


def register(bp: Blueprint) -> None:
    """Add the page."""
    bp.add_url_rule("/monitoring/directives/<reference>/changes", "changes", changes)


@requires(Permission.COMPLETION_VIEW)
def changes(reference: str) -> ResponseReturnValue:
    """Whose status changed between two positions, and through which facts."""
    asked = {name: request.args.get(name, "").strip() for name in FIELDS}
    errors: list[tuple[str, str]] = []
    now = _read(asked, "", errors)
    then = _read(asked, "from_", errors) if asked["from_as_at"] else _week_before(now)
    strict = QueryArguments(request.args, request.path)
    filters = filters_of(request.args).group
    iso = {name: _iso(text) for name, text in asked.items()}
    if not errors and iso != asked:
        return redirect(address(request.path, {**iso, **filters.address}.items()), 303)
    viewer = current_user.viewer
    later = completion_report(viewer, reference, now)
    try:
        earlier = completion_report(viewer, reference, then)
    except NotFoundError:  # it was not known then: nobody had a row
        earlier = replace(later, position=then, reach=Reach.of(viewer, then))
    filters = _known_to(later.reach, filters, strict)
    found = Changes(earlier, later, filters)
    page = strict.page(len(found.cells))
    form = ChangesForm(data=asked if errors else _filled(then, now))
    for text, name in errors:
        form[name].errors = [text]
    answer = render_template(
        "monitoring/changes.html",
        found=found,
        rows=found.list_changes(page.offset, page.size),
        page=page,
        form=form,
        errors=[*((text, f"#{name}") for text, name in errors), *strict.errors()],
        then=in_words(then),
        now=in_words(now),
        reference=reference,
        filters=filters,
        chips=_chips(asked, filters),
        clear_url=address(request.path, asked.items()),
    )
    return answer, 400 if errors else strict.status


def _known_to(reach: Reach, filters: Filters, asked: QueryArguments) -> Filters:
    """The filters without those whose value the viewer cannot know, which are noted in ``asked``."""
    try:
        refuse_unknown(filters, reach)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            asked.refuse(name, sentence)
        return filters.without(*(name for _, name in error.faults))
    return filters


def _chips(asked: dict[str, str], filters: Filters) -> list[tuple[str, str]]:
    """The filters in force, each with the address without it."""
    return [
        (words, address(request.path, {**asked, **filters.without(name).address}.items()))
        for name, words in zip(filters.address, filters.said, strict=True)
    ]


def _read(asked: dict[str, str], prefix: str, errors: list[tuple[str, str]]) -> Position:
    """The position that two of the fields ask for; today's, with the reason, where it is refused."""
    try:
        return position_of(asked[f"{prefix}as_at"], asked[f"{prefix}as_known_on"])
    except PositionError as error:
        errors.append((str(error), f"{prefix}{error.field}"))
        return position_of("", "")


def _week_before(now: Position) -> Position:
    day = max(now.as_at - WEEK, EARLIEST)
    return position_of(day.isoformat(), day.isoformat())


def _iso(text: str) -> str:
    day = clock.read_day(text)
    return day.isoformat() if day else text


def _filled(then: Position, now: Position) -> dict[str, str]:
    return {
        "from_as_at": sentences.day(then),
        "from_as_known_on": sentences.known_on(then),
        "as_at": sentences.day(now),
        "as_known_on": sentences.known_on(now),
    }


def since_last_look(directive_id: int, at: Position, filters: Filters) -> tuple[str, str] | None:
    """When the viewer last looked at a directive on an earlier day, and the address of what changed since."""
    before, _ = last_visit.last_look(current_user.person_id, directive_id, at)
    if before is None:
        return None
    pairs = {"from_as_at": before.day.isoformat(), "from_as_known_on": clock.format_utc(before.known_on)}
    return say_date(before.day), address(
        f"{request.path}/changes", {**pairs, **filters.group.address}.items()
    )
