"""What a feature may bring, and which features there are.

A feature is a folder in ``portal/features`` with a manifest, ``feature.py``, that names ``FEATURE``. The core
imports no feature: what it shows of them, it asks here. A manifest is data and names of functions as
``module:function`` of its folder, so that reading one loads no view, no table and no library.
"""

import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Any, Protocol, TypeVar

ALL = "all"  # as a setting: every feature there is

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """Which roles carry a permission."""

    roles: frozenset[str]
    whole_force: bool = False  # a role for a unit does not give it


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page of the navigation, in one of its groups, after another entry of the group."""

    group: str
    after: str
    text: str
    href: str
    permission: str
    hint: str


@dataclass(frozen=True, slots=True)
class DeskSource:
    """What may wait on the desk of whoever holds a permission, after another source of the desk."""

    after: str
    permission: str
    place: str  # as the navigation names it, said where nothing waits; empty: not said
    find: str  # module:function that takes the viewer and yields what waits
    name: str = ""  # for what comes after it


@dataclass(frozen=True, slots=True)
class Part:
    """What a page of the core, or of a feature that knows nothing of this one, shows of it."""

    place: str  # as that page names it, such as "events.figures"
    show: str  # module:function that takes what the place gives, and returns what is shown there
    permission: str = ""  # without which it is not shown


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How errors are told at addresses that other systems call, in place of a problem document."""

    path: str  # with which these addresses begin, such as "/scim/"
    classify: str  # module:function that takes an error, and gives its status and keyword, or None
    answer: str  # module:function that takes status, keyword, sentence and headers, and gives the response


@dataclass(frozen=True, slots=True)
class ActText:
    """An act of the audit trail in words."""

    group: str  # of the filter
    text: str
    gives_access: bool | None = None  # told after a restore; None: where others of its group are
    outbox: str = ""  # in the list of messages; empty: nobody gets an email about it
    subject: str = ""  # of the email to administrators
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class NoticePart:
    """The part of an email that tells administrators of these acts."""

    begins: str  # of the acts, such as "webhook."
    opening: str
    path: str  # of the page to look at
    what: str  # changes, in the line that says why one gets such emails


@dataclass(frozen=True, slots=True)
class MailKind:
    """A kind of message of the outbox: one of ``MessageKind``, which is written when it is sent."""

    kind: str
    write: str  # module:function that takes the message, the instant and details of the portal
    words: str  # in lists of messages
    plan: str = ""  # module:function that queues those of a day; empty: queued where it happens
    after: str = ""  # name of the function of the day that goes before


@dataclass(frozen=True, slots=True)
class ContentFolder:
    """A folder of texts that a release brings, after another folder."""

    name: str
    after: str
    publish: str  # module:function that takes the folder, the instant and the publisher


@dataclass(frozen=True, slots=True)
class KeptPeriod:
    """How long one kind of personal data is kept, by a key of the register."""

    key: str
    what: str
    length: timedelta
    since: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What the portal removes by itself, in words, after another line of the list."""

    after: str
    what: str
    when: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A text about a setting, after another of the list."""

    after: str
    name: str
    meaning: str
    default: str
    example: str


class ProviderSettings(Protocol):
    """What the settings of a feature with a ``SignInProvider`` say of it."""

    @property
    def is_set(self) -> bool:
        """Whether the force signs in with it; the others hold then."""

    @property
    def issuer(self) -> str:
        """Under which people are bound to it."""

    @property
    def label(self) -> str:
        """What its button says after "Sign in with"."""

    @property
    def claim(self) -> str:
        """By which it names a person."""


@dataclass(frozen=True, slots=True)
class SignInProvider:
    """The force's own sign-in, reached in another way than by OpenID Connect."""

    setting: str  # which says that there is one
    begins_at: str  # endpoint of the page that begins a sign-in
    paths: tuple[str, ...]  # at and below which signed documents are checked, by a thread of their own


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """What a restore changes, so that nothing of the feature works by itself in the copy."""

    table: str
    statement: str
    one: str  # row, such as "webhook is"
    several: str
    fate: str  # what became of them, and what to do


class DemoForce(Protocol):
    """The fictional force, as a feature's story of it needs it."""

    name: str
    today: date
    planned: Sequence[Any]  # its people with their posts, as they are planned
    units: dict[str, int]  # ids by the path below the force
    people: dict[str, int]  # ids by staff number
    days: dict[date, list[Callable[[], None]]]  # what is still to happen on which day

    @property
    def first_day(self) -> date:
        """The first day of the force's history."""


