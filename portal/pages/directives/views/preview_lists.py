"""The people of a preview as its pages list them: a slice at a time, and only those who may be named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.directives.preview import AudienceEffect, Reached
from portal.domain.directives.queries import PersonNamed, names_seen
from portal.domain.people.queries import Viewer
from portal.pages.layout.paging import Page
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

SIZE = 25
OPEN_YEAR = 9999


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One person of a list, and what happens to them."""

    person: PersonNamed
    what: str
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


def preview_lists(
    effect: AudienceEffect, viewer: Viewer, asked: Mapping[str, str], day: date
) -> list[PreviewList]:
    """Those who join, who leave and whose due date changes, each a slice by name."""
    every = (effect.joins, effect.leaves, effect.due_changes)
    ids = sorted({each.person_id for found in every for each in found})
    seen = {one.person_id: one for one in names_seen(viewer, ids, day)}
    return [
        _preview_list("joins", "who join", effect.joins, seen, asked),
        _preview_list("leaves", "who leave", effect.leaves, seen, asked),
        _preview_list("due", "with another due date", effect.due_changes, seen, asked),
    ]


def _preview_list(
    key: str,
    which: str,
    found: Sequence[Reached],
    seen: Mapping[int, PersonNamed],
    asked: Mapping[str, str],
) -> PreviewList:
    shown = [(seen[each.person_id], each) for each in found if each.person_id in seen]
    shown.sort(key=lambda pair: (pair[0].name, pair[0].staff_number))
    page = Page.of(len(shown), "", [("page", asked.get(f"page_{key}", "1"))], SIZE)
    lines = [
        PreviewLine(person, period_words(each), due_words(key, each))
        for person, each in shown[page.offset : page.offset + page.size]
    ]
    heading = f"{plural(len(found), 'person', 'people')} {which}"
    return PreviewList(key, heading, len(found), len(found) - len(shown), page, lines)


def period_words(reached: Reached) -> str:
    """From when to when, in words."""
    first = f"From {say_date(reached.first)}"
    return first if reached.last.year == OPEN_YEAR else f"{first} to {say_date(reached.last)}"


def due_words(key: str, reached: Reached) -> str:
    """The due date, and the one before it."""
    now = say_date(reached.due_on)
    if key == "leaves":
        return f"Was due {now}"
    return f"{now}, before {say_date(reached.was_due_on)}" if reached.was_due_on else now


def preview_headline(effect: AudienceEffect) -> str:
    """The numbers in one sentence."""
    parts = [
        f"{plural(len(people), 'person', 'people')} {one if len(people) == 1 else many}"
        for people, one, many in (
            (effect.joins, "joins", "join"),
            (effect.leaves, "leaves", "leave"),
            (effect.due_changes, "gets another due date", "get another due date"),
        )
        if people
    ]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts) or NOBODY


NOBODY = "Nobody joins, leaves or gets another due date"
