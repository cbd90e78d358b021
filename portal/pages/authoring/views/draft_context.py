"""The blueprint of the authoring pages, and the keys in their addresses.

Fixed words in addresses begin with an underscore, and keys never do, so no key can equal a fixed word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.routing import BaseConverter

from portal.domain.authoring import content_types, models, queries, services
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.findings import Finding
from portal.domain.authoring.queries import DraftState
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

bp = Blueprint("authoring", __name__, url_prefix="/authoring", template_folder="../templates")


class ModuleKey(BaseConverter):
    """The key of a module."""

    regex = "(?!_)[^/]+"
    part_isolating = True


class GuideKey(BaseConverter):
    """The key of a guide's draft, such as ``_guides/who-to-call``."""

    regex = "_guides/(?!_)[^/]+"
    part_isolating = False


class DraftKey(BaseConverter):
    """The key of a module's or a guide's draft."""

    regex = f"(?:{ModuleKey.regex}|{GuideKey.regex})"
    part_isolating = False


@bp.record_once
def _add_converters(state: BlueprintSetupState) -> None:
    """Add the converters before any address is added."""
    state.app.url_map.converters |= {"module": ModuleKey, "guide": GuideKey, "draft": DraftKey}


# What the pages of a draft share: its files and titles, findings as pages show them, and saving.

MODULE_FILE = "module.toml"
_CONTAINER = re.compile(r":::[ \t]*(\w+)[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as pages show it."""

    must_fix: bool
    quote: str
    message: str
    address: str  # of the words it is about; empty: no link


def may_edit() -> bool:
    """Whether the signed-in person may change drafts."""
    return Permission.DRAFT_EDIT in current_user.permissions


def read_file(state: DraftState, path: str) -> bytes:
    """The draft's file at ``path``."""
    if path not in state.files:
        raise NotFoundError(f"This draft has no {path}.")
    return queries.read_content(state.files[path])


def read_text_files(state: DraftState) -> dict[str, bytes]:
    """The draft's files by path, without its media, which may be large."""
    return models.read_files(
        {path: sha for path, sha in state.files.items() if not path.startswith("media/")}
    )


def read_module_details(state: DraftState) -> content_types.ModuleDetails:
    """The module's details in the draft."""
    return content_types.read_details(read_file(state, MODULE_FILE))


def title_of(state: DraftState) -> str:
    """The title of the draft's module or guide."""
    subject = subject_of(state.key)
    return subject.title(read_file(state, subject.main_file))


def short_title(title: str) -> str:
    """A module's title up to its colon, for breadcrumbs."""
    return title.partition(":")[0]


def breadcrumb_text(state: DraftState, title: str) -> str:
    """The draft's name in breadcrumbs, such as “Protect, draft of version 4”."""
    return f"{short_title(title)}, draft of version {(state.published_number or 0) + 1}"


def list_findings(
    findings: Sequence[Finding], addresses: Mapping[int, str] | None = None
) -> list[FindingRow]:
    """Findings as pages show them, those that must be fixed first.

    Args:
        findings: In any order.
        addresses: Addresses of their marks, by number from 1 in that order.
    """
    rows = [
        FindingRow(
            finding.blocks_publishing,
            _quote_words(finding.quote),
            finding.message,
            (addresses or {}).get(number, ""),
        )
        for number, finding in enumerate(findings, 1)
    ]
    return sorted(rows, key=lambda row: not row.must_fix)


def _quote_words(words: str) -> str:
    """Words in quotation marks; the first line of a container as its kind, such as “Figure a.svg”."""
    container = _CONTAINER.fullmatch(words)
    if container:
        return f"{container[1].capitalize()} {container[2].removeprefix('media/')}".strip()
    return f"“{words}”" if words else ""


def findings_sentence(findings: Sequence[Finding]) -> str:
    """The number of things to put right and to consider, in one sentence."""
    must_fix = sum(finding.blocks_publishing for finding in findings)
    consider = len(findings) - must_fix
    if not findings:
        return "The check found nothing to put right."
    things = [f"{plural(must_fix, 'thing')} to put right"] if must_fix else []
    if consider:
        things.append(f"{consider} to consider" if must_fix else f"{plural(consider, 'thing')} to consider")
    return f"{' and '.join(things)} before you can send this for review." if must_fix else f"{things[0]}."


def taken_page(state: DraftState, place: str, what: str, back: str) -> ResponseReturnValue | None:
    """Claim the place for this person; if someone else is editing it, return the page that says so.

    Args:
        state: The draft.
        place: As in ``Presence``.
        what: The place's name, such as “Lesson 5, Refer or notify”.
        back: The address of the page to go back to.
    """
    person_id, now = current_user.person_id, clock.now()
    other = try_to_write(
        lambda: services.claim_place(state.draft_id, place, by=person_id, at=now),
        "an author opened a place of a draft",
    )
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
    """Save the files that a page changed; see ``services.save_files``.

    Args:
        state: The draft as it is now.
        changes: New contents by path.
        expected: The hash of the first file when the page was opened; empty: it did not exist.
        summary: What was changed, in a few words.
    """
    expected_hashes: dict[str, str | None] = {path: state.files.get(path) for path in changes}
    expected_hashes[next(iter(changes))] = expected or None
    with transaction():
        return services.save_files(
            state.draft_id,
            changes,
            expected=expected_hashes,
            summary=summary,
            by=current_user.person_id,
            at=clock.now(),
        )
