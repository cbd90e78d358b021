"""The job that makes an answer pack, for its requester as they are when it runs."""

from typing import Any
from uuid import UUID

from config import current_settings
from portal.domain.assurance.packs import kinds
from portal.domain.assurance.packs.making import AnswerWish, make_answer_pack
from portal.domain.assurance.packs.requests import KIND
from portal.domain.people.queries import Viewer, require_starter, visibility_of
from portal.domain.reports.completion import export_files
from portal.domain.reports.completion.tasks import file_folder, remove_expired_files
from portal.domain.reports.packs.kinds import settle_position
from portal.domain.reports.parameters import parse_position
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import newest_stamp, transaction
from portal.platform.errors import ForbiddenError
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task
from portal.platform.permissions import Permission

REFUSED = "You may no longer make answer packs, so this one was not made."


def make_pack(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the pack to a scratch folder, then put it in place in the transaction that ends the job."""
    remove_expired_files()
    row = export_files.get_requested_file(UUID(arguments["file"]), clock.now())
    viewer = require_maker(row.asked_by_id)
    visibility = export_files.visibility_values(viewer)
    file_id, key, name, times = row.id, row.directive, row.name, row.position
    position = parse_position(times["as_at"], times["as_known_on"], now=clock.now(), newest=newest_stamp())
    settings = current_settings()
    wish = AnswerWish(key, name, settle_position(position), settings.force_name, settings.small_number)
    progress.report_progress(0, 1, "Reading the desk")
    with file_folder().start_file(file_id) as new_file:
        folder = new_file.scratch / "pack"
        folder.mkdir(mode=0o700)
        pack = make_answer_pack(
            wish,
            viewer,
            folder,
            new_file.draft,
            lambda rows: progress.report_progress(rows, rows + 1, "Writing rows of the annexes"),
        )
        detail = kinds.describe_event(key, name, times, pack.sha256)
        with transaction():
            event = log_file(
                "answer_pack.exported", pack.people, actor_id=viewer.person_id, file=str(file_id), **detail
            )
            stored, download_name = new_file.put_in_place(), kinds.answer_name(key, name, wish.position)
            export_files.mark_file_made(file_id, stored, download_name, visibility, event.id, clock.now())
            result = {"SHA-256": pack.sha256}
            progress.conclude_job(result)
    return result


def require_maker(person_id: int) -> Viewer:
    """Who requested a pack, with the roles of today.

    Raises:
        ForbiddenError: They may no longer see the desk, download completions, or see everybody in the force.
    """
    viewer = require_starter(person_id, Permission.ASSURANCE_VIEW, REFUSED)
    if Permission.COMPLETION_EXPORT not in viewer.permissions or not visibility_of(viewer).everyone:
        raise ForbiddenError(REFUSED)
    return viewer


def _page_address(arguments: dict[str, Any]) -> str:
    return f"/assurance/pack/files/{arguments['file']}"


TASKS = (Task(KIND, "Answer pack", make_pack, page=_page_address, own=True, low_priority=True),)
