"""Selects, from loaded facts, those known on an instant: the rule of every append-only table."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar


class Recorded(Protocol):
    """The columns that every fact has."""

    @property
    def id(self) -> int:
        """The id of its row."""

    @property
    def recorded_at(self) -> datetime:
        """The stamp of the transaction that recorded it."""

    @property
    def void(self) -> bool:
        """Whether it takes away the row it replaces and puts none in its place."""

    @property
    def replaces_id(self) -> int | None:
        """The row it corrects."""


F = TypeVar("F", bound=Recorded)


def known_facts(rows: Iterable[F], instant: datetime) -> list[F]:
    """The facts as known on ``instant``: recorded by then, not void, not replaced by then."""
    recorded = [row for row in rows if row.recorded_at <= instant]
    replaced = {row.replaces_id for row in recorded}
    return [row for row in recorded if not row.void and row.id not in replaced]
