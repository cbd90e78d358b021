"""The classes of what is kept for a time: what goes, what stays, why, and from which day its period runs.

A class never holds what was earned. Registrations, passes, statuses, posts and names are the record itself:
no class reaches them, and files of completions are the same before and after every disposal.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from portal.feature import insert_after, list_features
from portal.platform.errors import require
from portal.platform.months import add_months
from portal.platform.wording import plural

LONGEST = 1_200  # months


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """One class, in words for its page and its certificates.

    Attributes:
        key: Names it in addresses, for ever.
        title: Its name.
        goes: What a disposal removes.
        stays: What it leaves.
        runs_from: The day on which the period of a row begins.
        reason: Why it is kept so long, and no longer.
        months: The period until the force sets its own.
        least: The shortest period that can be set: the portal itself still needs younger rows.
    """

    key: str
    title: str
    goes: str
    stays: str
    runs_from: str
    reason: str
    months: int
    least: int


@dataclass(frozen=True, slots=True)
class FeatureClass:
    """A class that a feature brings."""

    after: str  # key of the class it is listed after
    row: RetentionClass
    stores: tuple[Any, ...]  # ``Store``s of what is in the database
    words: str  # how long it is kept, in the register of personal data, with the period as {key}


_CORE_CLASSES = (
    RetentionClass(
        "leavers",
        "Accounts of leavers",
        "How they signed in: password, second factors, links to the force account, browsers, the last"
        " sign-in, invitations; their recall answers, what they found clear or unclear, and which reports"
        " they read.",
        "Name, staff number, posts and the whole training record. An account that an administrator closed"
        " stays closed.",
        "the last day of their last post, or the last day on which they could still use or did use their"
        " account, if that is later",
        "Somebody who comes back within this time goes on with the account they had.",
        12,
        1,
    ),
    RetentionClass(
        "texts",
        "Texts of exercises",
        "What learners typed in assessments and cases: reasons, words of reports, short facts, and their own"
        " ticks beside a model.",
        "Answers that were chosen, marks, passes and the days of all of them.",
        "the day on which the text was saved",
        "A mark that is challenged can be looked at again, and texts of live cases are not kept for ever.",
        36,
        6,
    ),
    RetentionClass(
        "copies",
        "Texts shown to a line manager",
        "The copies of texts that learners showed to their line manager, and what the manager ticked.",
        "That a copy was shown, to whom and when.",
        "the day on which the copy was shown; of ticks, the day on which they were made",
        "A conversation about an exercise is over after a year of work.",
        12,
        1,
    ),
    RetentionClass(
        "requests",
        "Comments on requests",
        "Comments on requests and decisions, the words of requests to correct or erase data, and their"
        " answers.",
        "The request, its category, who decided and when, and the evidence of prior learning.",
        "the day of the decision or answer",
        "Six years: the time in which a decision can be brought before a court.",
        72,
        12,
    ),
    RetentionClass(
        "access",
        "Log of sign-ins and looks",
        "Entries of the audit trail about signing in and out, and about who looked at whose page.",
        "All other entries of the audit trail.",
        "the day of the sign-in or look",
        "Long enough to answer who saw a person’s data, and to investigate a misuse that is found late.",
        24,
        6,
    ),
    RetentionClass(
        "audit",
        "Audit trail",
        "All other entries of the audit trail, with whose data a downloaded file held.",
        "The facts themselves, with who decided them; certificates of disposal. Entries that an email still"
        " reports go after that email.",
        "the day of the act",
        "Seven years: six in which a claim can be made, and one to find out.",
        84,
        24,
    ),
    RetentionClass(
        "mail",
        "Emails",
        "Emails that were sent, refused or given up, with what each was about, and invitations sent by them.",
        "Emails that wait to be sent.",
        "the day on which the email was made",
        "A reminder that is disputed can be shown for the year of its directive.",
        12,
        3,
    ),
    RetentionClass(
        "imports",
        "Finished imports",
        "The names of imported files, which may name people, and how their columns were read.",
        "That a file was imported, by whom, when, under which profile, and how many rows it changed; the"
        " facts it wrote.",
        "the day on which the import was applied or cancelled",
        "A wrong file is found by the next yearly check at the latest.",
        24,
        3,
    ),
)


@cache
def list_feature_classes() -> tuple[FeatureClass, ...]:
    """The classes of every feature, on or off: its rows stay, and are kept as long."""
    return tuple(
        found for each in list_features() if each.kept_classes for found in each.load(each.kept_classes)
    )


@cache
def list_retention_classes() -> tuple[RetentionClass, ...]:
    """Every class, of the core and of features."""
    additions = [(found.after, found.row) for found in list_feature_classes()]
    return tuple(insert_after(_CORE_CLASSES, additions, lambda row: row.key))


def find_class(key: str) -> RetentionClass | None:
    """The class with this key, if there is one."""
    return next((row for row in list_retention_classes() if row.key == key), None)


# The class "access" holds these acts, and the database lets a disposal of it remove no other
# (migrations/versions/0048_retention.py has a copy).
ACCESS_ACTIONS = (
    "account.signed_in",
    "account.signed_in_again",
    "account.signed_out",
    "account.refused",
    "account.session_ended",
    "person.viewed",
    "audit.viewed",
)


def class_of_key(key: str) -> RetentionClass:
    """The class with this key."""
    return require(find_class(key), "There is no such class of data.")


# When a period of retention is over, in London days. Pure.
#
# A row whose period begins on a day is kept to the end of the corresponding day so many months later;
# where that month has no such day, to the end of its last day. It is due from the day after.


def kept_until(began_on: date, months: int) -> date:
    """The last day on which a row is kept whose period of so many months began on a day."""
    return add_months(began_on, months)


def is_due(began_on: date, months: int, today: date) -> bool:
    """Whether the period was over before today."""
    return kept_until(began_on, months) < today


def newest_due_day(months: int, today: date) -> date:
    """The newest day on which a period may have begun that was over before today.

    Exactly the rows that began on this day or before are due, so one comparison finds them.

    >>> newest_due_day(12, date(2025, 3, 1))
    datetime.date(2024, 2, 29)
    """
    day = add_months(today - timedelta(days=1), -months)
    while day < date.max and is_due(day + timedelta(days=1), months, today):
        day += timedelta(days=1)
    return day


def period_words(months: int) -> str:
    """A period in words.

    >>> period_words(84), period_words(18), period_words(1)
    ('7 years', '1 year 6 months', '1 month')
    """
    years, rest = divmod(months, 12)
    parts = [plural(years, "year")] * bool(years) + [plural(rest, "month")] * bool(rest)
    return " ".join(parts)
