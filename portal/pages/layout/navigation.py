"""The ways to a person's work, in groups: the main navigation of every page, and where a sign-in leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from config import current_settings
from portal.feature import Feature, insert_after
from portal.platform.permissions import Permission

DESK = "/desk"


@dataclass(frozen=True, slots=True)
class Way:
    """A page with which some work begins, and what one does there."""

    text: str
    href: str
    permission: Permission
    hint: str


@dataclass(frozen=True, slots=True)
class WayGroup:
    """Ways that belong together."""

    text: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of work that waits, with at least one row."""

    sentence: str  # such as "2 requests wait for you"
    link: str  # such as "2 requests to decide"
    href: str  # of the list of these rows
    hint: str


_MONITORING = (
    Way("Overview", "/monitoring", Permission.COMPLETION_VIEW, "Who has completed what, with files"),
    Way(
        "Requests",
        "/decisions",
        Permission.DECISION_ASK,
        "Exemptions, deferrals, prior learning, corrections",
    ),
    Way("Directives", "/directives", Permission.DIRECTIVE_VIEW, "What people must complete, and by when"),
    Way("Reminders", "/reminders", Permission.REMINDER_VIEW, "Emails sent, waiting and not delivered"),
)
_PEOPLE = (
    Way("People", "/people", Permission.PERSON_VIEW, "A person’s requirements and record"),
    Way("Accounts", "/people/accounts", Permission.ACCOUNT_ADMINISTER, "How people sign in, and who cannot"),
    Way(
        "Invitations",
        "/people/invitations",
        Permission.ACCOUNT_ADMINISTER,
        "Links to set a password, by email or printed",
    ),
    Way("Roles", "/grants", Permission.ACCOUNT_ADMINISTER, "Who may do what, and where"),
    Way("Units", "/units", Permission.UNIT_CHANGE, "The organisation, and its changes"),
    Way(
        "Imports",
        "/imports",
        Permission.RECORD_IMPORT,
        "Rosters and prior completions, checked before they apply",
    ),
)
_AUTHORING = (
    Way(
        "Authoring", "/authoring", Permission.AUTHORING_VIEW, "Modules and guides: drafts, reviews, versions"
    ),
)
_PORTAL = (
    Way("Audit", "/audit", Permission.AUDIT_VIEW, "Who did what, and who saw whose data"),
    Way("Jobs", "/jobs", Permission.JOB_VIEW, "Large files, checks and imports, and which failed"),
    Way("Access tokens", "/tokens", Permission.TOKEN_ADMINISTER, "Which other systems read and write"),
    Way(
        "Retention",
        "/retention",
        Permission.RETENTION_VIEW,
        "How long data is kept, disposals, holds, requests about data",
    ),
    Way(
        "Force details",
        "/force-settings",
        Permission.FORCE_SET,
        "Names and numbers that lessons and guides show",
    ),
)
_LEARNING = (
    Way("My learning", "/learning", Permission.LEARN, "What is required of you, and what you completed"),
    Way("Modules", "/modules", Permission.LEARN, "Every module, to take or to look something up"),
    Way("Guides", "/guides", Permission.LEARN, "What to write, who to call, what a word means"),
    Way("Records", "/records", Permission.LEARN, "Your passes, with their references"),
)
_CORE_GROUPS = (
    WayGroup("Events", ()),  # first: people who run events find them in no other group
    WayGroup("Monitoring", _MONITORING),
    WayGroup("People", _PEOPLE),
    WayGroup("Authoring", _AUTHORING),
    WayGroup("Portal", _PORTAL),
    WayGroup("My learning", _LEARNING),
)


def list_groups() -> tuple[WayGroup, ...]:
    """All groups with their ways, of the core and of the features that are on."""
    return _merge_groups(current_settings().features_on)


