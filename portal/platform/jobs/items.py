"""Items over which a job walks: what is wrong with one is that one's failure, and the others are done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError

from portal.platform.db import db
from portal.platform.errors import BusyError, PortalError, UnwritableError
from portal.platform.jobs.errors import CancelledError
from portal.platform.observability.logs import get_logger
from portal.platform.wording import plural

# Of no item: the job ends, or nothing can be read or written at present.
NO_ITEMS = (CancelledError, BusyError, UnwritableError, OperationalError, InterfaceError)
_log = get_logger("portal.items")


class ItemFailures:
    """Keeps a job going past items that fail, and counts them.

    Args:
        noun: What one item is.
        passes: Further errors that are of no item, and end the walk.
    """

    def __init__(self, noun: str, *passes: type[Exception]) -> None:
        self.noun, self.count = noun, 0
        self.passes: tuple[type[Exception], ...] = (*NO_ITEMS, *passes)

    @contextmanager
    def of(self, item: object, record: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Do what is in the block to one item; if that fails, log it, undo it and go on after the block.

        Args:
            item: What tells it from others in the log: never a name.
            record: Writes down what became of it.
        """
        try:
            yield
        except self.passes:
            raise
        except Exception:
            self.count += 1
            _log.exception("item.failed", noun=self.noun, item=str(item))
            if not is_writing():  # a savepoint in a transaction is undone already
                db.session.rollback()
            record()

    @property
    def sentences(self) -> list[str]:
        """What the job says of them: nothing, if none failed."""
        if not self.count:
            return []
        return [f"{plural(self.count, self.noun)} failed. Support finds the reason in its log."]

    def end_job(self, said: list[str]) -> dict[str, list[str]]:
        """The result of the job, after all items were tried.

        Raises:
            PortalError: Some failed, so the job is listed as failed.
        """
        if self.count:
            raise PortalError("\n".join([*said, *self.sentences]))
        return {"said": said}


def is_writing() -> bool:
    """Whether this thread is in a transaction that writes, and so may hold a lock."""
    session = db.session()
    return session.in_transaction() and bool(
        session.connection().get_execution_options().get("portal_writes")
    )
