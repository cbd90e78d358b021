"""Item statistics of a published version."""

from collections.abc import Collection

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import item_files, queries
from portal.domain.authoring.item_statistics import MIN_ATTEMPTS
from portal.domain.authoring.statistics import (
    SORT_KEYS,
    case_step_rows,
    module_results,
    parse_order,
    version_ids,
)
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.version_cache import numbered_version
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform.permissions import Permission

ALL = "all"  # in the address: the versions together
ROWS = 50  # of one page: with the choices made, a hundred would weigh more than a page may


@bp.get("/<module:key>/statistics")
@requires(Permission.AUTHORING_VIEW)
def show_statistics(key: str) -> ResponseReturnValue:
    """Show the statistics of a version's items, or of all versions together; the current one unless asked."""
    ids = version_ids(key)
    if not ids:
        queries.get_draft(key)
        return render_template(
            "authoring/statistics.html", key=key, numbers=[], answers=0, least=MIN_ATTEMPTS
        )
    arguments = QueryArguments(request.args, request.path)
    numbers = list(ids)
    chosen = arguments.choice("version", [*map(str, numbers), ALL]) or str(numbers[0])
    version = numbered_version(key, numbers[0] if chosen == ALL else int(chosen))
    order = parse_order(arguments.order(SORT_KEYS))
    results = module_results(tuple(ids.values()) if chosen == ALL else (version.id,))
    page = arguments.page(len(results.rows), ROWS)
    html = render_template(
        "authoring/statistics.html",
        errors=arguments.errors(),
        key=key,
        version=version,
        numbers=numbers,
        order=order,
        all_versions=chosen == ALL,
        results=results,
        rows=order.sort_rows(results.rows)[page.offset : page.last],
        page=page,
        cases=case_step_rows(version),
        answers=results.answer_count,
        least=MIN_ATTEMPTS,
        fill=fill_placeholders,
        draft_items=_draft_item_keys(key),
        links=[link_to(key) for link_to in list_parts("authoring.statistics")],
        opens_attempts=Permission.ATTEMPT_OPEN_UNSEEN in current_user.permissions,
        item_endpoint="edit_item" if Permission.DRAFT_EDIT in current_user.permissions else "preview_item",
        sort_url=lambda column: url_for(
            ".show_statistics", key=key, version=chosen, sort=order.next_sort(column)
        ),
    )
    return html, arguments.status


def _draft_item_keys(key: str) -> Collection[str] | None:
    """Keys of the items in the open draft; None if there is no draft."""
    if queries.open_draft_id(key) is None:
        return None
    hashes = {path: sha for path, sha in queries.get_draft(key).files.items() if path.startswith("items/")}
    return {place.key for place in item_files.read_items(queries.read_files(hashes))}
