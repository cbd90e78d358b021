"""The job that carries out a granted disposal: short transactions, each of a few hundred rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from portal.domain.retention import queries, services
from portal.domain.retention.holds import take_turn
from portal.domain.retention.models import DisposalSlice
from portal.domain.retention.preview import STORES, list_due_keys
from portal.domain.retention.queries import DisposalRow
from portal.domain.retention.stores import Limit, Store, erase_for_good
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task

NOT_UNDER_WAY = "This disposal was not approved, or is done already."
SLICE = 200  # rows in one transaction: a fraction of a second of the write lock


def dispose(progress: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Remove what a granted disposal covers, then write its certificate with the end of the job.

    Cut off, it goes on where it was: what is removed is counted in the transaction that removes it. A hold
    that is placed meanwhile counts from the next slice on, and so does a period made longer, which ends it.

    Raises:
        RuleError: It was not granted, or is done already.
    """
    row = queries.get_disposal(UUID(arguments["disposal"]))
    if row.state != queries.RUNNING:
        raise RuleError(NOT_UNDER_WAY)
    counts, _ = queries.sum_slices(row.id)
    done = sum(counts.values())
    for store in STORES[row.class_key]:
        last, removed = None, 0
        while keys := _remove_slice(row, store, last):
            last, removed = keys[-1], removed + len(keys)
            progress.report_progress(
                done + removed, max(row.rows, done + removed + 1), f"Removing {store.name}"
            )
        done += removed
    with transaction():
        take_turn()
        result = {"said": services.certify_disposal(row, clock.now())}
        progress.conclude_job(result)
    return result


def _remove_slice(row: DisposalRow, store: Store, last: Any) -> Sequence[Any]:
    """Remove some due rows of a store that no hold keeps, beyond the last key; their keys, in order.

    So rows under a hold are passed once, not at every step. None go if the class is kept longer by now.

    Raises:
        RuleError: Another run ended the disposal meanwhile.
    """
    with transaction():
        take_turn()
        if queries.find_open_disposal(row.class_key) != row.uuid:
            raise RuleError(NOT_UNDER_WAY)
        if services.is_longer_kept(row, clock.now()):
            return []
        keys = list_due_keys(row.class_key, store, Limit(row.through_on), SLICE, beyond=last)
        if keys:
            erase_for_good()
            store.remove(keys)
            step = DisposalSlice(request_id=row.id, disposed_at=clock.now(), counts={store.name: len(keys)})
            db.session.add(step)
        return keys


def _page_address(arguments: Arguments) -> str:
    return f"/retention/disposals/{arguments['disposal']}"


TASKS = (Task(services.JOB, "Disposal", dispose, page=_page_address, low_priority=True),)
