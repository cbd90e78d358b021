"""Looks at the watched folder every minute, beside the worker's jobs, and starts one when there is work."""

from datetime import timedelta
from threading import Event

from config import current_settings
from portal.domain.imports.folder import queries, records
from portal.domain.imports.folder.rounds import ACTOR, JOB, run_folder
from portal.domain.imports.queries import has_expired_files
from portal.platform import clock
from portal.platform.audit.origin import Channel, Origin, originating_from
from portal.platform.db import transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.queries import is_idle_since
from portal.platform.jobs.registry import Routine, Task
from portal.platform.watched_folder.files import Arrivals, WatchedFolder
from portal.platform.watched_folder.settings import FolderSettings

SECONDS = 60.0
REST = timedelta(minutes=2)  # between two jobs
UNCHANGED = timedelta(minutes=5)  # a look that sees the same as the last one is recorded after so long
NOTHING = Arrivals([], [], [])


def look_at_folder(_stopping: Event) -> None:
    """Record what is in the folder, and start a job if a file can be taken or put away. Edge: it commits."""
    settings = current_settings().import_folder
    if not settings.path:
        return
    folder = WatchedFolder(settings)
    fault = folder.make_folders()
    arrivals = NOTHING if fault else folder.list_arrivals()
    has_work = not fault and _has_work(folder, settings, arrivals)
    now = clock.now()
    with originating_from(Origin(Channel.JOB, ACTOR)):
        if _is_news(fault, arrivals.count, arrivals.refused):
            with transaction():
                records.record_look(fault=fault, arrived=arrivals.count, refused=arrivals.refused, at=now)
        if has_work and is_idle_since(JOB, now - REST):
            with transaction():
                jobs.start_job(JOB, {}, by=None, at=now)


def _is_news(fault: str, arrived: int, refused: list[str]) -> bool:
    look = queries.get_look()
    if look is None or clock.now() - look.looked_at >= UNCHANGED:
        return True
    return (look.fault, look.arrived, look.refused) != (fault, arrived, refused)


def _has_work(folder: WatchedFolder, settings: FolderSettings, arrivals: Arrivals) -> bool:
    """Whether a round would do anything."""
    held_up = queries.list_held_up_profiles()
    open_files = queries.list_open_files()
    open_places = {(file.kind, file.profile, file.name) for file in open_files}
    return (
        any((entry.kind, entry.profile) not in held_up for entry in arrivals.complete)
        or any(file.state != "waiting" for file in open_files)
        or bool(queries.list_answered_files())
        or (bool(open_files) and has_expired_files(clock.now()))
        or any(tuple(entry) not in open_places for entry in folder.list_waiting())
        or bool(folder.list_expired(clock.today() - timedelta(days=settings.kept_days)))
    )


TASKS = (Task(JOB, "Import of the watched folder", run_folder, page=lambda _arguments: "/imports"),)
ROUTINES = (Routine("watched folder", look_at_folder, seconds=SECONDS),)
