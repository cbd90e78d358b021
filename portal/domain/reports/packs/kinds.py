"""The two packs: who may have which, for what position, and the position as a pack writes it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.domain.reports.completion.writers import file_name
from portal.domain.reports.parameters import Position, PositionError
from portal.domain.reports.queries import CompletionReport
from portal.platform import clock
from portal.platform.errors import RuleError

INSPECTION, FOI = "inspection-pack.zip", "foi-pack.zip"
NAMES = (INSPECTION, FOI)
MANIFEST, SUMS, README = "manifest.json", "SHA256SUMS", "README.txt"
WHOLE_FORCE = (
    "An FOI pack counts the whole force, so that two packs of different parts cannot be subtracted. "
    "Ask somebody with a role on the whole force to make it."
)
NO_FILTERS = "An FOI pack counts the whole force. Clear the filters first."
TOO_FEW = "So few people had to do this that any figure could identify one of them. No FOI pack is made."
NOT_KNOWN = (
    "A pack is evidence, so as known on must be the date of the report or later. "
    "Records entered after that time are not used."
)


@dataclass(frozen=True, slots=True)
class SettledPosition(Position):
    """A position that reads the same whenever it is written: it has no "today" and no "now"."""

    @property
    def forecast(self) -> bool:
        """Never: packs of a forecast are refused when they are requested."""
        return False


def settle_position(position: Position) -> SettledPosition:
    """The position for the texts of a pack, which may be made again on a later day."""
    last_day = max(position.as_at, clock.london_day(position.as_known_on))
    return SettledPosition(position.as_at, position.as_known_on, last_day + timedelta(days=1), latest=False)


def refuse_pack(report: CompletionReport, name: str, small: int) -> None:
    """Refuse a pack that this viewer cannot have, or that says too much.

    Args:
        report: The report that the pack is to hold.
        name: One of ``NAMES``.
        small: The small number.

    Raises:
        PositionError: The report is a forecast.
        RuleError: An FOI pack of a part of the force, or of too few people.
    """
    if report.position.forecast:
        raise PositionError("as_known_on", NOT_KNOWN)
    if name != FOI:
        return
    if report.filters:
        raise RuleError(NO_FILTERS)
    if not report.viewer_scope.everyone:
        raise RuleError(WHOLE_FORCE)
    if report.figures.assigned < 2 * small:
        raise RuleError(TOO_FEW)


def pack_name(report: CompletionReport, name: str) -> str:
    """The name under which a pack is downloaded: directive, kind, day and filters."""
    kind, _, form = name.rpartition(".")
    return file_name(report, form, kind)


def audit_detail(name: str, rows: int, sha256: str) -> dict[str, Any]:
    """What the audit trail keeps of a pack, beside what it keeps of every file."""
    return {"shape": name.rpartition(".")[0], "rows": rows, "sha256": sha256}
