"""Item statistics of a published version."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.access import requires
from portal.authoring.item_table import order_of
from portal.authoring.statistics import LEAST
from portal.authoring.submitted import item_rows, version_numbers
from portal.authoring.views.blueprint import bp
from portal.catalogue.queries import numbered_version
from portal.catalogue.rendering import fill
from portal.errors import NotFoundError
from portal.permissions import Permission


@bp.get("/<key>/statistics")
@requires(Permission.AUTHORING_VIEW)
def statistics(key: str) -> ResponseReturnValue:
    """What the answers say about each item of a version, the current one unless the address names another."""
    numbers = version_numbers(key)
    if not numbers:
        raise NotFoundError("No version of this module is published.")
    version = numbered_version(key, request.args.get("version", numbers[0], type=int))
    order = order_of(request.args)
    rows = item_rows(version.id)
    return render_template(
        "authoring/statistics.html",
        key=key,
        version=version,
        numbers=numbers,
        order=order,
        rows=order.sorted(rows),
        answers=sum(row.figures.answers for row in rows),
        least=LEAST,
        fill=fill,
        sort_url=lambda column: url_for(
            ".statistics", key=key, version=version.number, sort=order.pressed(column)
        ),
    )
