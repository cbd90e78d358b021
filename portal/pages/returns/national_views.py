"""The national view of a coordinating unit: forces over time, how they differ, who returned, what changed."""

from io import BytesIO
from typing import Any

from flask import Response, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.returns.comparison import build_comparison
from portal.domain.returns.content import RANK, ROLE
from portal.domain.returns.month_lines import line_of_all, line_of_force, list_points
from portal.domain.returns.movement import PART_WORDS, read_movement
from portal.domain.returns.national import read_groups
from portal.domain.returns.national_files import write_national_csv, write_national_json, write_national_xlsx
from portal.domain.returns.own_key import load_own_key
from portal.domain.returns.receipts import RECEIPT_WORDS, ReceiptState
from portal.domain.returns.variation import compare_forces
from portal.pages.layout.access import limiter, requires
from portal.pages.returns.blueprint import bp
from portal.pages.returns.national_frame import (
    NationalPage,
    read_page,
    with_national_page,
)
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.signing.documents import sign_document

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LATE_ORDER = (ReceiptState.MISSING, ReceiptState.LATE, ReceiptState.AWAITED, ReceiptState.ON_TIME)
files_limit = limiter.shared_limit("30 per 5 minutes", scope="national")


@bp.get("/returns/national")
@requires(Permission.RETURN_VIEW)
@with_national_page(months=12)
def show_national(page: NationalPage) -> ResponseReturnValue:
    """Show the share of all forces over the months, and each force's."""
    figures, groups = page.figures, {}
    if figures.months:
        for grouping, words in ((ROLE, "By designated role"), (RANK, "By rank or grade")):
            groups[words] = read_groups(figures.newest_month, grouping, figures.small)
    html = render_template(
        "returns/national.html",
        page=page,
        line=line_of_all(figures) if len(figures.months) > 1 else None,
        points=list_points(figures),
        lines={force.id: line_of_force(figures, force) for force in figures.forces},
        groups=groups,
    )
    return html, page.status


@bp.get("/returns/national/variation")
@requires(Permission.RETURN_VIEW)
@with_national_page(months=1)
def show_variation(page: NationalPage) -> ResponseReturnValue:
    """Show how forces differ: each share with its interval by size, and a funnel."""
    variation = compare_forces(page.figures) if page.figures.months else None
    return render_template("returns/variation.html", page=page, variation=variation), page.status


@bp.get("/returns/national/receipts")
@requires(Permission.RETURN_VIEW)
@with_national_page(months=12)
def show_receipts(page: NationalPage) -> ResponseReturnValue:
    """Show whose return is missing, late or corrected, and twelve months of each force."""
    return render_template("returns/receipts.html", page=page, states=_sort_states(page)), page.status


def _sort_states(page: NationalPage) -> list[tuple[str, list[tuple[str, str]]]]:
    """The states of the month, the most urgent first, each with its forces: names and details."""
    if not page.figures.months:
        return []
    month, states = page.figures.newest_month, []
    for state in LATE_ORDER:
        forces = []
        for force in page.figures.forces:
            receipt = month.receipts[force.id]
            if receipt.state is state:
                forces.append((force.name, receipt.detail))
        states.append((RECEIPT_WORDS[state], forces))
    return [(words, forces) for words, forces in states if forces]


@bp.get("/returns/national/changes")
@requires(Permission.RETURN_VIEW)
@with_national_page(months=2)
def show_movement(page: NationalPage) -> ResponseReturnValue:
    """Show what changed since the month before and why, with corrections apart from progress."""
    movement = read_movement(page.figures) if page.figures.months else None
    html = render_template("returns/movement.html", page=page, movement=movement, part_words=PART_WORDS)
    return html, page.status


@bp.get("/returns/national.csv")
@requires(Permission.RETURN_VIEW)
@files_limit
def national_csv() -> ResponseReturnValue:
    """Download the figures as CSV: the rows that the page of the same address counts."""
    page = read_page(strict=True)
    _record_export(page, "csv")
    return _send_bytes(write_national_csv(page.figures), "text/csv; charset=utf-8", page, "csv")


@bp.get("/returns/national.xlsx")
@requires(Permission.RETURN_VIEW)
@files_limit
def national_xlsx() -> ResponseReturnValue:
    """Download the figures as a workbook."""
    page = read_page(strict=True)
    _record_export(page, "xlsx")
    return _send_bytes(write_national_xlsx(page.figures, clock.now()), XLSX, page, "xlsx")


@bp.get("/returns/national.json")
@requires(Permission.RETURN_VIEW)
@files_limit
def national_json() -> ResponseReturnValue:
    """Download the figures as JSON, with definitions and totals."""
    page = read_page(strict=True)
    _record_export(page, "json")
    return _send_bytes(write_national_json(page.figures), "application/json", page, "json")


@bp.get("/returns/comparison.json")
@requires(Permission.RETURN_MANAGE)
@files_limit
def comparison_json() -> ResponseReturnValue:
    """Download the anonymous comparison of a month, signed, to be sent to every force; recorded."""
    page = read_page(strict=True, months=1)
    if not page.figures.months:
        raise NotFoundError("No returns were asked for yet.")
    key, period = load_own_key(), page.figures.newest_month.period.period
    document = build_comparison(page.figures.position, page.figures.small, period)
    with transaction():
        log("comparison.written", actor_id=current_user.person_id, period=period)
    return _send_bytes(sign_document(document, key), "application/json", page, "json", "comparison")


def _record_export(page: NationalPage, form: str) -> None:
    detail: dict[str, Any] = {
        "format": form,
        "requirement": page.figures.requirement,
        **page.figures.position.pinned,
    }
    with transaction():
        log("national_view.exported", actor_id=current_user.person_id, **detail)


def _send_bytes(
    content: bytes, media_type: str, page: NationalPage, form: str, name: str = "national"
) -> Response:
    period = page.figures.newest_month.period.period if page.figures.months else "none"
    response = send_file(
        BytesIO(content), media_type, as_attachment=True, download_name=f"returns-{name}-{period}.{form}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
