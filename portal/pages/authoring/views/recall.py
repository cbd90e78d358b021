"""What learners have forgotten some time after their pass, by outcome and of many together."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue.queries import current_version
from portal.domain.recall.queries import LEAST_PEOPLE, OutcomeRecall, recall_by_outcome
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@bp.get("/<module:key>/recall")
@requires(Permission.AUTHORING_VIEW)
def show_recall(key: str) -> ResponseReturnValue:
    """Show how recall questions about each outcome went; nothing of fewer than ten people."""
    version = current_version(key)
    if version is None:
        raise NotFoundError("This module is not published.")
    by_outcome = recall_by_outcome(version.activity_id)
    rows = [
        (outcome["text"], by_outcome.get(outcome["key"], OutcomeRecall(outcome["key"], 0, 0, 0)))
        for outcome in version.outcomes
    ]
    return render_template(
        "authoring/recall.html",
        key=key,
        version=version,
        rows=sorted(rows, key=_worst_first),
        least=LEAST_PEOPLE,
    )


def _worst_first(row: tuple[str, OutcomeRecall]) -> tuple[bool, float]:
    """Outcomes that are shown before the others, the least remembered first."""
    recall = row[1]
    return not recall.is_shown, recall.right / recall.answers if recall.is_shown else 0
