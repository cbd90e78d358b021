"""A real worker that knows one more kind of job: it counts, slowly, and leaves a line for each step."""

import os
import time
from pathlib import Path

from portal.app import list_tasks
from portal.commands.jobs import run_worker
from portal.feature import list_features
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.jobs.registry import Arguments, JobProgress, Task, set_tasks

KIND = "counting"
STEP_SECONDS = 0.05


def count(job: JobProgress, arguments: Arguments) -> None:
    """Count to ``to`` before the transaction, or ``inside`` it, where each step adds an event."""
    to = arguments["to"]
    for step in range(0 if arguments.get("inside") else to):
        job.report_progress(step, to, f"Step {step}")
        _leave_line(arguments, f"{job.reference} {os.getpid()} {step}")
    with transaction():
        for step in range(to if arguments.get("inside") else 0):
            log("count.stepped", actor_id=None, step=step)
            job.report_progress(step, to, f"Step {step}")
            _leave_line(arguments, f"{job.reference} {os.getpid()} {step}")
        job.conclude_job({"said": f"Counted to {to}."})


def _leave_line(arguments: Arguments, line: str) -> None:
    with Path(arguments["file"]).open("a") as file:
        file.write(f"{line}\n")
    time.sleep(STEP_SECONDS)


COUNTING = Task(KIND, "A count", count)


if __name__ == "__main__":
    from wsgi import app

    set_tasks((*list_tasks(list_features()), COUNTING))
    run_worker(app, int(os.environ.get("JOBS_WORKERS", "1")))
