"""The two editions of an answer pack: what each is, for which position, and its name."""

from collections.abc import Mapping
from typing import Any

from portal.domain.reports.packs.kinds import NOT_KNOWN
from portal.domain.reports.parameters import Position, PositionError

ANSWER, FOI = "answer-pack.zip", "foi-answer-pack.zip"
NAMES = (ANSWER, FOI)
EDITIONS = {"answer": ANSWER, "foi": FOI}  # by the last part of the address with which it is asked for
ALL = "all"  # what stands for a recommendation's key where the pack answers every one


def refuse_forecast(position: Position) -> None:
    """Refuse a position that is no evidence.

    Raises:
        PositionError: The day is later than the records used.
    """
    if position.forecast:
        raise PositionError("as_known_on", NOT_KNOWN)


def answer_name(key: str, name: str, position: Position) -> str:
    """The name under which a pack is downloaded: recommendation, edition and day.

    Args:
        key: Of the recommendation, or ``ALL``.
        name: One of ``NAMES``.
        position: As at which day, as known on which instant.
    """
    kind, _, form = name.rpartition(".")
    return f"{'recommendations' if key == ALL else key}-{kind}-{position.as_at.isoformat()}.{form}"


def describe_event(key: str, name: str, position: Mapping[str, str], sha256: str) -> dict[str, Any]:
    """What the audit trail keeps of a pack, beside the people in it."""
    shape = name.rpartition(".")[0]
    return {"recommendation": key, "shape": shape, "sha256": sha256, **position}
