"""When a receiver wants to be asked again, as ``Retry-After`` says it (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

NO_WAIT = timedelta()
LONGEST_WAIT = timedelta(days=365)  # a longer one means the same to anybody
_SECONDS = re.compile(r"0*([0-9]+)")


def read_retry_after(text: str, now: datetime) -> timedelta:
    """For how long a receiver wants nothing; ``NO_WAIT`` where it does not say so, or nobody understands it.

    >>> now = datetime(2026, 4, 20, 12, tzinfo=UTC)
    >>> [str(read_retry_after(text, now)) for text in ("90", "Mon, 20 Apr 2026 12:30:00 GMT", "soon", "-5")]
    ['0:01:30', '0:30:00', '0:00:00', '0:00:00']
    """
    text = text.strip()
    if seconds := _SECONDS.fullmatch(text):
        digits = seconds[1]
        return min(LONGEST_WAIT, timedelta(seconds=int(digits))) if len(digits) < 10 else LONGEST_WAIT
    try:
        until = parsedate_to_datetime(text)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(LONGEST_WAIT, max(NO_WAIT, until - now))
    except (ValueError, TypeError, IndexError, OverflowError):
        return NO_WAIT
