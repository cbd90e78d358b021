"""What is known now of a past day and was not known then: whose standing differs, and how."""

from dataclasses import dataclass, replace
from datetime import datetime

from portal.db import newest_stamp
from portal.monitoring.figures import Figures, Share, share
from portal.monitoring.openable import numbers_and_names, openable
from portal.monitoring.queries import CompletionReport
from portal.monitoring.reach import Reach
from portal.standing import queries as standings
from portal.standing.algebra import Status

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One person who stood otherwise as known then; None: was not, or is not, assigned."""

    staff_number: str
    name: str
    then: Status | None
    now: Status | None
    opens: bool  # the viewer may open the page, whose timeline has the facts


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The same day with today's knowledge, beside a report of earlier knowledge."""

    share: Share
    count: int  # people who stand otherwise
    listed: list[Difference]  # the first of them, by surname


def known_now(then: CompletionReport, newest: datetime) -> KnownNow:
    """How people stand otherwise by what is known at ``newest``, whatever the report's filters.

    One statement finds those who differ; the share follows from them and from the report's own figures.
    """
    later = Reach.of(then.viewer, replace(then.position, as_known_on=newest, latest=True))
    before = then.scope_of(then.reach.whose())
    changed = standings.differing(before, replace(before, as_known_on=newest, whose=later.whose()))
    counts = dict(then.figures.by_status)
    for old, new in changed.values():
        if old is not None:
            counts[old] -= 1
        if new is not None:
            counts[new] += 1
    named = numbers_and_names(list(changed), SHOWN)
    opened = openable(then.viewer, [person_id for person_id, _, _ in named])
    listed = [
        Difference(number, name, *changed[person_id], person_id in opened)
        for person_id, number, name in named
    ]
    return KnownNow(share(counts), len(changed), listed)


def group_known_now(then: CompletionReport) -> Figures:
    """Those whom the filters of an earlier report name, with today's knowledge of the same day."""
    newest = newest_stamp()
    if newest is None or not then.filters.group:
        return then.group
    at = replace(then.position, as_known_on=newest, latest=True)
    return replace(then, position=at, reach=Reach.of(then.viewer, at)).group
