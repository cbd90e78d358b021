"""What the pages of a draft share: the draft that an address names, its places by name, saving."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.editing import details
from portal.domain.authoring.findings.collect import Finding, FindingLevel
from portal.domain.authoring.media import blob_store
from portal.domain.authoring.queries import DraftState
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

FIRST = "module.toml"
_BOX = re.compile(r":::[ \t]*(\w+)[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as the pages draw it."""

    must: bool
    quote: str
    reason: str
    where: str  # an address; empty: the place is where it stands


def may_edit() -> bool:
    """Whether the signed-in person may change drafts."""
    return Permission.DRAFT_EDIT in current_user.permissions


def file_of(state: DraftState, path: str) -> bytes:
    """The draft's file at ``path``.

    Raises:
        NotFoundError: It has none.
    """
    if path not in state.files:
        raise NotFoundError(f"This draft has no {path}.")
    return queries.read_content(state.files[path])


def texts_of(state: DraftState) -> dict[str, bytes]:
    """The draft's files by path without its media, which may be large and which no list of parts needs."""
    return blob_store.read_files(
        {path: sha for path, sha in state.files.items() if not path.startswith("media/")}
    )


def module_of(state: DraftState) -> details.ModuleDetails:
    """What the draft says of the whole module."""
    return details.read_details(file_of(state, FIRST))


def title_of(state: DraftState) -> str:
    """What the draft calls its module or guide."""
    of = subject_of(state.key)
    return of.title(file_of(state, of.main_file))


def short_title(title: str) -> str:
    """A module's title up to its colon, for breadcrumbs."""
    return title.partition(":")[0]


def breadcrumb_text(state: DraftState, title: str) -> str:
    """The draft as its pages call it, such as “Protect, draft of version 4”."""
    return f"{short_title(title)}, draft of version {(state.published_number or 0) + 1}"


def list_findings(findings: Sequence[Finding], where: Mapping[int, str] | None = None) -> list[Found]:
    """Findings as a page draws them, what must be put right first.

    Args:
        findings: In any order.
        where: Addresses of their marks, by number from 1 in that order.
    """
    drawn = [
        Found(each.blocks_publishing, _quote_words(each.quote), each.message, (where or {}).get(n, ""))
        for n, each in enumerate(findings, 1)
    ]
    return sorted(drawn, key=lambda each: not each.must)


def _quote_words(words: str) -> str:
    """Words as a finding quotes them; the line that opens a box by what it is, such as “Figure a.svg”."""
    box = _BOX.fullmatch(words)
    if box:
        return f"{box[1].capitalize()} {box[2].removeprefix('media/')}".strip()
    return f"“{words}”" if words else ""


def findings_sentence(findings: Sequence[Finding]) -> str:
    """What there is to do, in one sentence."""
    right = sum(each.level is FindingLevel.MUST_FIX for each in findings)
    consider = len(findings) - right
    if not findings:
        return "The check found nothing to put right."
    things = [f"{plural(right, 'thing')} to put right"] if right else []
    if consider:
        things.append(f"{consider} to consider" if right else f"{plural(consider, 'thing')} to consider")
    return f"{' and '.join(things)} before you can send this for review." if right else f"{things[0]}."


def page_if_taken(state: DraftState, place: str, what: str, back: str) -> ResponseReturnValue | None:
    """The page that says who is editing the place, None where it is the person's own now.

    Args:
        state: The draft.
        place: As in ``Presence``.
        what: The place in words, such as “Lesson 5, Refer or notify”.
        back: Where to go instead.
    """
    me, now = current_user.person_id, clock.now()
    other = try_to_write(lambda: services.claim_place(state.draft_id, place, by=me, at=now), "somebody edits")
    if other is None:
        return None
    return render_template(
        "authoring/taken.html",
        state=state,
        place=place,
        what=what,
        other=other,
        back=back,
        parent_text=breadcrumb_text(state, title_of(state)),
    )


def save_files(state: DraftState, changes: Mapping[str, bytes | None], expected: str, summary: str) -> int:
    """Save the one file, or the several, that a page changed; see ``services.save_files``.

    Args:
        state: The draft as it is now.
        changes: By path.
        expected: The hash of the first of them that the page showed; the others are as they are now.
        summary: What was done.
    """
    shown: dict[str, str | None] = {path: state.files.get(path) for path in changes}
    shown[next(iter(changes))] = expected or None
    with transaction():
        return services.save_files(
            state.draft_id,
            changes,
            expected=shown,
            summary=summary,
            by=current_user.person_id,
            at=clock.now(),
        )
