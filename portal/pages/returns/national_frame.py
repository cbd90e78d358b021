"""Reads what every page of the national view has in its address: month, requirement and position.

The pages are there only where this portal coordinates forces; elsewhere nothing has their addresses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import SelectField
from wtforms.fields import SelectChoice

from config import Config
from portal.domain.reports import sentences
from portal.domain.reports.parameters import PositionError
from portal.domain.returns.comparison import WHOLE_TITLE
from portal.domain.returns.content import period_words
from portal.domain.returns.national import (
    NationalFigures,
    list_requirements,
    name_requirements,
    read_months,
)
from portal.domain.returns.own_key import refuse_unless_coordinator
from portal.domain.returns.queries import list_periods
from portal.domain.returns.receipts import ReceiptBook, read_receipts
from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_widgets import GovSelect
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import (
    PositionForm,
    position_form,
    refuse_position,
    requested_position,
)
from portal.platform import wording as say
from portal.platform.permissions import Permission

PARTS = {  # endpoint and words of each page
    "returns.show_national": "Forces over time",
    "returns.show_variation": "How forces differ",
    "returns.show_receipts": "Who has returned",
    "returns.show_movement": "What changed",
}


class NationalForm(PlainForm):
    """The month and the requirement of the page."""

    period = SelectField("Month", widget=GovSelect(), validate_choice=False)
    requirement = SelectField("Requirement", widget=GovSelect(), validate_choice=False)


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
        return Permission.RETURN_MANAGE in current_user.permissions

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
        NotFoundError: This portal does not coordinate forces.
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
