"""What is to be reviewed: modules and guides by their date, and sources that nobody checked for long."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue.review_dates import NEAR, STALE, list_due_reviews, list_stale_sources
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.permissions import Permission


@bp.get("/_reviews")
@requires(Permission.AUTHORING_VIEW)
def list_reviews() -> ResponseReturnValue:
    """List modules and guides whose review date is past or near, and stale sources with what cites them."""
    today = clock.today()
    return render_template(
        "authoring/reviews_due.html",
        due=list_due_reviews(today),
        stale=list_stale_sources(today),
        today=today,
        near_days=NEAR.days,
        stale_days=STALE.days,
    )
