"""Jobs that plan the day's reminders and send the messages of the outbox."""

from datetime import datetime
from typing import Any

from portal.domain.reminders import notices, queries, report_mails, services
from portal.domain.reminders.models import EVENT_KINDS, PRIVATE_KINDS, MessageKind
from portal.domain.reminders.sending import send_due_messages
from portal.domain.reminders.settings import (
    bank_holidays,
    line_managers_see,
    mail_hours,
    relay_is_set,
    sending_settings,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
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
    *PRIVATE_KINDS,
)  # the others have a job of their own


def is_due(now: datetime) -> bool:
    """Whether today is not planned yet, or a message waits that may be sent now."""
    if not relay_is_set() or not mail_hours().allows_sending(now):
        return False
    return queries.last_planned_day() != clock.london_day(now) or bool(
        queries.list_due_messages(now, 1, KINDS)
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
        sending_settings(), lambda count, words: job.report_progress(count, count + 1, words), KINDS
    )
    return plan.failures.end_job([*sentences, f"{outcome.summary_words}."])


def has_report_mails(now: datetime) -> bool:
    """Whether the mails of saved reports are not planned up to today."""
    if not relay_is_set() or not mail_hours().allows_sending(now):
        return False
    return report_mails.has_unplanned_schedule(clock.london_day(now))


def plan_report_mails(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Put the mails of saved reports up to today into the outbox; a second time changes nothing."""
    with transaction():
        plan = report_mails.plan_report_mails(
            at=clock.now(), hours=mail_hours(), holidays=bank_holidays(), line_managers=line_managers_see()
        )
    return plan.failures.end_job([plan.words])


TASKS = (
    Task(notices.JOB, "Mail about accounts and events", send_notices, due=lambda: has_notices(clock.now())),
    Task(
        "reminders",
        "Reminders",
        send_reminders,
        due=lambda: is_due(clock.now()),
        by_hand="Plans today’s reminders, once a day, and sends queued emails if they may be sent now.",
    ),
    Task(
        "report-mails",
        "Mail about saved reports",
        plan_report_mails,
        due=lambda: has_report_mails(clock.now()),
    ),
)
