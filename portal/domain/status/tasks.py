"""The job that keeps the numbers of the ends of months, so that reports add up few rows."""

from typing import Any

from portal.domain.status import count_check
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, register_task
from portal.platform.wording import plural


@register_task(
    "kept-days", "Numbers of past months", due=lambda: bool(count_check.find_missing_days(clock.today()))
)
def keep_days(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Sum up every day that is to be kept and is not: once a month, and after a directive is issued."""
    job.report_progress(0, 1, "Summing up")
    with transaction():
        days = count_check.keep_days(clock.today())
    return {"said": [f"{plural(days, 'day')} summed up."]}
