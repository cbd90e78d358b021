"""Jobs that were done, and what a worker does beside them."""

from datetime import datetime

from flask import Flask
from sqlalchemy import update

from portal.commands.jobs import make_worker_setup
from portal.platform import clock
from portal.platform.backups.making import BACKUP, figures_of
from portal.platform.db import db, transaction
from portal.platform.jobs import services
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.worker import Worker


def record_backup(taken_at: datetime, size: int) -> None:
    """Record a backup job as done, with a backup of this instant and size."""
    now = clock.now()
    with transaction():
        reference = services.start_job(BACKUP, {}, by=None, at=now)
        ended = {
            "state": JobState.DONE,
            "started_at": now,
            "heartbeat_at": now,
            "ended_at": now,
            "result": figures_of(taken_at.isoformat(), 1.0, "portal.backup", size),
        }
        db.session.execute(update(Job).where(Job.reference == reference).values(**ended))


def maintain_jobs(app: Flask) -> None:
    """Do once what a worker does each minute: start what is due, and delete what has expired."""
    Worker(make_worker_setup(app), 1).maintain_jobs()
