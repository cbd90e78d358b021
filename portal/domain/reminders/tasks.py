"""Jobs that plan the day's reminders and send the messages of the outbox."""

from datetime import datetime, timedelta
from typing import Any

from portal.domain.accounts.sign_in import has_open_requests
from portal.domain.people.queries import require_starter
from portal.domain.reminders import invitations, notices, queries, services
from portal.domain.reminders.invitations import Candidates, InvitationFilter, InvitationOutcome
from portal.domain.reminders.models import EVENT_KINDS, MessageKind, list_private_kinds
from portal.domain.reminders.sending import (
    line_managers_see,
    mail_hours,
    relay_is_set,
    send_due_messages,
    sending_settings,
)
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.registry import Arguments, JobProgress, Task
from portal.platform.permissions import Permission
from portal.platform.wording import plural

AT_ONCE = (MessageKind.NOTICE, *(kind for kind in EVENT_KINDS if kind is not MessageKind.EVENT_REMINDER))
KINDS = (
    MessageKind.NOTICE,
    MessageKind.REMINDER,
    MessageKind.REVIEW,
    MessageKind.FOLDER,
    MessageKind.REPORT,
    MessageKind.EVIDENCE_STALE,
    *EVENT_KINDS,
)  # of the core; the others have a job of their own


def _list_kinds() -> list[MessageKind]:
    """What the job of the day sends, of the core and of features."""
    return [*KINDS, *list_private_kinds()]


def is_due(now: datetime) -> bool:
    """Whether today is not planned yet, or a message waits that may be sent now."""
    if not relay_is_set() or not mail_hours().allows_sending(now):
        return False
    return queries.last_planned_day() != clock.london_day(now) or bool(
        queries.list_due_messages(now, 1, _list_kinds())
    )


def has_notices(now: datetime) -> bool:
    """Whether a notice about accounts or an event waits; it may be sent at any hour."""
    return relay_is_set() and bool(queries.list_due_messages(now, 1, AT_ONCE))


def send_notices(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Send notices about accounts and events; those that the relay does not take now are sent later."""
    if not relay_is_set():
        return {"said": ["Email is not set up, so nothing was sent. Messages wait in the outbox."]}
    outcome = send_due_messages(
        sending_settings(),
        lambda count, words: job.report_progress(count, count + 1, words),
        AT_ONCE,
    )
    return {"said": [f"{outcome.summary_words}."]}


def send_reminders(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Plan today's reminders, if they are not planned yet; then send messages."""
    now = clock.now()
    job.report_progress(0, 1, "Planning")
    with transaction():
        plan = services.plan_day(
            clock.london_day(now), at=now, hours=mail_hours(), line_managers=line_managers_see()
        )
    sentences = [f"{plural(len(plan.letters), 'message')} planned."]
    if plan.untold:
        managers = plural(len(plan.untold), "line manager was", "line managers were")
        sentences.append(f"{managers} not told, because they cannot open the report. See Reminders.")
    if not relay_is_set():
        return {"said": [*sentences, "Email is not set up, so they wait in the outbox."]}
    outcome = send_due_messages(
        sending_settings(), lambda count, words: job.report_progress(count, count + 1, words), _list_kinds()
    )
    return plan.failures.end_job([*sentences, f"{outcome.summary_words}."])


TASKS = (
    Task(notices.JOB, "Mail about accounts and events", send_notices, due=lambda: has_notices(clock.now())),
    Task(
        "reminders",
        "Reminders",
        send_reminders,
        due=lambda: is_due(clock.now()),
        by_hand="Plans today’s reminders, once a day, and sends queued emails if they may be sent now.",
    ),
)


# Jobs that make invitations, answer requests for a link, and send the mails of both.

INVITATIONS, RESETS, LINKS = "invitations", "reset_requests", "account_links"
INVITATION_KINDS = (MessageKind.RESET, MessageKind.INVITATION)
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
            count += invitations.invite_people(
                viewer, people, batch=job.reference, at=clock.now(), hours=mail_hours()
            )
        after = people[-1]
        job.report_progress(count, max(total, count), "Putting invitations into the outbox")
    with transaction():
        invited = invitations.announce_batch(viewer, job.reference, invitations.MAIL)
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
            handled, queued = invitations.queue_reset_mails(clock.now())
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
        INVITATION_KINDS,
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
    kinds = INVITATION_KINDS if mail_hours().allows_sending(now) else (MessageKind.RESET,)
    return relay_is_set() and bool(queries.list_due_messages(now, 1, kinds))


INVITATION_TASKS = (
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
