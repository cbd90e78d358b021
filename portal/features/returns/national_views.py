"""The national view of a coordinating unit: forces over time, how they differ, who returned, what changed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from config import Config
from portal.domain.reports import sentences
from portal.domain.reports.parameters import PositionError
from portal.features.returns.building import load_own_key, refuse_unless_coordinator
from portal.features.returns.comparisons import (
    PART_WORDS,
    WHOLE_TITLE,
    build_comparison,
    compare_forces,
    read_movement,
)
from portal.features.returns.content import RANK, ROLE, period_words
from portal.features.returns.feature import MANAGE, VIEW
from portal.features.returns.national import (
    NationalFigures,
    line_of_all,
    line_of_force,
    list_points,
    list_requirements,
    name_requirements,
    read_groups,
    read_months,
    write_national_csv,
    write_national_json,
    write_national_xlsx,
)
from portal.features.returns.queries import (
    RECEIPT_WORDS,
    ReceiptBook,
    ReceiptState,
    list_periods,
    read_receipts,
)
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.fields import drop_down
from portal.pages.layout.forms import PlainForm
from portal.pages.layout.query_arguments import QueryArguments, address
from portal.pages.layout.report_position import (
    PositionForm,
    position_form,
    refuse_position,
    requested_position,
)
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.signing.documents import sign_document

# The blueprint of all pages under /returns; their views are in files beside it.

bp = Blueprint("returns", __name__, template_folder="templates")

# Reads what every page of the national view has in its address: month, requirement and position.
#
# The pages are there only where this portal coordinates forces; elsewhere nothing has their addresses.

PARTS = {  # endpoint and words of each page
    "returns.show_national": "Forces over time",
    "returns.show_variation": "How forces differ",
    "returns.show_receipts": "Who has returned",
    "returns.show_movement": "What changed",
}


class NationalForm(PlainForm):
    """The month and the requirement of the page."""

    period = drop_down("Month", validate_choice=False)
    requirement = drop_down("Requirement", validate_choice=False)


@dataclass(frozen=True, slots=True)
class NationalPage:
    """The figures, titles and errors that all pages of the national view show."""

    figures: NationalFigures
    titles: dict[str, str]  # of the requirements of the month
    errors: list[tuple[str, str]]

    @property
    def address(self) -> dict[str, str]:
        """The query arguments of links between the pages."""
        arguments = {"requirement": self.figures.requirement, "period": request.args.get("period", "")}
        given = {name: text for name, text in arguments.items() if text}
        return {**given, **self.figures.position.address}

    @property
    def pinned(self) -> dict[str, str]:
        """The query arguments of links to files: always with the month and both times."""
        period = self.figures.newest_month.period.period if self.figures.months else ""
        return {**self.address, **({"period": period} if period else {}), **self.figures.position.pinned}

    @property
    def title(self) -> str:
        """The requirement in words."""
        return self.titles.get(self.figures.requirement, self.figures.requirement)

    @property
    def month(self) -> str:
        """The month in words."""
        return self.figures.newest_month.period.words if self.figures.months else ""

    @property
    def banner(self) -> str:
        """The sentence above a past position."""
        return sentences.banner_sentence(self.figures.position)

    @property
    def times(self) -> str:
        """Both times of the page, as its print shows them."""
        return sentences.both_times(self.figures.position)

    @property
    def links(self) -> list[tuple[str, str, bool]]:
        """The pages of the view: words, address, and whether it is this one."""
        return [
            (words, address(url_for(endpoint), self.address.items()), endpoint == request.endpoint)
            for endpoint, words in PARTS.items()
        ]

    @property
    def form(self) -> NationalForm:
        """The form with the month and the requirement of the page."""
        form = NationalForm(
            data={"requirement": self.figures.requirement, "period": self.pinned.get("period", "")}
        )
        periods = [row.period for row in reversed(self.figures.book.periods)]
        periods = periods or [row.period for row in list_periods()]  # none was asked for by the date
        form.period.choices = [SelectChoice(value=each, label=period_words(each)) for each in periods]
        form.requirement.choices = [
            SelectChoice(value=key, label=title) for key, title in self.titles.items()
        ]
        return form

    @property
    def position_form(self) -> PositionForm:
        """The form with the position of the page."""
        return position_form(self.figures.position)

    @property
    def may_write(self) -> bool:
        """Whether the reader may write the comparison for the forces."""
        return MANAGE in current_user.permissions

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        return 400 if self.errors else 200


NationalView = Callable[[NationalPage], ResponseReturnValue]


def read_page(*, strict: bool = False, months: int = 12) -> NationalPage:
    """Read the page that the address asks for; refused values are left out, with the reason.

    Args:
        strict: Whether one refused value refuses the whole address, as for a file.
        months: Read at most this many.

    Raises:
        PositionError: The position is refused.
        UnknownValueError: A value is refused, and the address is strict.
    """
    refuse_unless_coordinator()
    arguments = QueryArguments(request.args, request.path)
    if strict:
        arguments.only(("period", "requirement", "as_at", "as_known_on"))
    config: Config = current_app.config["PORTAL"]
    book, small = read_receipts(requested_position()), config.small_number
    period = _choose_period(arguments, book)
    figures = read_months(book, small, period=period, months=months)
    keys = list_requirements(figures.newest_month) if figures.months else []
    requirement = arguments.choice("requirement", keys)
    if requirement:
        figures = read_months(book, small, period=period, requirement=requirement, months=months)
    if strict:
        arguments.raise_faults()
    names = name_requirements(figures.newest_month) if figures.months else {}
    titles = {key: WHOLE_TITLE if not key else names.get(key, key) for key in keys} or {"": WHOLE_TITLE}
    return NationalPage(figures, titles, arguments.errors(("period", "requirement")))


def _choose_period(arguments: QueryArguments, book: ReceiptBook) -> str:
    """The month of the address, or nothing; one that is asked for only later than the position is refused."""
    chosen, known = arguments.text("period"), [row.period for row in book.periods]
    if chosen not in known and chosen in {row.period for row in list_periods()}:
        day, month = say.date(book.position.as_at), period_words(chosen)
        arguments.refuse("period", f"No return of {month} was received by {day}, as far as was known then.")
        return ""
    return arguments.choice("period", known, "month")


def with_national_page(months: int) -> Callable[[NationalView], Callable[[], ResponseReturnValue]]:
    """Give a view the page that its address asks for; a position that is refused is answered with its form.

    Args:
        months: Read at most this many.
    """

    def decorate(view: NationalView) -> Callable[[], ResponseReturnValue]:
        @wraps(view)
        def show_page() -> ResponseReturnValue:
            try:
                page = read_page(months=months)
            except PositionError as error:
                return refuse_position(
                    error, {"text": "Forces over time", "href": url_for("returns.show_national")}
                )
            return view(page)

        return show_page

    return decorate


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LATE_ORDER = (ReceiptState.MISSING, ReceiptState.LATE, ReceiptState.AWAITED, ReceiptState.ON_TIME)
files_limit = limiter.shared_limit("30 per 5 minutes", scope="national")


@bp.get("/returns/national")
@requires(VIEW)
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
@requires(VIEW)
@with_national_page(months=1)
def show_variation(page: NationalPage) -> ResponseReturnValue:
    """Show how forces differ: each share with its interval by size, and a funnel."""
    variation = compare_forces(page.figures) if page.figures.months else None
    return render_template("returns/variation.html", page=page, variation=variation), page.status


@bp.get("/returns/national/receipts")
@requires(VIEW)
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
@requires(VIEW)
@with_national_page(months=2)
def show_movement(page: NationalPage) -> ResponseReturnValue:
    """Show what changed since the month before and why, with corrections apart from progress."""
    movement = read_movement(page.figures) if page.figures.months else None
    html = render_template("returns/movement.html", page=page, movement=movement, part_words=PART_WORDS)
    return html, page.status


@bp.get("/returns/national.csv")
@requires(VIEW)
@files_limit
def national_csv() -> ResponseReturnValue:
    """Download the figures as CSV: the rows that the page of the same address counts."""
    page = read_page(strict=True)
    _record_export(page, "csv")
    return _send_bytes(write_national_csv(page.figures), "text/csv; charset=utf-8", page, "csv")


@bp.get("/returns/national.xlsx")
@requires(VIEW)
@files_limit
def national_xlsx() -> ResponseReturnValue:
    """Download the figures as a workbook."""
    page = read_page(strict=True)
    _record_export(page, "xlsx")
    return _send_bytes(write_national_xlsx(page.figures, clock.now()), XLSX, page, "xlsx")


@bp.get("/returns/national.json")
@requires(VIEW)
@files_limit
def national_json() -> ResponseReturnValue:
    """Download the figures as JSON, with definitions and totals."""
    page = read_page(strict=True)
    _record_export(page, "json")
    return _send_bytes(write_national_json(page.figures), "application/json", page, "json")


@bp.get("/returns/comparison.json")
@requires(MANAGE)
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
