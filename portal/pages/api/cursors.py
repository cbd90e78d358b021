"""Cursors: where a list is read on, and at which position, so that new facts never shift its pages.

A cursor is signed and bound to its list; it holds the position and the filters with which the list began,
and the key of the last row. Nothing in it is about anybody who is not on that page.
"""

from dataclasses import dataclass
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from portal.platform.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list."""

    arguments: dict[str, str]  # position and filters, as an address has them
    key: list[Any]  # of the last row read


def write_cursor(operation: str, cursor: Cursor) -> str:
    """The cursor as text for an address."""
    return str(_signer().dumps([operation, cursor.arguments, cursor.key]))


def read_cursor(operation: str, text: str) -> Cursor:
    """The cursor that was written for this operation.

    Raises:
        BadInputError: It was not.
    """
    try:
        written_for, arguments, key = _signer().loads(text)
    except (BadData, ValueError) as error:
        raise BadInputError(["cursor: this is none of the portal's. Begin again without it."]) from error
    if written_for != operation:
        raise BadInputError(["cursor: this is of another list. Begin again without it."])
    return Cursor(arguments, key)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="portal api cursor")
