"""The people affected by a change to a directive, as paged lists; only people whom the viewer may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.directives.descriptions import describe_people_affected, join_words
from portal.domain.directives.named_roles import list_unknown_names
from portal.domain.directives.preview import AudienceChange, AudienceEffect
from portal.domain.directives.queries import NamedPerson, list_visible_people
from portal.domain.directives.toml_reader import DirectiveFile
from portal.domain.people.queries import Viewer
from portal.pages.layout.paging import Page
from portal.platform.wording import date as say_date

PAGE_SIZE = 25
OPEN_YEAR = 9999


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One row of a list."""

    person: NamedPerson
    period: str
    due: str


@dataclass(frozen=True, slots=True)
class PreviewList:
    """One of the three lists of a preview."""

    key: str
    heading: str
    total: int
    unseen: int  # people whom the viewer may not see
    page: Page
    lines: list[PreviewLine]


def list_affected_people(
    effect: AudienceEffect, viewer: Viewer, arguments: Mapping[str, str], day: date
) -> list[PreviewList]:
    """Who joins the audience, who leaves it and whose due date changes; a page of each list, by name."""
    groups = (effect.joins, effect.leaves, effect.due_changes)
    ids = sorted({each.person_id for group in groups for each in group})
    visible = {person.person_id: person for person in list_visible_people(viewer, ids, day)}
    return [
        _preview_list("joins", "joins", effect.joins, visible, arguments),
        _preview_list("leaves", "leaves", effect.leaves, visible, arguments),
        _preview_list("due", "due_changes", effect.due_changes, visible, arguments),
    ]


def _preview_list(
    key: str,
    kind: str,
    changes: Sequence[AudienceChange],
    visible: Mapping[int, NamedPerson],
    arguments: Mapping[str, str],
) -> PreviewList:
    shown = [(visible[each.person_id], each) for each in changes if each.person_id in visible]
    shown.sort(key=lambda pair: (pair[0].name, pair[0].staff_number))
    page = Page.of(len(shown), "", [("page", arguments.get(f"page_{key}", "1"))], PAGE_SIZE)
    lines = [
        PreviewLine(person, describe_period(each), describe_due_date(key, each))
        for person, each in shown[page.offset : page.offset + page.size]
    ]
    heading = describe_people_affected(kind, len(changes))
    return PreviewList(key, heading, len(changes), len(changes) - len(shown), page, lines)


def describe_period(change: AudienceChange) -> str:
    """The first and the last day, in words."""
    first = f"From {say_date(change.first)}"
    return first if change.last.year == OPEN_YEAR else f"{first} to {say_date(change.last)}"


def describe_due_date(key: str, change: AudienceChange) -> str:
    """The due date, with the one until now where it changes."""
    due_on = say_date(change.due_on)
    if key == "leaves":
        return f"Was due {due_on}"
    return f"{due_on} (was {say_date(change.was_due_on)})" if change.was_due_on else due_on


def describe_effect(effect: AudienceEffect, *, is_new: bool = False) -> str:
    """How many people are affected and how, in one sentence; ``is_new`` is the effect of a new directive."""
    groups = {"joins": effect.joins, "leaves": effect.leaves, "due_changes": effect.due_changes}
    parts = [describe_people_affected(kind, len(changes)) for kind, changes in groups.items() if changes]
    return join_words(parts, "and") or (NOBODY if is_new else NO_CHANGE)


def describe_unknown_names(file: DirectiveFile) -> list[str]:
    """A sentence about each role and rank that the directive names and nobody has."""
    nouns = {"designated_role": "role", "rank_or_grade": "rank or grade"}
    return [
        f"Nobody has the {nouns[name.column]} “{name.text}”."
        + (f" Did you mean “{name.alike}”?" if name.alike else "")
        for name in list_unknown_names((*file.audience, *file.exceptions), file.effective_on)
    ]


NOBODY = "Nobody will have to do this: nobody is in its audience"
NO_CHANGE = "No change to who must do this, or by when"
