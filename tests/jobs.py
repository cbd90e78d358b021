"""Runs one job as a worker does, for tests that wait for what it makes."""

import uuid

from portal.platform import clock
from portal.platform.jobs import registry
from portal.platform.jobs.worker import JobRunner


def run_job(runner: JobRunner, reference: uuid.UUID) -> None:
    """Run this job if it waits."""
    with runner.setup.open_context():
        job = registry.claim_job(reference, clock.now())
    if job:
        runner.run_claimed_job(job)
