"""Jobs of status: sums of past months, which make reports fast, and a check that changes nothing."""

from itertools import islice
from typing import Any

from portal.domain.directives import checks
from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.status import count_check
from portal.platform import clock
from portal.platform.db import newest_stamp, transaction
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
from portal.platform.wording import number, plural

BATCH = 200  # people between two reports of progress
MOST_SENTENCES = 20


def keep_days(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Sum up every day that is to be kept and is not: once a month, and after a directive is issued."""
    job.report_progress(0, 1, "Summing up")
    with transaction():
        days = count_check.keep_days(clock.today())
    return {"said": [f"{plural(days, 'day')} summed up."]}


def check_assignments(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Compare everybody's assignments with what follows from the facts."""
    at = newest_stamp() or clock.now()  # what is committed, nothing that is under way
    people = checks.list_all_people()
    history, differences = RuleHistory(), list[str]()
    for first in range(0, len(people), BATCH):
        job.report_progress(first, len(people), f"{plural(len(differences), 'difference')} so far")
        differences += checks.list_differences(people[first : first + BATCH], history, at)
    job.report_progress(len(people), len(people))
    sentences = [
        f"{plural(len(people), 'person', 'people')} checked: {plural(len(differences), 'difference')}."
    ]
    sentences += islice(differences, MOST_SENTENCES)
    if len(differences) > MOST_SENTENCES:
        more = number(len(differences) - MOST_SENTENCES)
        sentences.append(f"{more} more: see the command “directives reconcile --dry-run”.")
    return {"said": sentences}


TASKS = (
    Task(
        "kept-days",
        "Numbers of past months",
        keep_days,
        due=lambda: bool(count_check.find_missing_days(clock.today())),
    ),
    Task(
        "reconcile",
        "Check of all assignments",
        check_assignments,
        by_hand="Works out from posts, units and directives whom each directive asks, and compares that with "
        "what the portal holds. No difference is expected. It changes nothing.",
    ),
)
