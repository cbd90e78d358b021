"""Writing a roster so that nobody waits: what follows from it is worked out first, and then only written."""

from dataclasses import dataclass
from datetime import datetime

from portal.domain.directives import preview
from portal.domain.directives.preview import Coming, coming
from portal.domain.imports.check_result import MovedError, Tell
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import Plan
from portal.domain.people.roster.store import Basis, Written
from portal.domain.status.staged_projection import Ahead, Ids, moved_on, people_since, work_out


@dataclass(slots=True)
class Applied:
    """A plan on its way into the portal."""

    made: Plan
    basis: Basis
    directives: str  # as ``preview.basis`` gives it
    come: Coming | None = None
    ahead: Ahead | None = None

    def stage(self, tell: Tell) -> None:
        """Work out, without a lock, the assignments and spans that follow."""
        self.come = coming(self.made.changes, self.made.units)
        self.ahead = work_out(
            self.come, lambda done, every: tell(2, f"Worked out {done:,} of {every:,} people")
        )

    def write(self, at: datetime, by: int | None) -> None:
        """Write the plan under the lock, with what follows from it.

        Raises:
            MovedError: Since the check something was recorded that the plan rests on.
        """
        if store.basis() != self.basis or preview.basis() != self.directives:
            raise MovedError
        if self.come is None or self.ahead is None or moved_on(self.ahead.known_at):
            store.write(self.made, at, by=by)
            return
        fresh = self.come.posts.keys() - people_since(self.ahead.known_at)
        followed = {number for number, person in self.come.people.items() if person in fresh}
        written = store.write(self.made, at, by=by, followed=followed)
        self.ahead.record(self._ids(self.come, written), set(fresh), at)

    def _ids(self, come: Coming, written: Written) -> Ids:
        """What the ids below zero of ``come`` have become."""
        people = {person: written.people[number] for number, person in come.people.items() if person < 0}
        units = {unit_id: written.units[names] for names, unit_id in come.units.items()}
        posts = {}
        for place, change in enumerate(self.made.changes, 1):
            values = change.values
            key = written.people[values.staff_number], values.post_key, values.valid_from
            if not change.void:
                posts[-place] = written.posts[key]
        return Ids(people, posts, units)
