"""Composes mails about accounts: who did what, when, and what to do if it was not expected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from portal.domain.accounts.grants import role_words, where_words
from portal.domain.people.units import read_tree
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.queries import Addressee, list_addressees
from portal.feature import NoticePart, list_features
from portal.platform import wording as say
from portal.platform.audit import AuditEvent, Channel, is_alert
from portal.platform.clock import london_day
from portal.platform.errors import listed_words
from portal.platform.mail import Letter
from portal.platform.permissions import Role

# Words of mails about alerts: what happened, and the address of the audit trail that lists it.

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


CHANGED = "role.changed"  # ended and given again in one transaction: another last day
BATCH = "accounts.invited"  # many people, of whom none is named
NEW_ADMINISTRATOR = "role.administrator"


@dataclass(frozen=True, slots=True)
class NoticeWording:
    """Texts about one kind of act, with fields in braces."""

    subject: str  # to an administrator, with the person's name
    text: str
    own_subject: str = ""  # to the person whose account it is, where it is about one
    own_text: str = ""


_CORE_WORDINGS = {
    "role.granted": NoticeWording(
        "Role given to {person}",
        "{by} gave {owner} the role {role}, {until}.",
        "You were given a role",
        "{by} gave you the role {role}, {until}. Sign in again to use it.",
    ),
    NEW_ADMINISTRATOR: NoticeWording(
        "New administrator: {person}",
        "{by} made {owner} an administrator ({where}), {until}.",
        "You were made an administrator",
        "{by} made you an administrator ({where}), {until}. Sign in again to use it.",
    ),
    CHANGED: NoticeWording(
        "Role changed: {person}",
        "{by} changed the role {role} of {owner}. They now have it {until}.",
        "One of your roles was changed",
        "{by} changed your role {role}. You now have it {until}. Sign in again to use it.",
    ),
    "role.revoked": NoticeWording(
        "Role ended: {person}",
        "{by} ended the role {role} of {owner}.",
        "One of your roles was ended",
        "{by} ended your role {role}. You were signed out.",
    ),
    "account.invited": NoticeWording(
        "Password link made for {person}",
        "{by} made a link for {owner} to set a new password. It works once, within {lifetime}.",
        "A link to set your password was made",
        "{by} made a link for you to set a new password, and will give it to you. It works once, within "
        "{lifetime}. Do not let anyone else use it.",
    ),
    "account.closed": NoticeWording(
        "Account closed: {person}",
        "{by} closed the account of {owner}.",
        "Your account was closed",
        "{by} closed your account. You cannot sign in. Your records are kept.",
    ),
    "account.opened": NoticeWording(
        "Account opened again: {person}",
        "{by} opened the account of {owner} again.",
        "Your account was opened again",
        "{by} opened your account again. You can sign in.",
    ),
    "account.identity_removed": NoticeWording(
        "Link to the force account removed: {person}",
        "{by} removed the link from {owner} to a force account. The next sign-in makes a new one.",
        "The link to your force account was removed",
        "{by} removed the link to the force account with which you sign in. You were signed out. Your next "
        "sign-in makes a new one.",
    ),
    "token.created": NoticeWording(
        "Access token made: {token}",
        "{by} made the access token {token} for another system: {token_scope}, {token_people}. It works for "
        "{days}.",
    ),
    "token.revoked": NoticeWording(
        "Access token revoked: {token}",
        "{by} revoked the access token {token}: {token_scope}, {token_people}. It no longer works.",
    ),
    BATCH: NoticeWording(
        "{count} invited to the learning portal",
        "{by} invited {count} to set a password.",
        "{count} invited to the learning portal",
        "{by} invited {count} to set a password.",
    ),
    "account.factors_reset": NoticeWording(
        "Second factor reset: {person}",
        "{by} removed the second factor of {owner}, who adds a new one with a link to set a password.",
        "Your second factor was reset",
        "{by} removed your second factor and your recovery codes. You were signed out.",
    ),
    "account.factor_added": NoticeWording(
        "Second factor added: {person}",
        "{by} added a second factor to the account of {owner}.",
        "A second factor was added to your account",
        "{by} added a passkey or a device for one-time codes to your account.",
    ),
    "account.factor_removed": NoticeWording(
        "Second factor removed: {person}",
        "{by} removed a second factor from the account of {owner}.",
        "A second factor was removed from your account",
        "{by} removed a passkey or a device for one-time codes from your account.",
    ),
    "account.recovery_codes_made": NoticeWording(
        "Recovery codes made: {person}",
        "{by} made new recovery codes for the account of {owner}.",
        "New recovery codes were made for your account",
        "{by} made new recovery codes for your account. Earlier ones no longer work.",
    ),
    "account.recovery_code_used": NoticeWording(
        "Recovery code used: {person}",
        "{by} used a recovery code of {owner}.",
        "One of your recovery codes was used",
        "{by} signed in to your account with one of your recovery codes.",
    ),
    **{action: NoticeWording(subject, text, "", "") for action, (subject, text) in ALERT_TEXTS.items()},
}


@cache
def list_wordings() -> dict[str, NoticeWording]:
    """The texts about every kind of act that is announced, of the core and of the features."""
    of_features = {
        name: NoticeWording(act.subject, act.sentence)
        for feature in list_features()
        for name, act in feature.acts.items()
        if act.sentence
    }
    return {**_CORE_WORDINGS, **of_features}


@dataclass(frozen=True, slots=True)
class DescribedAct:
    """One act, with all that its sentence needs."""

    kind: str
    person_id: int
    at: datetime
    fields: Mapping[str, str]
    staff_number: str  # of the person; empty if they were erased
    path: str = ""  # of the audit desk, where the act of an alert is listed

    def sentence_for(self, *, own: bool) -> str:
        """The sentence about the act, with its time; ``own``: to the account's owner."""
        wording = list_wordings()[self.kind]
        sentence = (wording.own_text if own else wording.text).format(**self.fields)
        return f"{say.instant(self.at)}: {sentence}"

    def subject_for(self, *, own: bool) -> str:
        """The subject of a message about this act alone; ``own``: to the account's owner."""
        wording = list_wordings()[self.kind]
        return (wording.own_subject if own else wording.subject).format(**self.fields)


