"""Compares a report of a past day with what is known now: whose status differs, and how."""

from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.reports.changes.absence import Absences
from portal.domain.reports.filters import EVERYONE
from portal.domain.reports.linkable_people import numbers_and_names, openable
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Figures, Share, share
from portal.domain.reports.viewer_scope import Reach
from portal.domain.status import queries as standings
from portal.domain.status.rules import Status
from portal.platform.db import newest_stamp

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose status differs as known now, or who is in sight in only one of the two reports."""

    staff_number: str
    name: str
    then: str  # in words
    now: str
    opens: bool  # the viewer may open the page, whose timeline has the facts


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The same day with today's knowledge, beside a report of earlier knowledge."""

    share: Share
    count: int  # people whose status differs
    uncounted: int  # people who are in sight in only one of the two reports
    listed: list[Difference]  # the first of all of them, by surname


def known_now(then: CompletionReport, newest: datetime) -> KnownNow:
    """Whose status differs by what is known at ``newest``, whatever the report's filters.

    A fixed number of statements; the share follows from the changes and from the report's own figures.
    """
    at = replace(then.position, as_known_on=newest, latest=True)
    now = replace(then, position=at, reach=Reach.of(then.viewer, at))
    whose = now.reach.whose()
    changed = standings.differing(then.scope_of(then.reach.whose()), now.scope_of(whose))
    counts = dict(then.figures.by_status)
    for old, new in changed.values():
        if old is not None:
            counts[old] -= 1
        if new is not None:
            counts[new] += 1
    before, after = (
        Absences.of(report, EVERYONE, [one for one, pair in changed.items() if pair[side] is None])
        for side, report in enumerate((then, now))
    )
    named = numbers_and_names(list(changed), SHOWN)
    opened = openable(then.viewer, [person_id for person_id, _, _ in named])
    listed = [
        Difference(
            number,
            name,
            _status_words(changed[person_id][0], before.reason_in_words(person_id)),
            _status_words(changed[person_id][1], after.reason_in_words(person_id)),
            person_id in opened,
        )
        for person_id, number, name in named
    ]
    uncounted = len(before.out_of_sight | after.out_of_sight)
    return KnownNow(share(counts), len(changed) - uncounted, uncounted, listed)


def _status_words(status: Status | None, absent: str) -> str:
    return absent if status is None else status.label


def group_known_now(then: CompletionReport) -> Figures:
    """Those whom the filters of an earlier report name, with today's knowledge of the same day."""
    newest = newest_stamp()
    if newest is None or not then.filters.group:
        return then.group
    at = replace(then.position, as_known_on=newest, latest=True)
    return replace(then, position=at, reach=Reach.of(then.viewer, at)).group
