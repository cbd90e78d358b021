"""Jobs that an administrator starts by hand."""

from itertools import islice
from typing import Any

from portal.domain.directives import checks
from portal.domain.directives.fact_loader import RuleHistory
from portal.platform import clock
from portal.platform.db import newest_stamp
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, register_task
from portal.platform.wording import number, plural

BATCH = 200  # people between two words of progress
MOST_SAID = 20


@register_task(
    "reconcile",
    "Check of all assignments",
    by_hand="Works out from posts, units and directives whom each directive asks, and compares that with "
    "what the portal holds. No difference is expected. It changes nothing.",
)
def reconcile(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Compare everybody's assignments with what follows from the facts."""
    at = newest_stamp() or clock.now()  # what is committed, nothing that is under way
    people = checks.everybody()
    history, found = RuleHistory(), list[str]()
    for first in range(0, len(people), BATCH):
        job.report_progress(first, len(people), f"{plural(len(found), 'difference')} so far")
        found += checks.differences_of(people[first : first + BATCH], history, at)
    job.report_progress(len(people), len(people))
    said = [f"{plural(len(people), 'person', 'people')} checked: {plural(len(found), 'difference')}."]
    said += islice(found, MOST_SAID)
    if len(found) > MOST_SAID:
        said.append(
            f"{number(len(found) - MOST_SAID)} more: see the command “directives reconcile --dry-run”."
        )
    return {"said": said}