@dataclass(frozen=True, slots=True)
class DemoStep:
    """A step in which the fictional force is made, after another step of the same part."""

    part: str  # "content", published before there are people, or "history", what happens on which day
    name: str
    after: str
    make: str  # module:function that takes the ``DemoForce``


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """What one feature brings; of what it does not bring, nothing."""

    name: str  # of its folder, and in the setting FEATURES
    title: str
    needs: tuple[str, ...] = ()  # other features, without which it does not work
    blueprints: tuple[str, ...] = ()  # of pages and commands
    models: str = ""  # module with its tables
    tasks: tuple[str, ...] = ()  # kinds of job
    routines: tuple[str, ...] = ()  # of a worker
    permissions: Mapping[str, PermissionGrant] = field(default_factory=dict)
    navigation: tuple[MenuItem, ...] = ()
    desk: tuple[DeskSource, ...] = ()
    parts: tuple[Part, ...] = ()
    error_forms: tuple[ErrorForm, ...] = ()
    acts: Mapping[str, ActText] = field(default_factory=dict)
    notices: tuple[NoticePart, ...] = ()
    mails: tuple[MailKind, ...] = ()
    of_messages: tuple[str, ...] = ()  # tables whose rows refer to a message of the outbox, and go before it
    content: tuple[ContentFolder, ...] = ()
    kept_forms: Mapping[str, str] = field(default_factory=dict)  # by endpoint: what somebody was about to do
    figures: tuple[str, ...] = ()  # functions that yield what a monitoring system reads
    personal_data: str = ""  # module:tuple of tables with the entry each is listed after
    not_personal: Mapping[str, str] = field(default_factory=dict)  # table: what it holds instead
    references: str = (
        ""  # module:mapping of tables to how an id of theirs is said: statement, and words of a row
    )
    periods: tuple[KeptPeriod, ...] = ()
    removals: tuple[Removal, ...] = ()
    settings: tuple[Setting, ...] = ()
    read_settings: str = ""  # module:function that takes what reads a name; gives what has ``list_faults``
    provider: SignInProvider | None = None
    restore: tuple[RestoreStep, ...] = ()
    long_pages: tuple[str, ...] = ()  # addresses, as patterns, of pages that compute what is of everyone
    file_formats: str = ""  # module:tuple of formats of files to import with the one each is listed after
    demo: tuple[DemoStep, ...] = ()

    def load(self, name: str) -> Any:
        """What ``module:attribute``, or ``module``, of the feature's folder names."""
        module, _, attribute = name.partition(":")
        found = import_module(f"portal.features.{self.name}.{module}")
        return getattr(found, attribute) if attribute else found


@cache
def list_features() -> tuple[Feature, ...]:
    """Every feature whose folder is there, on or off, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(import_module("portal.features").__path__))
    return tuple(import_module(f"portal.features.{name}.feature").FEATURE for name in names)


@cache
def choose_features(setting: str) -> tuple[Feature, ...]:
    """The features that the setting ``FEATURES`` switches on: ``all``, or names with spaces between."""
    names = set(setting.replace(",", " ").split())
    return tuple(feature for feature in list_features() if ALL in names or feature.name in names)


def list_feature_faults(setting: str) -> list[str]:
    """A sentence for each fault of the setting ``FEATURES``."""
    known = {feature.name for feature in list_features()}
    unknown = set(setting.replace(",", " ").split()) - known - {ALL}
    on = {feature.name for feature in choose_features(setting)}
    faults = [f"FEATURES names {name}, which is not a feature of this release." for name in sorted(unknown)]
    return faults + [
        f"FEATURES: {feature.name} needs {need}."
        for feature in choose_features(setting)
        for need in feature.needs
        if need not in on
    ]


def find_parts(features: Iterable[Feature], place: str) -> list[tuple[Part, Callable[..., Any]]]:
    """What these features show or do at a place, each with its function."""
    return [
        (part, feature.load(part.show))
        for feature in features
        for part in feature.parts
        if part.place == place
    ]


def load_models() -> None:
    """Import the tables of all features, on or off, for whoever goes through every table."""
    for feature in list_features():
        if feature.models:
            feature.load(feature.models)


def insert_after(
    entries: Iterable[T], additions: Sequence[tuple[str, T]], name_of: Callable[[T], str]
) -> list[T]:
    """The entries with each addition after the one it names, or last if there is none of that name.

    An addition may name another one, whichever of them comes first.
    """
    placed, waiting = list(entries), list(additions)
    while waiting:
        names = [name_of(entry) for entry in placed]
        after, addition = found = next((each for each in waiting if each[0] in names), waiting[0])
        placed.insert(names.index(after) + 1 if after in names else len(placed), addition)
        waiting.remove(found)
    return placed
