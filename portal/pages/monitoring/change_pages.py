"""The page of the difference between two positions of a directive."""

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.changes import Changes, position_words
from portal.domain.reports.parameters import (
    EARLIEST,
    Filters,
    Position,
    PositionError,
    parse_filters,
    write_as_iso,
)
from portal.domain.reports.queries import ViewerScope, accept_filters, completion_report
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments, address
from portal.pages.layout.report_position import parse_position_now, show_refused_form
from portal.pages.monitoring.forms import ChangesForm
from portal.platform import clock
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.permissions import Permission

WEEK = timedelta(days=7)
MOST_KINDS = 6  # of change, by their people; the others fold
FIELDS = ("from_as_at", "from_as_known_on", "as_at", "as_known_on")


def add_change_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/changes``."""
    bp.add_url_rule("/monitoring/directives/<reference>/changes", "show_changes", show_changes)


@requires(Permission.COMPLETION_VIEW)
def show_changes(reference: str) -> ResponseReturnValue:
    """Whose status changed between two positions, and why."""
    texts = {name: request.args.get(name, "").strip() for name in FIELDS}
    form = ChangesForm(data=texts)
    position_before, position_after = _read_positions(form)
    if position_before is None or position_after is None:
        return show_refused_form(form, "Compare", _parent_of(reference))
    arguments = QueryArguments(request.args, request.path)
    filters = parse_filters(request.args).group
    iso_texts = {name: write_as_iso(text, clock.today()) for name, text in texts.items()}
    changes = _compare(reference, position_before, position_after, filters, arguments)
    unit = changes.filters.unit or filters.unit
    if iso_texts != texts or unit != filters.unit:
        current = {**iso_texts, **filters.address, "unit": unit, "kind": request.args.get("kind", "")}
        return redirect(address(request.path, current.items()), 303)
    chosen_kind = arguments.choice("kind", [kind.key for kind in changes.kinds], "kind of change")
    page = arguments.page(len(changes.people_of_kind(chosen_kind)))
    response = render_template(
        "monitoring/changes.html",
        changes=changes,
        chosen_kind=chosen_kind,
        rows=changes.list_changes(chosen_kind, page.offset, page.size),
        page=page,
        form=ChangesForm(data=_form_values(position_before, position_after)),
        errors=arguments.errors(),
        parent=_parent_of(reference),
        before=position_words(position_before),
        after=position_words(position_after),
        reference=reference,
        most_kinds=MOST_KINDS,
        filters=changes.filters,
        save_arguments=_save_arguments(texts, changes, chosen_kind),
        address_of_kind=lambda kind: _address_of_kind(kind, texts, changes.filters),
        chips=_filter_chips(texts, changes.filters),
        clear_url=address(request.path, texts.items()),
    )
    return response, arguments.status


def _compare(
    reference: str, before: Position, after: Position, filters: Filters, arguments: QueryArguments
) -> Changes:
    """Compare the reports of two positions; filters that are refused are left out and noted."""
    viewer = current_user.viewer
    later = completion_report(viewer, reference, after)
    try:
        earlier = completion_report(viewer, reference, before)
    except NotFoundError:  # the directive was not known then: nobody had a row
        earlier = replace(later, position=before, viewer_scope=ViewerScope.of_viewer(viewer, before))
    try:
        filters = accept_filters(filters, later.viewer_scope)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            arguments.refuse(name, sentence)
        filters = filters.without(*(name for _, name in error.faults))
    return Changes(earlier, later, later.viewer_scope.label_unit(filters))


def _save_arguments(texts: dict[str, str], changes: Changes, kind: str) -> dict[str, str]:
    """Arguments of the page that saves this comparison: what is chosen in it."""
    arguments = {**texts, **changes.filters.address, "kind": kind}
    return {name: value for name, value in arguments.items() if value}


def _address_of_kind(kind: str, texts: dict[str, str], filters: Filters) -> str:
    """The address of the same comparison with one kind of change alone; with all of them if it is empty."""
    return address(request.path, {**texts, **filters.address, "kind": kind}.items())


def _filter_chips(texts: dict[str, str], filters: Filters) -> list[tuple[str, str]]:
    """The filters in force, each with the address without it."""
    return [
        (words, address(request.path, {**texts, **filters.without(name).address}.items()))
        for name, words in zip(filters.address, filters.in_words, strict=True)
    ]


def _read_positions(form: ChangesForm) -> tuple[Position | None, Position | None]:
    """The earlier position, by default a week before, and the later one; None where one is refused."""
    after = _read_position(form, "")
    if form.from_as_at.data:
        return _read_position(form, "from_"), after
    return after and _week_before(after), after


def _read_position(form: ChangesForm, prefix: str) -> Position | None:
    """The position in two of the fields; None if it is refused, with the reason in its field."""
    try:
        return parse_position_now(form[f"{prefix}as_at"].data, form[f"{prefix}as_known_on"].data)
    except PositionError as error:
        form[f"{prefix}{error.field}"].errors = [str(error)]
        return None


def _parent_of(reference: str) -> dict[str, str]:
    return {"text": reference, "href": url_for(".show_report", reference=reference)}


def _week_before(position: Position) -> Position:
    day = max(position.as_at - WEEK, EARLIEST)
    return parse_position_now(day.isoformat(), day.isoformat())


def _form_values(before: Position, after: Position) -> dict[str, str]:
    return {
        "from_as_at": sentences.day_field(before),
        "from_as_known_on": sentences.known_on_field(before),
        "as_at": sentences.day_field(after),
        "as_known_on": sentences.known_on_field(after),
    }
