"""Compares a report with the same day as known now: whose status late-arriving facts changed."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.reports.changes.absence import Absences
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Share, share_of_group
from portal.domain.reports.viewer_scope import ViewerScope, linkable_people, numbers_and_names
from portal.domain.status.changes import find_status_changes
from portal.domain.status.rules import Status

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose status differs, or whom the viewer may see in only one of the two reports."""

    staff_number: str
    name: str
    status_then: str  # in words
    status_now: str
    is_linked: bool  # the viewer may open their page, whose timeline has the facts


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The same day as known now, beside a report as known earlier."""

    share: Share
    count: int  # people whose status differs
    uncounted: int  # people whom the viewer may see in only one of the two reports
    differences: list[Difference]  # the first ``SHOWN`` of all of them, by surname


def compare_with_known_now(report: CompletionReport, newest: datetime) -> KnownNow:
    """Compare a report's group with the same day as known on ``newest``.

    A fixed number of statements: the share is computed from the report's own figures and the changes.
    """
    report_now = _as_known_on(report, newest)
    group = report.filters.group
    scope_then, scope_now = (
        one.scope_of(one.viewer_scope.select_people(group)) for one in (report, report_now)
    )
    statuses = find_status_changes(scope_then, scope_now)
    counts = dict(report.group.by_status)
    for (old, new), people_changed in Counter(statuses.values()).items():
        if old is not None:
            counts[old] -= people_changed
        if new is not None:
            counts[new] += people_changed
    before, after = (
        Absences.look_up(
            one, group, [person_id for person_id, pair in statuses.items() if pair[side] is None]
        )
        for side, one in enumerate((report, report_now))
    )
    people = numbers_and_names(list(statuses), SHOWN)
    linkable = linkable_people(report.viewer, [person_id for person_id, _, _ in people])
    differences = [
        Difference(
            number,
            name,
            _status_words(statuses[person_id][0], before.reason_in_words(person_id)),
            _status_words(statuses[person_id][1], after.reason_in_words(person_id)),
            person_id in linkable,
        )
        for person_id, number, name in people
    ]
    uncounted = len(before.out_of_sight | after.out_of_sight)
    return KnownNow(share_of_group(counts), len(statuses) - uncounted, uncounted, differences)


def _status_words(status: Status | None, absent: str) -> str:
    return absent if status is None else status.label


def _as_known_on(report: CompletionReport, newest: datetime) -> CompletionReport:
    """The same report as known on the newest stamp."""
    position = replace(report.position, as_known_on=newest, latest=True)
    viewer_scope = ViewerScope.of_viewer(report.viewer, position)
    return replace(report, position=position, viewer_scope=viewer_scope)
