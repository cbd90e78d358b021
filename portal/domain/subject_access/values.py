"""A stored value in words, as the person it is about can read it. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.domain.status.models import OPEN_KNOWN
from portal.domain.status.rules import Status
from portal.platform import wording as say
from portal.platform.clock import from_microseconds
from portal.platform.db import OPEN_END

NO_END = "no end"


def value_words(value: Any, how: str = "") -> str:
    """The value in words; empty for none.

    Args:
        value: As the database gives it.
        how: The register's "@day" (a day as a number), "@micros" (an instant as microseconds) or "@status".
    """
    if value is None:
        return ""
    if how == "day":
        return value_words(date.fromordinal(value))
    if how == "micros":
        return NO_END if value == OPEN_KNOWN else say.instant(from_microseconds(value))
    if how == "status":
        return Status(value).label
    return _plain_words(value)


def _plain_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return say.instant(value)
    if isinstance(value, date):
        return NO_END if value == OPEN_END else say.date(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{str(key).replace('_', ' ')}: {_plain_words(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain_words, value))
    return "" if value is None else str(value)


def json_value(value: Any, how: str = "") -> Any:
    """The value for JSON: days and instants in ISO 8601, decimals as text."""
    if value is None or (how == "micros" and value == OPEN_KNOWN):
        return None
    if how == "day":
        return date.fromordinal(value).isoformat()
    if how == "micros":
        return from_microseconds(value).isoformat()
    if how == "status":
        return Status(value).key
    if isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
