"""Warnings for administrators, shown on pages that they use daily."""

from flask_login import current_user

from portal.platform import clock
from portal.platform.db import newest_stamp
from portal.platform.permissions import Permission
from portal.platform.wording import instant


def clock_alarm() -> str:
    """Warning for administrators that the server's clock is or was wrong; else empty.

    Reads the database, so a template calls it only on the few pages that show it.
    """
    if Permission.JOB_VIEW not in current_user.permissions:
        return ""
    newest, now = newest_stamp(), clock.now()
    if newest is None or not clock.is_ahead(newest, now):
        return ""
    return (
        f"The server’s clock says {instant(now)}, but the newest entry was recorded at {instant(newest)}. "
        "Ask the people who run the portal to check the clock today, and to follow docs/runbook/clock.md."
    )