def compose_notice(
    reader_id: int, email: str | None, events: Sequence[AuditEvent], *, now: datetime, portal: PortalDetails
) -> Letter | NothingToSend:
    """Compose the mail to one person about these acts.

    Args:
        reader_id: The addressee.
        email: Their address when the acts were done; None: their address of now is used.
        events: The acts, in order.
        now: This instant; people and units are named as they are now.
        portal: The portal that sends it.
    """
    day = london_day(now)
    ids = {reader_id} | {i for event in events for i in (event.actor_id, event.subject_id) if i}
    people = list_addressees(ids, day)
    reader = people.get(reader_id)
    if reader is None:
        return NothingToSend("This person was erased.")
    to = replace(reader, email=email or reader.email)
    if not to.email:
        return NothingToSend(NO_ADDRESS)
    acts = _describe_acts(events, people, day)
    own = [act for act in acts if act.person_id == reader_id]
    others = [act for act in acts if act.person_id != reader_id]
    alerts = [act for act in others if act.path]
    parts = [(part, [act for act in others if act.kind.startswith(part.begins)]) for part in _list_parts()]
    of_features = [act for _, told in parts for act in told]
    accounts = [act for act in others if act not in of_features and act not in alerts]
    paragraphs = [
        *_own_paragraphs(own, portal),
        *_other_paragraphs(accounts, portal),
        *(paragraph for part, told in parts for paragraph in _feature_paragraphs(part, told, portal)),
        *_alert_paragraphs(alerts, portal),
    ]
    return compose_letter(
        to, _subject_line(own, [*accounts, *of_features, *alerts]), paragraphs, foot=_foot_line(portal)
    )


def _describe_acts(
    events: Sequence[AuditEvent], people: Mapping[int, Addressee], day: date
) -> list[DescribedAct]:
    """Describe the acts; a role that was ended and given again at once is one change."""
    tree = read_tree() if any(event.detail.get("unit_id") for event in events) else None
    ended = {_grant_of(event) for event in events if event.action == "role.revoked"}
    given = {_grant_of(event) for event in events if event.action == "role.granted"}
    acts = []
    for event in events:
        is_change = event.action.startswith("role.") and _grant_of(event) in ended & given
        if is_change and event.action == "role.revoked":
            continue
        person = people.get(event.subject_id or 0)
        number = person.staff_number if person else ""
        actor = people.get(event.actor_id or 0)
        path = alert_path(event, number, actor.staff_number if actor else "")
        unit_id = event.detail.get("unit_id")
        unit_path = tree.last_label_on(unit_id, day) if tree and unit_id else ""
        fields = _fields_of(event, person, actor, unit_path)
        act = (event.subject_id or 0, event.happened_at, fields, number, path)
        acts.append(DescribedAct(CHANGED if is_change else _kind_of(event), *act))
    return acts


def _fields_of(
    event: AuditEvent, person: Addressee | None, actor: Addressee | None, unit_path: str
) -> dict[str, str]:
    """The fields of an act's sentence; without meaning where its action has no use for them."""
    role, until = event.detail.get("role", ""), event.detail.get("until")
    where = where_words(Role(role), unit_path) if role else ""
    return {
        "by": agent_words(event) if event.actor_id is None else _name_of(actor),
        "owner": _name_of(person) if event.subject_id else agent_words(event),
        "person": person.full_name if person else agent_words(event),
        "name": event.detail.get("name", ""),
        "host": event.detail.get("host", ""),
        "where": where,
        "role": f"{role_words(Role(role))} ({where})" if role else "",
        **_token_fields(event, unit_path),
        "lifetime": "7 days" if "batch" in event.detail else "24 hours",
        "count": say.plural(event.detail.get("people", 0), "person", "people"),
        "until": f"until {say.date(date.fromisoformat(until))}" if until else "without a last day",
        **alert_fields(event),
    }


