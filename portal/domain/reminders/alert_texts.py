"""Words of mails about alerts: what happened, and the address of the audit trail that lists it."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from portal.platform import wording as say
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.origin import Channel
from portal.platform.audit.services import is_alert
from portal.platform.clock import london_day

ALERT_TEXTS = {  # subject and sentence
    "completions.exported": (
        "Completions of {people} downloaded",
        "{by} downloaded the completions of {directive}: {people}.",
    ),
    "answer_pack.exported": (
        "Answer pack about {people} made",
        "{by} made an answer pack of the recommendation {recommendation}, which names {people}.",
    ),
    "accounts.exported": ("List of {people} downloaded", "{by} downloaded the list of accounts: {people}."),
    "audit.exported": (
        "Audit trail downloaded",
        "{by} downloaded {rows} of the audit trail, which name {people}.",
    ),
    "alert.many_refusals": (
        "Many refusals: {person}",
        "{owner} was refused at least {count} times within {minutes}.",
    ),
    "alert.many_failed_sign_ins": (
        "Many failed sign-ins",
        "At least {count} sign-ins failed within {minutes}, over all accounts.",
    ),
}
ALERT_ADVICE = (
    "If you did not expect this, ask the person. If you are still in doubt, end the role, close the account "
    "or revoke the token."
)
_NOUNS = {"people": ("person", "people"), "rows": ("entry", "entries"), "minutes": ("minute", "minutes")}


def alert_fields(event: AuditEvent) -> dict[str, str]:
    """The values of an alert's sentence; empty for other acts."""
    if not is_alert(event):
        return {}
    return {key: _in_words(key, value) for key, value in event.detail.items()}


def _in_words(key: str, value: Any) -> str:
    if key in _NOUNS and isinstance(value, int):
        return say.plural(value, *_NOUNS[key])
    return " ".join(str(value).split())  # one line: it may become the subject


def agent_words(event: AuditEvent) -> str:
    """Who acted where no account did, at the beginning of a sentence."""
    if event.channel == Channel.TOKEN:
        return f"The access token “{' '.join(event.agent.split())}”"
    return "Somebody at the command line"


def alert_path(event: AuditEvent, subject_number: str, actor_number: str) -> str:
    """The path of the audit trail that lists what an alert is about; empty for other acts."""
    if not is_alert(event):
        return ""
    day = london_day(event.happened_at)
    by = {"by": actor_number} if actor_number else {}
    if event.action == "alert.many_refusals":
        who = {"by": subject_number} if subject_number else {"channel": event.channel}
        return audit_path(day, day, outcome="refused", **who)
    if event.action == "alert.many_failed_sign_ins":
        return audit_path(day, day, outcome="refused", group="sign-in")
    group = "audit" if event.action == "audit.exported" else "files"
    return audit_path(day, day, group=group, **by)


def audit_path(first: date, last: date, **filters: str) -> str:
    """The path of the audit trail from a day to a day, with filters."""
    return f"/audit?{urlencode({'since': first.isoformat(), 'until': last.isoformat(), **filters})}"