@cache
def _merge_groups(features: tuple[Feature, ...]) -> tuple[WayGroup, ...]:
    items = [item for feature in features for item in feature.navigation]
    groups = []
    for group in _CORE_GROUPS:
        additions = [
            (item.after, Way(item.text, item.href, Permission(item.permission), item.hint))
            for item in items
            if item.group == group.text
        ]
        groups.append(WayGroup(group.text, tuple(insert_after(group.ways, additions, lambda way: way.text))))
    return tuple(groups)


MOST_ENTRIES = 5  # in a row: more would not be read

# Who holds one of these has work that waits on no single page, and begins at the desk.
_AT_A_DESK = frozenset(
    {
        Permission.DECISION_MAKE,
        Permission.VERSION_PUBLISH,
        Permission.AUDIT_VIEW,
        Permission.ACCOUNT_ADMINISTER,
    }
)
# Everybody else begins on the page of their work; who has two of these begins at the desk, too.
_PAGES_OF_WORK = (
    (Permission.COMPLETION_VIEW, "/monitoring"),
    (Permission.AUTHORING_VIEW, "/authoring"),
)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One entry of the navigation."""

    text: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Navigation:
    """The main navigation of a page: a row of groups, and below it the ways of the group it is in."""

    groups: tuple[NavigationEntry, ...]
    ways: tuple[NavigationEntry, ...] = ()
    title: str = ""  # of the group whose ways they are


def list_ways(permissions: frozenset[Permission]) -> tuple[WayGroup, ...]:
    """The groups with the ways that these permissions open, each once; none that would be empty."""
    return _list_open_ways(permissions, list_groups())


@lru_cache(maxsize=256)
def _list_open_ways(
    permissions: frozenset[Permission], all_groups: tuple[WayGroup, ...]
) -> tuple[WayGroup, ...]:
    groups, listed = [], set[str]()
    for group in all_groups:
        ways = tuple(way for way in group.ways if way.permission in permissions and way.href not in listed)
        if ways:
            listed.update(way.href for way in ways)
            groups.append(WayGroup(group.text if len(ways) > 1 else ways[0].text, ways))
    return tuple(groups)


def navigation_of(permissions: frozenset[Permission], path: str) -> Navigation:
    """The navigation of a person with these permissions on the page at ``path``.

    Who has one group alone, as every learner, sees its ways as the only row. For everybody else the desk is
    the first entry where it fits, as something may wait there for anybody; where it does not fit, the name
    at the top of each page leads to it.
    """
    groups = list_ways(permissions)
    current = _current_way((way for group in groups for way in group.ways), path)
    if len(groups) == 1:
        return Navigation(_entries(groups[0], current))
    row = [NavigationEntry(group.text, group.ways[0].href, current in group.ways) for group in groups]
    if len(row) < MOST_ENTRIES:
        row.insert(0, NavigationEntry("Your desk", DESK, path == DESK))
    around = next((group for group in groups if current in group.ways), None)
    if around is None or len(around.ways) == 1:
        return Navigation(tuple(row))
    return Navigation(tuple(row), _entries(around, current), around.text)


def _entries(group: WayGroup, current: Way | None) -> tuple[NavigationEntry, ...]:
    return tuple(NavigationEntry(way.text, way.href, way == current) for way in group.ways)


def name_of_place(path: str) -> str:
    """The entry of the navigation under which an address is; empty if it is under none."""
    way = _current_way((way for group in list_groups() for way in group.ways), path)
    return way.text if way else ""


def _current_way(ways: Iterable[Way], path: str) -> Way | None:
    """The way under which the page at ``path`` is: the longest address with which its address begins."""
    above = [way for way in ways if f"{path}/".startswith(f"{way.href}/")]
    return max(above, key=lambda way: len(way.href), default=None)


def first_page(permissions: frozenset[Permission]) -> str:
    """The page with which the work of a person with these permissions begins."""
    of_features = [item for feature in current_settings().features_on for item in feature.begins.items()]
    pages = [href for name, href in (*_PAGES_OF_WORK, *of_features) if name in permissions]
    if len(pages) > 1 or permissions & _AT_A_DESK:
        return DESK
    groups = list_ways(permissions)
    return pages[0] if pages else groups[0].ways[0].href if groups else "/account"
