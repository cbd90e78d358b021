"""Plans a reminder to several people at once: who gets it, and who is left out, with the reason."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.queries import Addressee, ReminderDirective, list_addressees, nudged_since
from portal.domain.reminders.rules import ReminderReason
from portal.domain.status.queries import people_to_remind
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.permissions import Permission
from portal.platform.wording import plural

MOST = 500  # people of one preview


@dataclass(frozen=True)
class BulkNudge:
    """Who gets a reminder of one directive, and who is left out; each list by name."""

    directive: ReminderDirective
    people: list[Addressee]
    reminded: list[Addressee]  # less than seven days ago
    unsent: list[Addressee]  # somebody asked for it less than seven days ago, and it is not sent
    without_address: list[Addressee]
    viewer_is_missing: bool  # whether the viewer has not finished either

    @property
    def left_out(self) -> list[str]:
        """Why some are left out, in sentences; nothing is said of people who have finished."""
        sentences = ["You have not finished either. You cannot remind yourself."] * self.viewer_is_missing
        if self.reminded:
            were = "was" if len(self.reminded) == 1 else "were"
            sentences.append(
                f"{plural(len(self.reminded), 'person', 'people')} {were} reminded in the last 7 days."
            )
        if self.unsent:
            have = "has" if len(self.unsent) == 1 else "have"
            people = plural(len(self.unsent), "person", "people")
            sentences.append(f"{people} {have} a reminder of the last 7 days that is not sent.")
        if self.without_address:
            have = "has" if len(self.without_address) == 1 else "have"
            people = plural(len(self.without_address), "person", "people")
            sentences.append(f"{people} {have} no email address in the roster.")
        return sentences


def plan_bulk_nudge(
    people: Collection[int], directive: ReminderDirective, viewer: Viewer, *, at: datetime
) -> BulkNudge:
    """Plan a reminder to those of ``people`` who can get one; a fixed number of statements for each 500.

    In none of the lists: the viewer, people whom the viewer may not remind, and people who have completed
    everything.
    """
    day = london_day(at)
    missing = {
        row.person_id
        for row in people_to_remind(day, people)
        if row.directive_id == directive.id and ReminderReason.NUDGE.still_applies(row.status)
    }
    allowed: set[int] = set()
    for batch in split_into_batches(sorted(missing - {viewer.person_id})):
        allowed |= set(db.session.scalars(visible_people(viewer, Permission.REMINDER_NUDGE, batch)))
    recent = nudged_since(allowed, directive.id, at)
    plan = BulkNudge(directive, [], [], [], [], viewer.person_id in missing)
    for person in sorted(list_addressees(allowed, day).values(), key=lambda p: (p.surname, p.staff_number)):
        if state := recent.get(person.person_id):
            (plan.reminded if state is Delivery.SENT else plan.unsent).append(person)
        else:
            (plan.people if person.email else plan.without_address).append(person)
    return plan
