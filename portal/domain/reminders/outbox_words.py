"""What each message of the outbox says, in a few words, for people who look after mail."""

from collections.abc import Sequence

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.reminders.models import Message, MessageKind, MessageLine, NoticeLine
from portal.domain.reminders.rules import ReminderReason
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db

UNSEEN = "somebody outside your units"
_REASON_WORDS = {
    ReminderReason.NOTICE: "due soon",
    ReminderReason.OVERDUE: "overdue",
    ReminderReason.ENDING: "ends soon",
    ReminderReason.ESCALATION: "overdue, to the line manager",
    ReminderReason.NUDGE: "nudged by a manager",
}
_ACT_WORDS = {
    "role.granted": "Account: role given",
    "role.revoked": "Account: role ended",
    "account.invited": "Account: password link made",
    "account.closed": "Account: closed",
    "account.opened": "Account: opened again",
    "account.identity_removed": "Account: link to the force account removed",
    "account.factors_reset": "Account: second factor reset",
    "account.factor_added": "Account: second factor added",
    "account.factor_removed": "Account: second factor removed",
    "account.recovery_codes_made": "Account: recovery codes made",
    "account.recovery_code_used": "Account: recovery code used",
    "accounts.invited": "Accounts: people invited",
    "token.created": "Access token made",
    "token.revoked": "Access token revoked",
    "folder.quarantined": "Watched folder: a file was set aside",
    "folder.waiting": "Watched folder: a file waits for a person",
    "webhook.added": "Webhook added",
    "webhook.changed": "Webhook changed",
    "webhook.failed": "Webhook: messages failed",
    "webhook.gone": "Webhook paused by its receiver",
    "event.facilitator_named": "Event: to be run",
    "event.facilitator_released": "Event: run by somebody else",
    "event.move_told": "Event: moved or changed",
    "event.cancellation_told": "Event: cancelled",
    "event.reminded": "Event: near",
    "booking.made": "Event: place booked",
    "booking.offered": "Event: place offered",
    "booking.cancelled": "Event: place given back",
    "booking.declined": "Event: place declined",
    "booking.lapsed": "Event: offer lapsed",
    "booking.left": "Event: place ended",
    "alert.many_refusals": "Alert: many refusals",
    "alert.many_failed_sign_ins": "Alert: many failed sign-ins",
    "completions.exported": "Alert: completions of many people downloaded",
    "answer_pack.exported": "Alert: answer pack about many people made",
    "accounts.exported": "Alert: list of many accounts downloaded",
    "audit.exported": "Alert: audit trail of many people downloaded",
}
# Of messages that have no lines.
WORDS_OF_KIND = {
    MessageKind.INVITATION: ("Account: invitation to set a password",),
    MessageKind.RESET: ("Account: answer to a request for a new password",),
    MessageKind.RECALL: ("Three questions about a module that you passed",),
    MessageKind.REVIEW: ("Modules and guides to review",),
    MessageKind.CLARITY: ("An author has answered what you found unclear",),
    MessageKind.REPORT: ("A saved report",),
    MessageKind.EVIDENCE_STALE: ("Evidence or a plan that needs attention",),
}
MOST_ACTS = 10  # of one message that the outbox lists


def reason_words(reason: ReminderReason) -> str:
    """The reason in a few words."""
    return _REASON_WORDS[reason]


def lines_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    """What each of these messages says, by its id, without naming people whom the viewer may not see."""
    about = aliased(PersonName)
    is_visible = MessageLine.about_id.in_(visible_people(viewer))
    name = case((~is_visible, UNSEEN), else_=func.coalesce(about.full_name, "Erased"))
    statement = (
        select(MessageLine, Directive.reference, name, Message.person_id)
        .join(Directive, Directive.id == MessageLine.directive_id)
        .join(Message, Message.id == MessageLine.message_id)
        .outerjoin(about, about.person_id == MessageLine.about_id)
        .where(MessageLine.message_id.in_(ids), or_(is_visible, Message.person_id == viewer.person_id))
        .order_by(MessageLine.id)
    )
    words: dict[int, list[str]] = {}
    for line, reference, about_name, addressee in db.session.execute(statement):
        of_whom = "" if line.about_id == addressee else f", {about_name}"
        words.setdefault(line.message_id, []).append(
            f"{reference}: {reason_words(ReminderReason(line.reason))}{of_whom}"
        )
    return words | _acts_in_words(viewer, ids)


def _acts_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    about = aliased(PersonName)
    is_visible = AuditEvent.subject_id.in_(visible_people(viewer))
    erased = func.coalesce(about.full_name, "Erased")
    name = case((AuditEvent.subject_id.is_(None), ""), (~is_visible, UNSEEN), else_=erased)
    statement = (
        select(NoticeLine.message_id, AuditEvent.action, name)
        .join(AuditEvent, AuditEvent.id == NoticeLine.event_id)
        .outerjoin(about, about.person_id == AuditEvent.subject_id)
        .where(NoticeLine.message_id.in_(ids))
        .order_by(NoticeLine.id)
    )
    words: dict[int, list[str]] = {}
    for message_id, action, about_name in db.session.execute(statement):
        what = _ACT_WORDS[action]
        words.setdefault(message_id, []).append(f"{what}, {about_name}" if about_name else what)
    return {message_id: [*acts[:MOST_ACTS], *_rest_in_words(acts)] for message_id, acts in words.items()}


def _rest_in_words(acts: Sequence[str]) -> list[str]:
    return [f"and {len(acts) - MOST_ACTS} more"] if len(acts) > MOST_ACTS else []
