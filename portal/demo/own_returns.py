"""The demo's own returns: its key, signed returns of the last months, and comparisons beside them."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial

from config import current_settings
from portal.demo.returns import DUE_DAYS, list_periods
from portal.domain.reports.parameters import Position
from portal.domain.returns.comparing import keep_comparison
from portal.domain.returns.comparison import build_comparison
from portal.domain.returns.content import last_day_of
from portal.domain.returns.own_key import load_own_key
from portal.domain.returns.services import keep_own_return, prepare_own_return
from portal.platform.clock import noon
from portal.platform.db import stamp
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import make_key_file, write_public_key

Act = Callable[[], None]
DIRECTIVE = "OIC-2026"
RETURN_MONTHS, COMPARISON_MONTHS = 6, 2  # of how many of the last months
MADE_AFTER = timedelta(days=4)  # the end of a month
COMPARED_AFTER = timedelta(days=DUE_DAYS + 3)


def keep_key() -> None:
    """Make the key that signs the demo's returns, in its instance folder, unless it is there."""
    settings = current_settings()
    path = settings.returns.find_key_file(settings.mode, settings.instance)
    if path is not None and not path.exists():
        make_key_file(path)


def schedule_own_returns(today: date, by: int, days: Mapping[date, list[Act]]) -> None:
    """Schedule the day on which the force makes each return, and loads each comparison.

    Args:
        today: The last day.
        by: Who makes and loads them.
        days: What is done at the end of each day; this adds to it.
    """
    periods = list_periods(today)
    for period in periods[-RETURN_MONTHS:]:
        day = last_day_of(period) + MADE_AFTER
        if day <= today:
            days[day].append(partial(_make_return, period, day, by))
    compared = [period for period in periods if last_day_of(period) + COMPARED_AFTER <= today]
    for period in compared[-COMPARISON_MONTHS:]:
        day = last_day_of(period) + COMPARED_AFTER
        days[day].append(partial(_load_comparison, period, day, by))


def _make_return(period: str, day: date, by: int) -> None:
    at = noon(day)
    content = prepare_own_return(DIRECTIVE, period, hide=False, now=at, newest=stamp())
    keep_own_return(content, load_own_key(), at=at, by=by)


def _load_comparison(period: str, day: date, by: int) -> None:
    """Load the comparison that the coordinating unit, which is this portal too, signs on this day."""
    key, position = load_own_key(), Position(day, stamp(), day, latest=True)
    file = sign_document(build_comparison(position, current_settings().small_number, period), key)
    keep_comparison(file, write_public_key(key), at=noon(day), by=by)