def _token_fields(event: AuditEvent, path: str) -> dict[str, str]:
    """The fields of an act on an access token; without meaning for another act."""
    directive = event.detail.get("directive")
    people = f"people in {path}" if path else "the whole force"
    return {
        "token": " ".join(str(event.detail.get("token", "")).split()),  # one line: it is in the subject
        "token_scope": f"scope {event.detail.get('scope')}",
        "token_people": f"{people}, directive {directive}" if directive else people,
        "days": say.plural(event.detail.get("days", 0), "day"),
    }


def _kind_of(event: AuditEvent) -> str:
    is_administrator = event.action == "role.granted" and event.detail.get("role") == Role.ADMINISTRATOR
    return NEW_ADMINISTRATOR if is_administrator else event.action


def _grant_of(event: AuditEvent) -> tuple[int | None, str | None, int | None]:
    return event.subject_id, event.detail.get("role"), event.detail.get("unit_id")


def _name_of(person: Addressee | None) -> str:
    return f"{person.full_name} ({person.staff_number})" if person else "somebody who was erased"


def _subject_line(own: Sequence[DescribedAct], others: Sequence[DescribedAct]) -> str:
    if len(own) + len(others) == 1:
        return own[0].subject_for(own=True) if own else others[0].subject_for(own=False)
    if not others:
        return f"{say.plural(len(own), 'change')} to your account"
    return f"{say.plural(len(own) + len(others), 'change')} to accounts"


def _own_paragraphs(acts: Sequence[DescribedAct], portal: PortalDetails) -> Iterable[Paragraph]:
    if not acts:
        return
    yield Paragraph(
        "Your account in the learning portal was changed:", tuple(act.sentence_for(own=True) for act in acts)
    )
    if any(act.kind != "account.closed" for act in acts):
        yield Paragraph("Look at your account:", link=f"{portal.address}/account")
    yield Paragraph(
        "If you did not expect this, report it at once. This page says who to contact:",
        link=f"{portal.address}/sign-in/help",
    )


def _other_paragraphs(acts: Sequence[DescribedAct], portal: PortalDetails) -> Iterable[Paragraph]:
    if not acts:
        return
    yield Paragraph(
        "You look after accounts in the learning portal. This was done:",
        tuple(act.sentence_for(own=False) for act in acts),
    )
    yield Paragraph("Look at it:", link=f"{portal.address}{_path_of_page(acts)}")
    yield Paragraph("See from where it was done:", link=f"{portal.address}{_path_of_trail(acts)}")
    yield Paragraph(
        "If you did not expect this, ask the person who did it. If you are still in doubt, end the role, "
        "close the account or revoke the token, and end all sessions of that person."
    )


def _list_parts() -> list[NoticePart]:
    return [part for feature in list_features() for part in feature.notices]


def _feature_paragraphs(
    part: NoticePart, acts: Sequence[DescribedAct], portal: PortalDetails
) -> Iterable[Paragraph]:
    if not acts:
        return
    yield Paragraph(part.opening, tuple(act.sentence_for(own=False) for act in acts))
    yield Paragraph("Look at it:", link=f"{portal.address}{part.path}")


def _alert_paragraphs(acts: Sequence[DescribedAct], portal: PortalDetails) -> Iterable[Paragraph]:
    for act in acts:
        yield Paragraph(act.sentence_for(own=False))
        yield Paragraph("See it in the audit trail:", link=f"{portal.address}{act.path}")
    if acts:
        yield Paragraph(ALERT_ADVICE)


def _path_of_page(acts: Sequence[DescribedAct]) -> str:
    """The path of the page that shows the acts."""
    if all(act.kind.startswith("token.") for act in acts):
        return "/tokens"
    if all(act.kind == BATCH for act in acts):
        return "/people/invitations"
    numbers = {act.staff_number for act in acts}
    roles = all(act.kind.startswith("role.") for act in acts)
    if len(numbers) > 1 or not all(numbers):
        return "/grants?state=all&sort=-given"
    number = quote(acts[0].staff_number, safe="")
    return f"/grants?q={number}&state=all" if roles else f"/people/{number}/account"


def _path_of_trail(acts: Sequence[DescribedAct]) -> str:
    """The path of the audit trail on the days of these acts, about one person where it is one."""
    numbers = {act.staff_number for act in acts}
    days = sorted(london_day(act.at) for act in acts)
    about = {"about": numbers.pop()} if len(numbers) == 1 and all(numbers) else {}
    group = "tokens" if all(act.kind.startswith("token.") for act in acts) else "accounts"
    return audit_path(days[0], days[-1], group=group, **about)


def _foot_line(portal: PortalDetails) -> str:
    changing = ["a role", "an account", "a way to sign in", "an access token"]
    changing += [part.what for part in _list_parts()]
    return (
        f"{portal.force} sends this from its learning portal, at any hour, when {listed_words(changing)} "
        "changes, people are invited, a file of more than 1,000 "
        "people is downloaded, or many requests or sign-ins are refused. Replies are not read."
    )
