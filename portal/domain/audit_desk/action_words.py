"""Every action of the audit trail in plain words, and the group in which a filter finds it.

A new action fails ``tests/domain/audit_desk/test_action_words.py`` until it has a line here. In a text,
``{name}`` is a value of the event's detail, and a part in square brackets is left out where the event does
not have all of its values.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from portal.feature import list_features


class ActionGroup(StrEnum):
    """A group of actions, as the filter offers it."""

    SIGN_IN = "sign-in"
    ACCOUNTS = "accounts"
    LOOKS = "looks"
    FILES = "files"
    AUDIT = "audit"
    ALERTS = "alerts"
    TOKENS = "tokens"
    SYSTEMS = "systems"
    LEARNING = "learning"
    EVENTS = "events"
    DECISIONS = "decisions"
    DIRECTIVES = "directives"
    PEOPLE = "people"
    CONTENT = "content"
    MAIL = "mail"
    JOBS = "jobs"
    RETENTION = "retention"
    ASSURANCE = "assurance"
    RETURNS = "returns"


GROUP_WORDS = {
    ActionGroup.SIGN_IN: "Signing in and out",
    ActionGroup.ACCOUNTS: "Accounts and roles",
    ActionGroup.LOOKS: "Looking at a person",
    ActionGroup.FILES: "Files of people",
    ActionGroup.AUDIT: "Reading this desk",
    ActionGroup.ALERTS: "Refusals and alerts",
    ActionGroup.TOKENS: "Access tokens and webhooks",
    ActionGroup.SYSTEMS: "Done by other systems",
    ActionGroup.LEARNING: "Learning and records",
    ActionGroup.EVENTS: "Events and exercises",
    ActionGroup.DECISIONS: "Requests and decisions",
    ActionGroup.DIRECTIVES: "Directives",
    ActionGroup.PEOPLE: "People and units",
    ActionGroup.CONTENT: "Modules and guides",
    ActionGroup.MAIL: "Reminders",
    ActionGroup.JOBS: "Jobs",
    ActionGroup.RETENTION: "Retention and requests about data",
    ActionGroup.ASSURANCE: "Assurance and returns",
    ActionGroup.RETURNS: "Returns of forces",
}


@dataclass(frozen=True, slots=True)
class ActionWords:
    """The group of an action, and its sentence."""

    group: ActionGroup
    text: str


_TEXTS = {
    ActionGroup.SIGN_IN: {
        "account.signed_in": "Signed in[ by {method}]",
        "account.signed_in_again": "Signed in again[ by {method}]",
        "account.signed_out": "Signed out",
        "account.refused": "Sign-in failed[: wrong {reason}]",
        "account.binding_refused": "Sign-in with the force account refused[: {reason}]",
        "account.identity_bound": "Linked to a force account at the first sign-in",
        "account.session_ended": "Sessions ended[: {reason}]",
    },
    ActionGroup.ACCOUNTS: {
        "role.granted": "Gave the role {role}[ on {unit}][, until {until}]",
        "role.revoked": "Ended the role {role}[ on {unit}]",
        "account.invited": "Made a link to set a password",
        "accounts.invited": "Invited {people} to set a password",
        "account.link_sent": "Sent a link to set a password",
        "account.reset_requested": "Asked at sign-in for a link to set a new password",
        "account.password_set": "Set a password",
        "account.unlocked": "Lifted the lock after failed sign-ins",
        "account.closed": "Closed the account",
        "account.opened": "Opened the account again",
        "account.identity_removed": "Removed the link to the force account",
        "account.factor_added": "Added a second factor[: {kind}]",
        "account.factor_removed": "Removed a second factor[: {kind}]",
        "account.factors_reset": "Reset the second factor",
        "account.recovery_codes_made": "Made recovery codes",
        "account.recovery_code_used": "Used a recovery code",
    },
    ActionGroup.LOOKS: {"person.viewed": "Looked at their {page}, for the first time that day"},
    ActionGroup.FILES: {
        "completions.exported": "Downloaded the completions of {directive}[ ({format})]"
        "[, {people}][, {rows}]",
        "subject_access.exported": "Made a copy of everything held about the person[ ({format})]",
        "accounts.exported": "Downloaded the list of accounts[, {people}]",
        "completions.downloaded": "Downloaded a prepared file of {directive}[, {name}]",
    },
    ActionGroup.AUDIT: {
        "audit.viewed": "Looked at the audit trail[: {page}]",
        "audit.exported": "Downloaded the audit trail[, {rows}][, {people}]",
    },
    ActionGroup.ALERTS: {
        "access.refused": "Was refused a page[: {endpoint}]",
        "request.failed": "Met a fault of the portal[: {endpoint}]",
        "alert.many_refusals": "Alert: {count} refusals of one account within {minutes}",
        "alert.many_failed_sign_ins": "Alert: {count} failed sign-ins within {minutes}",
    },
    ActionGroup.TOKENS: {
        "token.created": "Made the access token {token}[, for {scope}]",
        "token.revoked": "Revoked the access token {token}",
        "token.resumed": "Let the access token {token} work again after a restore",
    },
    ActionGroup.SYSTEMS: {
        "data.read": "Read {operation}[, {rows}]",
        "import.sent": "Sent an import: {kind}[, {rows}]",
        "exclusions.sent": "Sent exemptions and deferrals: {added} new[, {corrected} corrected]",
    },
    ActionGroup.LEARNING: {
        "attempt.submitted": "Submitted an assessment",
        "attempt.opened": "Opened one more attempt at {module}[: {reason}]",
        "attempt.not_opened": "Could not open one more attempt at {module}",
        "pass.recorded": "Passed: record {reference}",
        "attendance.recorded": "Recorded attendance: record {reference}",
        "guide.acknowledged": "Acknowledged a guide: record {reference}",
        "learning.recognised": "Recognised prior learning: record {reference}",
        "record.revoked": "Revoked record {reference}[ from {from_on}][: {reason}]",
        "record.restored": "Restored record {reference}[ from {from_on}][: {reason}]",
        "records.imported": "Imported completions: {recorded} recorded[, {held} held already]",
        "case.copy_shown": "Showed a copy of what they wrote in a case to their line manager",
        "case.copy_taken_back": "Took back a copy of what they wrote in a case",
        "case.rubric_applied": "Looked through a text that was shown to them, and ticked what they found",
        "notes.erased": "Erased texts that belong to {fact_table}",
    },
    ActionGroup.DECISIONS: {
        "decision.asked": "Asked for: {kind}[ ({reason})]",
        "decision.granted": "Granted a request: {kind}",
        "decision.refused": "Refused a request: {kind}",
        "decision.withdrawn": "Withdrew a request: {kind}",
        "exclusions.recorded": "Recorded exemptions and deferrals: {added} new[, {corrected} corrected]",
    },
    ActionGroup.DIRECTIVES: {
        "directive.issued": "Issued directive {reference}, version {number}",
        "directive.withdrawn": "Withdrew directive {reference} with version {number}",
        "directive.version_withdrawn": "Withdrew version {number} of directive {reference} before its day",
    },
    ActionGroup.PEOPLE: {
        "roster.imported": "Imported a roster: {new_people} new people, {new_posts} new posts"
        "[, {corrections} corrections][, {withdrawn} withdrawn][, {units_created} new units]",
        "person.names_corrected": "Corrected their {parts}",
        "unit.moved": "Moved or renamed the unit {unit}[ from {on}]",
        "import.begun": "Began an import: {kind}",
        "import.applied": "Applied an import: {kind}",
        "import.cancelled": "Cancelled an import: {kind}",
        "import.profile_saved": "Saved a mapping of columns: {kind}",
        "import.rows_kept": "Kept rows of people who are not on the roster: {rows}",
        "import.rows_recorded": "Erased kept rows that are recorded now: {rows}",
        "import.rows_lapsed": "Erased kept rows after 90 days: {rows}",
        "import.rows_erased": "Erased kept rows by hand: {rows}",
    },
    ActionGroup.CONTENT: {
        "content.published": "Published what came with the release, with them as its author: {number} new",
        "module.published": "Published version {number} of module {module}",
        "guide.published": "Published version {number} of guide {guide}",
        "shared_file.published": "Published version {number} of shared file {name}",
        "event_type.published": "Published version {number} of event type {event_type}",
        "draft.opened": "Opened a draft of {module}",
        "draft.restored": "Brought back state {number} of the draft of {module}",
        "draft.discarded": "Discarded a draft of {module}",
        "items.imported": "Added questions from a file ({format}) to the draft of {module}: {number}",
        "items.exported": "Took questions of {module} out in a file ({format}): {number}",
        "draft.sent_for_review": "Sent the draft of {module} for review",
        "links.checked": "Checked the links to pages of the web: {pages}, of which {broken} broken",
        "module.archived": "Archived the module {module}[, replaced by {successor}]",
        "publication.scheduled": "Approved the draft of {module}, to be published at {at}",
        "publication.cancelled": "Cancelled the scheduled publication of {module}",
        "publication.failed": "Could not publish {module} as scheduled",
        "module.restored": "Offered the module {module} again",
        "review.commented": "Commented on the draft of {module}",
        "review.published": "Published version {number} of {module} after a review",
        "review.sent_back": "Sent back the draft of {module}",
        "review.withdrawn": "Withdrew the draft of {module} from review",
    },
    ActionGroup.MAIL: {
        "reminders.planned": "Planned the reminders of {day}, messages: {letters}",
        "reminders.rules_changed": "Changed when {directive} reminds",
        "reminder.nudged": "Reminded them of {directive}",
        "reminder.tried_again": "Queued a message to them again",
        "reminder.bounced": "A message to them came back",
    },
    ActionGroup.JOBS: {
        "job.asked": "Started a job: {kind}",
        "job.asked_again": "Started a job again",
        "job.cancelled": "Cancelled a job",
        "job.failed": "Job failed: {kind}",
    },
    ActionGroup.RETENTION: {
        "retention.period_set": "Set how long data is kept: {kept_class}, {period}",
        "retention.disposal_asked": "Asked for a disposal: {kept_class}[, {rows}]",
        "retention.disposal_granted": "Approved a disposal: {kept_class}",
        "retention.disposal_refused": "Refused a disposal: {kept_class}",
        "retention.disposal_withdrawn": "Withdrew a disposal: {kept_class}",
        "retention.disposed": "Disposed of data: {kept_class}[, {rows}][, {held} held]",
        "hold.placed": "Placed a legal hold on a {scope}[: {unit}][: {kept_class}]",
        "hold.lifted": "Lifted a legal hold on a {scope}[: {unit}][: {kept_class}]",
        "data.request_noted": "Noted a request about data: {kind}[, due by {until}]",
        "data.request_done": "Answered a request about data as done: {kind}",
        "data.request_refused": "Refused a request about data: {kind}",
    },
}


@cache
def list_actions() -> dict[str, ActionWords]:
    """Every action with its words, of the core and of every feature, on or off."""
    words = {
        action: ActionWords(group, text) for group, texts in _TEXTS.items() for action, text in texts.items()
    }
    for feature in list_features():
        words |= {name: ActionWords(ActionGroup(act.group), act.text) for name, act in feature.acts.items()}
    return words


@cache
def actions_of(group: ActionGroup) -> tuple[str, ...]:
    """The actions of a group."""
    return tuple(action for action, words in list_actions().items() if words.group == group)


_OF_NO_ACCESS = {"accounts.invited", "account.reset_requested", "account.unlocked"}


@cache
def list_access_changes() -> frozenset[str]:
    """What a restored backup would bring back, or not know: who has which role, token, factor or key."""
    acts = (item for feature in list_features() for item in feature.acts.items())
    said = {name: act.gives_access for name, act in acts if act.gives_access is not None}
    return frozenset(
        action for action, words in list_actions().items() if said.get(action, _gives_access(action, words))
    )


def _gives_access(action: str, words: ActionWords) -> bool:
    """Whether an act about which its feature says nothing gives or takes access."""
    if action.startswith("account.identity_"):
        return True
    return words.group in (ActionGroup.ACCOUNTS, ActionGroup.TOKENS) and action not in _OF_NO_ACCESS
