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
FIRST = "first"  # in place of the entry that something is listed after

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
    after: str = ""  # name of another feature, whose part is shown before; empty: in the order of names


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
    title: str = ""  # in the reader's own list; empty: as those about accounts
    private: bool = False  # shown to its reader alone, and sent in the hours of mail
    plan: str = ""  # module:function that queues those of a day; empty: queued where it happens
    after: str = ""  # name of the function of the day that goes before; empty: first


@dataclass(frozen=True, slots=True)
class ContentFolder:
    """A folder of texts that a release brings, after another folder."""

    name: str
    after: str
    publish: str  # module:function that takes the folder, the instant and the publisher


@dataclass(frozen=True, slots=True)
class OwnData:
    """What people gave for themselves alone: it goes with their account, and when an erasure is granted."""

    tables: str  # module:tuple of tables that name the person in person_id
    erase: str  # module:function that takes ids of people, and erases it
    kept_class: str = ""  # of retention: a hold on it keeps it, too


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
class SettingSection:
    """A section of the list of settings, after another section."""

    after: str
    title: str
    intro: str
    settings: tuple[Setting, ...]  # in this order


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """What a restore changes, so that nothing of the feature works by itself in the copy."""

    table: str
    statement: str
    one: str  # row, such as "webhook is"
    several: str
    fate: str  # what became of them, and what to do


class ForceInMaking(Protocol):
    """The fictional force, as a feature's story of it needs it."""

    name: str
    today: date
    planned: Sequence[Any]  # its people with their posts, as they are planned
    units: dict[str, int]  # ids by the path below the force
    people: dict[str, int]  # ids by staff number
    days: dict[date, list[Callable[[], None]]]  # what is still to happen on which day
    at_event: list[Callable[..., None]]  # what else is done at an event: takes it, its people, who leads

    def pass_days(self, last: date) -> None:
        """Let the days up to one pass, with what happens on them."""

    @property
    def first_day(self) -> date:
        """The first day of the force's history."""


DEMO_PARTS = {
    "content": "what is published before there are people",
    "history": "what happens on which day",
    "past": "what happens while those days pass, at its own times",
    "today": "what is planned once they have passed",
    "again": "what is published anew in a force that is there",
}


@dataclass(frozen=True, slots=True)
class DemoStep:
    """A step in which the fictional force is made, after another step of the same part."""

    part: str  # one of ``DEMO_PARTS``
    name: str
    after: str
    make: str  # module:function that takes the ``ForceInMaking``


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
    begins: Mapping[str, str] = field(default_factory=dict)  # by permission: where its holder's work begins
    error_forms: tuple[ErrorForm, ...] = ()
    acts: Mapping[str, ActText] = field(default_factory=dict)
    hears: tuple[str, ...] = ()  # functions that take the acts of a transaction before it ends
    notices: tuple[NoticePart, ...] = ()
    mails: tuple[MailKind, ...] = ()
    of_messages: tuple[str, ...] = ()  # tables whose rows refer to a message of the outbox, and go before it
    content: tuple[ContentFolder, ...] = ()
    kept_forms: Mapping[str, str] = field(default_factory=dict)  # by endpoint: what somebody was about to do
    figures: tuple[str, ...] = ()  # functions that yield what a monitoring system reads
    personal_data: str = ""  # module:tuple of tables with the entry each is listed after
    not_personal: Mapping[str, str] = field(default_factory=dict)  # table: what it holds instead
    references: str = ""  # module:mapping of a table to a statement by id, and what makes words of a row
    own_data: tuple[OwnData, ...] = ()
    more_stores: Mapping[str, str] = field(default_factory=dict)  # by class of retention: module:tuple
    kept_classes: str = ""  # module:tuple of ``FeatureClass``es of retention: what two people dispose of
    periods: tuple[KeptPeriod, ...] = ()
    removals: tuple[Removal, ...] = ()
    settings: tuple[Setting, ...] = ()
    setting_sections: tuple[SettingSection, ...] = ()
    set_up: tuple[str, ...] = ()  # functions that take the settings and yield what ``doctor`` finds
    read_settings: str = ""  # module:function that takes what reads a name; gives what has ``list_faults``
    provider: SignInProvider | None = None
    restore: tuple[RestoreStep, ...] = ()
    polled: tuple[str, ...] = ()  # blueprints whose open pages ask each second what is new
    media: tuple[str, ...] = ()  # addresses, as patterns, below which media of texts are
    files: tuple[str, ...] = ()  # addresses below which files are written while their reader waits
    long_pages: tuple[str, ...] = ()  # addresses, as patterns, of pages that compute what is of everyone
    file_formats: str = ""  # module:tuple of formats of files to import with the one each is listed after
    demo: tuple[DemoStep, ...] = ()

    def load(self, name: str) -> Any:
        """What ``module:attribute``, or ``module``, of the feature's folder names."""
        return load(f"portal.features.{self.name}.{name}")


def load(name: str) -> Any:
    """What ``module:attribute``, or ``module``, names by its whole path."""
    module, _, attribute = name.partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def load_all(names: str) -> tuple[Any, ...]:
    """What each of these names, with white space between them, names."""
    return tuple(load(name) for name in names.split())


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


@cache
def find_parts(features: tuple[Feature, ...], place: str) -> tuple[tuple[Part, Callable[..., Any]], ...]:
    """What these features show or do at a place, each with its function."""
    found = [(feature, part) for feature in features for part in feature.parts if part.place == place]
    ordered = insert_after(
        [each for each in found if not each[1].after],
        [(each[1].after, each) for each in found if each[1].after],
        lambda each: each[0].name,
    )
    return tuple((part, feature.load(part.show)) for feature, part in ordered)


def load_models() -> None:
    """Import the tables of all features, on or off, for whoever goes through every table."""
    for feature in list_features():
        if feature.models:
            feature.load(feature.models)


def insert_after(
    entries: Iterable[T], additions: Sequence[tuple[str, T]], name_of: Callable[[T], str]
) -> list[T]:
    """The entries with each addition after the one it names, or last if there is none of that name.

    An addition may name another one, whichever of them comes first, or ``FIRST``. Of two that name the same
    entry, the later one stands nearer to it.
    """
    placed, waiting = list(entries), list(additions)
    while waiting:
        names = [FIRST, *(name_of(entry) for entry in placed)]
        after, addition = found = next((each for each in waiting if each[0] in names), waiting[0])
        placed.insert(names.index(after) if after in names else len(placed), addition)
        waiting.remove(found)
    return placed
