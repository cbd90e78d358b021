"""What a mail about accounts says: who did what, when, and what to do if that was not expected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from portal.domain.accounts.grants.grant_list import role_words, where_words
from portal.domain.people.units.tree import read_tree
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.queries import Addressee, list_addressees
from portal.platform import wording as say
from portal.platform.audit.models import AuditEvent
from portal.platform.clock import london_day
from portal.platform.mail.smtp import Letter
from portal.platform.permissions import Role

CHANGED = "role.changed"  # ended and given again in one act: another last day


@dataclass(frozen=True, slots=True)
class NoticeWording:
    """Sentences about one kind of act; the fields in braces are filled in."""

    subject: str  # to an administrator, with the person's name
    text: str
    own_subject: str  # to the person whose account it is
    own_text: str


WORDINGS = {
    "role.granted": NoticeWording(
        "Role given to {person}",
        "{by} gave {whom} the role {role}, {until}.",
        "You were given a role",
        "{by} gave you the role {role}, {until}. Sign in again to use it.",
    ),
    CHANGED: NoticeWording(
        "Role changed: {person}",
        "{by} changed the role {role} of {whom}: it is held {until}.",
        "A role of yours was changed",
        "{by} changed your role {role}: you hold it {until}. Sign in again to use it.",
    ),
    "role.revoked": NoticeWording(
        "Role ended: {person}",
        "{by} ended the role {role} of {whom}.",
        "A role of yours was ended",
        "{by} ended your role {role}. You were signed out.",
    ),
    "account.invited": NoticeWording(
        "Password link made for {person}",
        "{by} made a link with which {whom} can set a new password. It works once, within 24 hours.",
        "A link to set your password was made",
        "{by} made a link with which you can set a new password, and will give it to you. It works once, "
        "within 24 hours. Nobody else may use it.",
    ),
    "account.closed": NoticeWording(
        "Account closed: {person}",
        "{by} closed the account of {whom}.",
        "Your account was closed",
        "{by} closed your account. You cannot sign in. Your records are kept.",
    ),
    "account.opened": NoticeWording(
        "Account opened again: {person}",
        "{by} opened the account of {whom} again.",
        "Your account was opened again",
        "{by} opened your account again. You can sign in.",
    ),
}


@dataclass(frozen=True, slots=True)
class DescribedAct:
    """One act with everything that its sentence needs."""

    kind: str
    person_id: int
    at: datetime
    fields: Mapping[str, str]
    staff_number: str  # of the person; empty where they were erased

    def sentence_for(self, *, own: bool) -> str:
        """The sentence, with when it was."""
        wording = WORDINGS[self.kind]
        sentence = (wording.own_text if own else wording.text).format(**self.fields)
        return f"{say.instant(self.at)}: {sentence}"

    def subject_for(self, *, own: bool) -> str:
        """The subject of a message about this act alone."""
        wording = WORDINGS[self.kind]
        return (wording.own_subject if own else wording.subject).format(**self.fields)


def notice_letter(
    reader_id: int, email: str | None, events: Sequence[AuditEvent], *, now: datetime, portal: PortalDetails
) -> Letter | NothingToSend:
    """The mail to one person about these acts.

    Args:
        reader_id: The addressee.
        email: Their address when the acts were done; without one, that of now is taken.
        events: The acts, in order.
        now: This instant: people and units are named as they are now.
        portal: The portal that sends it.
    """
    day = london_day(now)
    named = {reader_id} | {one for event in events for one in (event.actor_id, event.subject_id) if one}
    people = list_addressees(named, day)
    reader = people.get(reader_id)
    if reader is None:
        return NothingToSend("The person is not known any more.")
    to = Addressee(
        reader_id,
        reader.staff_number,
        reader.surname,
        reader.forenames,
        email or reader.email,
        reader.has_post,
    )
    if not to.email:
        return NothingToSend(NO_ADDRESS)
    acts = _describe_acts(events, people, day)
    own = [one for one in acts if one.person_id == reader_id]
    others = [one for one in acts if one.person_id != reader_id]
    paragraphs = [*_own_paragraphs(own, portal), *_other_paragraphs(others, portal)]
    return compose_letter(to, _subject_line(own, others), paragraphs, foot=_foot_line(portal))


def _describe_acts(
    events: Sequence[AuditEvent], people: Mapping[int, Addressee], day: date
) -> list[DescribedAct]:
    """The acts in words; a role that was ended and given again at once counts as one change."""
    tree = read_tree() if any(event.detail.get("unit_id") for event in events) else None

    def fields_of(event: AuditEvent) -> dict[str, str]:
        person = people.get(event.subject_id or 0)
        actor = people.get(event.actor_id or 0)
        role, unit_id = event.detail.get("role", ""), event.detail.get("unit_id")
        path = tree.last_path_on(unit_id, day) if tree and unit_id else ""
        until = event.detail.get("until")
        return {
            "by": "Somebody at the command line" if event.actor_id is None else _name_of(actor),
            "whom": _name_of(person),
            "person": person.full_name if person else "somebody",
            "role": f"{role_words(Role(role))} ({where_words(Role(role), path)})" if role else "",
            "until": f"until {say.date(date.fromisoformat(until))}" if until else "without a last day",
        }

    ended = {_grant_of(event) for event in events if event.action == "role.revoked"}
    given = {_grant_of(event) for event in events if event.action == "role.granted"}
    described = []
    for event in events:
        again = event.action.startswith("role.") and _grant_of(event) in ended & given
        if again and event.action == "role.revoked":
            continue
        person = people.get(event.subject_id or 0)
        kind = CHANGED if again else event.action
        number = person.staff_number if person else ""
        described.append(
            DescribedAct(kind, event.subject_id or 0, event.happened_at, fields_of(event), number)
        )
    return described


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
        "Your account in the learning portal was changed:", tuple(one.sentence_for(own=True) for one in acts)
    )
    if any(one.kind != "account.closed" for one in acts):
        yield Paragraph("Look at your account:", link=f"{portal.address}/account")
    yield Paragraph(
        "If you did not expect this, say so at once. Here is who helps you:",
        link=f"{portal.address}/sign-in/help",
    )


def _other_paragraphs(acts: Sequence[DescribedAct], portal: PortalDetails) -> Iterable[Paragraph]:
    if not acts:
        return
    yield Paragraph(
        "You look after accounts in the learning portal. This was done:",
        tuple(one.sentence_for(own=False) for one in acts),
    )
    yield Paragraph("Look at it:", link=f"{portal.address}{_path_of_page(acts)}")
    yield Paragraph(
        "If you did not expect this, ask whoever did it. If you are still in doubt, end the role or close "
        "the account, and end all sessions of whoever did it."
    )


def _path_of_page(acts: Sequence[DescribedAct]) -> str:
    """The page that shows it: of the account, of the person's grants, or of all grants, the newest first."""
    numbers = {one.staff_number for one in acts}
    roles = all(one.kind.startswith("role.") for one in acts)
    if len(numbers) > 1 or not all(numbers):
        return "/grants?state=all&sort=-given"
    number = quote(acts[0].staff_number, safe="")
    return f"/grants?q={number}&state=all" if roles else f"/people/{number}/account"


def _foot_line(portal: PortalDetails) -> str:
    return (
        f"{portal.force} sends this from its learning portal, at any hour, when a role is given, changed or "
        "ended, a password link is made, or an account is closed or opened. Replies are not read."
    )
