"""Jobs that make invitations, answer requests for a link, and send the mails of both."""

from datetime import timedelta
from typing import Any

from portal.domain.accounts.sign_in.reset_requests import has_open_requests
from portal.domain.people.queries import require_starter
from portal.domain.reminders import queries
from portal.domain.reminders.invitations import inviting, resets
from portal.domain.reminders.invitations.candidates import Candidates, InvitationFilter, InvitationOutcome
from portal.domain.reminders.models import MessageKind
from portal.domain.reminders.sending import send_due_messages
from portal.domain.reminders.settings import mail_hours, relay_is_set, sending_settings
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
from portal.platform.permissions import Permission
from portal.platform.wording import plural

INVITATIONS, RESETS, LINKS = "invitations", "reset_requests", "account_links"
KINDS = (MessageKind.RESET, MessageKind.INVITATION)
SLICE = 50  # people in one transaction, so that nobody waits for its lock
SECONDS = 60  # of one round of sending; then other jobs get their turn
PAGE = "/people/invitations"


def make_invitations(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Invite everyone whom the filter names and who is to be invited; safe to run again from its start."""
    refusal = "The person who asked for this may no longer administer accounts."
    viewer = require_starter(job.asked_by_id, Permission.ACCOUNT_ADMINISTER, refusal)
    candidates = Candidates(viewer, InvitationFilter(**arguments), clock.now())
    total = candidates.count_by_outcome()[0][InvitationOutcome.INVITE]
    after, count = 0, 0
    while people := candidates.next_slice(after, SLICE):
        with transaction():
            count += inviting.invite_people(
                viewer, people, batch=job.reference, at=clock.now(), hours=mail_hours()
            )
        after = people[-1]
        job.report_progress(count, max(total, count), "Putting invitations into the outbox")
    with transaction():
        invited = inviting.announce_batch(viewer, job.reference, inviting.MAIL)
        result = {"said": [f"{plural(invited, 'person', 'people')} invited. Reminders lists the emails."]}
        if invited and relay_is_set():
            jobs.start_job_once(LINKS, clock.now())
        job.conclude_job(result)
    return result


def answer_requests(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Queue a mail for each account for which a link was asked at sign-in, and have the mails sent."""
    requests = messages = 0
    while True:
        with transaction():
            handled, queued = resets.queue_reset_mails(clock.now())
            if queued:
                jobs.start_job_once(LINKS, clock.now())
        requests, messages = requests + handled, messages + queued
        if not handled:
            break
        job.report_progress(requests, requests + 1)
    return {"said": [f"{plural(requests, 'request')}, {plural(messages, 'email')} queued."]}


def send_links(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Send mails with a link for a minute; another job goes on with the rest."""
    if not relay_is_set():
        return {"said": ["Email is not set up, so nothing was sent. Messages wait in the outbox."]}
    outcome = send_due_messages(
        sending_settings(),
        lambda count, words: job.report_progress(count, count + 1, words),
        KINDS,
        SECONDS,
    )
    if outcome.message_count and _links_are_due():
        with transaction():
            jobs.start_job_once(LINKS, clock.now())
    db.session.rollback()
    return {"said": [f"{outcome.summary_words}."]}


def _links_are_due() -> bool:
    """Whether a mail with a link waits that may be sent now."""
    now = clock.now()
    kinds = KINDS if mail_hours().allows_sending(now) else (MessageKind.RESET,)
    return relay_is_set() and bool(queries.list_due_messages(now, 1, kinds))


TASKS = (
    Task(INVITATIONS, "Invitations", make_invitations, page=lambda arguments: PAGE),
    Task(
        RESETS,
        "Requests for a link to set a password",
        answer_requests,
        due=lambda: relay_is_set() and has_open_requests(),
        rest=timedelta(seconds=30),  # somebody waits for it
    ),
    Task(LINKS, "Mail with links to set a password", send_links, due=_links_are_due),
)
