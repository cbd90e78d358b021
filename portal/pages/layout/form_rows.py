"""Groups of a form that repeat, read from what any client may send."""

import re
from collections.abc import Iterable, Iterator

from wtforms import FieldList

from portal.platform.errors import BadInputError

MOST_SENT = 60  # twice what a button adds; groups within groups multiply the work of one request
_NUMBER = re.compile(r"[0-9]{1,4}")


class Rows(FieldList):  # type: ignore[misc]
    """A ``FieldList`` that no name in a request can break or swell.

    WTForms takes for the number of a row every digit that Unicode knows, and stumbles over ``²`` and over
    a number that is too long for Python: names that no page sends are passed over here. More rows than
    ``MOST_SENT`` are refused with ``BadInputError``, for what would be cut off would be lost in silence.
    """

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        start = f"{prefix}{self._separator}"
        rows = {
            int(number)
            for name in formdata
            if name.startswith(start)
            and _NUMBER.fullmatch(number := name.removeprefix(start).partition(self._separator)[0])
        }
        if len(rows) > MOST_SENT:
            raise BadInputError(
                [f"There are {len(rows):,} rows in one part of this form. It takes {MOST_SENT} at the most."]
            )
        yield from rows
