"""Jobs: the check of all assignments, started by hand, and the monthly snapshots of status counts."""

from portal.domain.directives import checks
from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.status import ahead, count_check, version_changes
from portal.platform import clock
from portal.platform.db import newest_stamp, transaction
from portal.platform.jobs.items import ItemFailures
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
from portal.platform.wording import number, plural

BATCH = 200  # people between two reports of progress
MOST_SENTENCES = 20


def check_assignments(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Compare everybody's assignments with those that follow from the facts."""
    at = newest_stamp() or clock.now()  # what is committed, nothing that is under way
    people = checks.list_all_people()
    history, differences = RuleHistory(), list[str]()
    failures = ItemFailures("part")
    for first in range(0, len(people), BATCH):
        job.report_progress(first, len(people), f"{plural(len(differences), 'difference')} so far")
        with failures.of(people[first]):
            differences += checks.list_differences(people[first : first + BATCH], history, at)
    job.report_progress(len(people), len(people))
    checked = f"{plural(len(people), 'person', 'people')} checked"
    sentences = [f"{checked}: {plural(len(differences), 'difference')}.", *differences[:MOST_SENTENCES]]
    if (more := len(differences) - MOST_SENTENCES) > 0:
        sentences.append(f"{number(more)} more: see the command “directives reconcile --dry-run”.")
    return failures.end_job(sentences)


def add_snapshots(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Sum up every month end without a snapshot: once a month, and after a directive is issued."""
    job.report_progress(0, 1, "Summing up")
    with transaction():
        days = count_check.add_missing_snapshots(clock.today())
    return {"said": [f"{plural(days, 'day')} summed up."]}


def undo_lost_rows(_job: JobProgress, _arguments: Arguments) -> dict[str, list[str]]:
    """Undo what a process wrote ahead of a change and did not finish."""
    ahead.undo_lost_rows()
    return {"said": ["A change that was cut off is undone. Nobody has seen any of it."]}


TASKS = (
    Task(
        "undo-ahead",
        "Undoing of a change that was cut off",
        undo_lost_rows,
        due=ahead.has_lost_rows,
        rest=ahead.SILENT,
    ),
    version_changes.TASK,
    Task(
        "kept-days",
        "Numbers of past months",
        add_snapshots,
        due=lambda: bool(count_check.find_missing_snapshots(clock.today())),
    ),
    Task(
        "reconcile",
        "Check of all assignments",
        check_assignments,
        by_hand="Works out from posts, units and directives to whom each directive applies, and compares "
        "that with what is recorded. No difference is expected. It changes nothing.",
    ),
)
