"""Recording completions so that nobody waits: what follows is worked out first, and then only written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.imports.check_result import MovedError, Tell
from portal.domain.records import completion_import
from portal.domain.records.completion_import import Completion
from portal.domain.status.staged_projection import TO_COME, Ahead, Ids, moved_on, people_since, records_ahead


@dataclass(slots=True)
class Recording:
    """Completions on their way into the portal."""

    found: Sequence[Completion]  # all that the file says
    fresh: Sequence[Completion]  # of these, what is not held
    newest: int  # the newest record when that was found out, or one before it
    ahead: Ahead | None = None
    references: Sequence[str] = ()  # drawn for the records to come

    def stage(self, tell: Tell) -> None:
        """Draw references and work out the spans that follow, without a lock."""
        self.references = completion_import.new_references(len(self.fresh))
        self.ahead = records_ahead(
            ((one.person_id, one.activity_id, one.achieved_on) for one in self.fresh),
            lambda done, every: tell(2, f"Worked out {done:,} of {every:,} people"),
        )

    def write(self, at: datetime, by: int | None) -> None:
        """Record them under the lock, with what follows from them.

        Raises:
            MovedError: Since the check one of them was recorded, or one that was held no longer is.
        """
        if completion_import.newest() != self.newest and completion_import.unheld(self.found) != self.fresh:
            raise MovedError
        people = {one.person_id for one in self.fresh}
        ahead = None if self.ahead is None or moved_on(self.ahead.known_at) else self.ahead
        settled = set() if ahead is None else people - people_since(ahead.known_at)
        held = len(self.found) - len(self.fresh)
        drawn = completion_import.new_references(len(self.fresh), self.references, self.newest)
        ids = completion_import.record_completions(self.fresh, at, drawn, held=held, by=by, followed=settled)
        if ahead is not None:
            ahead.record(Ids({}, {}, {}, records=dict(enumerate(ids, TO_COME))), settled, at)
