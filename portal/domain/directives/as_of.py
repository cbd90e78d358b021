"""What was known on an instant, of facts already read: the rule of every append-only table."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar


class Recorded(Protocol):
    """What every fact carries, whatever it says."""

    @property
    def id(self) -> int:
        """Its row."""

    @property
    def recorded_at(self) -> datetime:
        """The stamp of the transaction that recorded it."""

    @property
    def void(self) -> bool:
        """Whether it withdraws the row it replaces."""

    @property
    def replaces_id(self) -> int | None:
        """The row it corrects."""


F = TypeVar("F", bound=Recorded)


def known(rows: Iterable[F], t: datetime) -> list[F]:
    """The rows that held as known on ``t``: recorded by then, not void, not replaced by then."""
    seen = [row for row in rows if row.recorded_at <= t]
    replaced = {row.replaces_id for row in seen}
    return [row for row in seen if not row.void and row.id not in replaced]
