"""The job that plans the day's reminders and sends what waits."""

from datetime import datetime
from typing import Any

from portal.domain.reminders import notices, queries, services
from portal.domain.reminders.models import MessageKind
from portal.domain.reminders.sending import send_waiting
from portal.domain.reminders.settings import line_managers_see, mail_hours, relay_is_set, sending_settings
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, register_task
from portal.platform.wording import plural


def is_due(now: datetime) -> bool:
    """Whether today is still to be planned, or something waits that may go now."""
    if not relay_is_set() or not mail_hours().allows_sending(now):
        return False
    return queries.last_planned() != clock.london_day(now) or bool(
        queries.to_send(now, 1, tuple(MessageKind))
    )


def has_notices(now: datetime) -> bool:
    """Whether a notice about accounts waits; it may go at any hour."""
    return relay_is_set() and bool(queries.to_send(now, 1, [MessageKind.NOTICE]))


@register_task(notices.JOB, "Mail about accounts", due=lambda: has_notices(clock.now()))
def send_notices(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Send the notices about accounts; those that the relay does not take now are tried again later."""
    if not relay_is_set():
        return {"said": ["No mail relay is set: it waits in the outbox."]}
    done = send_waiting(
        sending_settings(),
        lambda count, words: job.report_progress(count, count + 1, words),
        [MessageKind.NOTICE],
    )
    return {"said": [f"{done.summary_words}."]}


@register_task(
    "reminders",
    "Reminders",
    due=lambda: is_due(clock.now()),
    by_hand="Plans what today asks for, once a day, and sends what waits in the outbox, if mail may go now.",
)
def send_reminders(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Plan, once a day; then send."""
    now = clock.now()
    job.report_progress(0, 1, "Planning")
    with transaction():
        plan = services.plan_day(
            clock.london_day(now), at=now, hours=mail_hours(), line_managers=line_managers_see()
        )
    said = [f"{len(plan.letters)} messages planned."]
    if plan.untold:
        managers = plural(len(plan.untold), "line manager was", "line managers were")
        said.append(f"{managers} not told, because they cannot open the report: see Reminders.")
    if not relay_is_set():
        return {"said": [*said, "No mail relay is set: they wait in the outbox."]}
    done = send_waiting(sending_settings(), lambda count, words: job.report_progress(count, count + 1, words))
    return {"said": [*said, f"{done.summary_words}."]}
