"""What workers do for webhooks again and again: collect events, send messages, delete old ones.

A routine and no job: a receiver may take ten seconds to answer, and with one worker thread an import would
wait for it; and a job a minute would fill the list of jobs.
"""

from threading import Event

from portal.domain.webhooks import queries
from portal.domain.webhooks.sending import keep_up, send_messages
from portal.platform import clock
from portal.platform.db import db
from portal.platform.jobs.registry import Routine

SECONDS = 2.0  # between two looks; an event is sent at most a few seconds after its commit


def run_webhooks(stopping: Event) -> None:
    """One round: everything that is due now. Edge: it commits. Without webhooks it is one statement."""
    if queries.has_webhooks():
        send_messages(stopping)
        keep_up(clock.now())
    db.session.rollback()


ROUTINES = (Routine("webhooks", run_webhooks, SECONDS),)
