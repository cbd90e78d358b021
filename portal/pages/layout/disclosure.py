"""Records that the signed-in person sees another person's data, before the page is shown.

Every page about one person calls it; ``tests/pages/audit/test_disclosures.py`` visits each of them. It costs
a page one indexed read and, once a day, one row. Where the row cannot be written, the page is refused: the
portal shows nobody's data to others without a trace.

Pages and files of many people are not its subject: a file keeps the set of people it holds, by ``log_file``.
"""

from flask_login import current_user

from portal.domain.people.access_log import is_access_logged, log_access
from portal.platform import clock
from portal.platform.db import transaction


def log_disclosure(person_id: int, page: str) -> None:
    """Record this look, once a London day for each viewer and person; nothing for one's own page.

    Args:
        person_id: The person whom the page is about.
        page: Which page: person, record, account, decision, attempts, reminder.

    Raises:
        BusyError: Another transaction holds the database.
        UnwritableError: The database takes no change.
    """
    me = current_user.person_id
    if not is_access_logged(me, person_id, clock.now()):
        with transaction():
            log_access(me, person_id, page)
