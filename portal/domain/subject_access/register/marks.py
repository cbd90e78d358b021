"""How a table and its columns are marked in the register of personal data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataCategory:
    """A category of personal data: what it is, why it is held and who sees it."""

    title: str
    why: str
    seen_by: str


@dataclass(frozen=True, slots=True)
class View:
    """One way in which rows of a table concern a person.

    Attributes:
        heading: For the person who reads their own file.
        path: The columns that lead from a row to the person, table by table: "attempt_id registration_id
            person_id". Of a table that names nobody by id, a name that ``row_ties.py`` knows, with "@".
        only: The columns shown, where the row is about somebody else as well; empty: all that are marked.
    """

    heading: str
    path: str
    only: str = ""


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table with personal data.

    Attributes:
        name: Of the table.
        area: Its category.
        kept: How long, as a key of ``portal/domain/subject_access/periods.py``.
        views: How rows concern a person; empty where its values are shown beside the rows of another table.
        columns: Personal columns, each with its label for the reader. "@day" and the like after it says how
            to write the value (``values.py``).
        people: Columns with the id of a person, each with their role: others are never named.
        withheld: Personal columns that are not given out, each with the reason.
        by_others: Of ``columns``, those with words that somebody else wrote: names in them are taken out.
        technical: Columns that say nothing about anybody.
    """

    name: str
    area: DataCategory
    kept: str
    views: tuple[View, ...]
    columns: Mapping[str, str]
    people: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    by_others: str = ""
    technical: str = ""

    @property
    def personal(self) -> dict[str, str]:
        """What each personal column is, in order of marking."""
        labels = {column: label.partition(" @")[0] for column, label in self.columns.items()}
        named = {column: f"Who: {role}" for column, role in self.people.items()}
        return {**labels, **named, **dict.fromkeys(self.withheld, "Not given out")}


UNSAFE = (
    "A secret or its fingerprint. It says nothing about you, and giving it out would endanger your account."
)
ABOUT_OTHERS = "It may name other people. What it says about you is in the other parts of this file."
SAME = "The same as your name and staff number, in the form in which the portal searches for it."

_STAFF = "Administrators of the portal"
ROSTER = DataCategory(
    "Who you are and your posts",
    "To know who a record belongs to, and which training applies to which post",
    "You, your line managers, managers and owners of directives for your unit, auditors, administrators",
)
ROLES = DataCategory(
    "Your roles in the portal", "To decide who may see and do what", f"You; {_STAFF.lower()}; auditors"
)
SIGN_IN = DataCategory(
    "Signing in",
    "To let only you use your account, and to find misuse",
    f"{_STAFF}, and you as far as your account page shows it",
)
LEARNING = DataCategory(
    "Learning and records",
    "So that you can learn, and so that the force can show who completed required training and when",
    "You, your line managers, managers and owners of directives for your unit, auditors, administrators",
)
ANSWERS = DataCategory(
    "Answers in assessments and cases",
    "To mark the assessment; to improve questions by counts that name nobody",
    "You, and your line manager if you showed them a copy; others see counts alone",
)
OWN = DataCategory(
    "What is for you alone",
    "To help you keep what you learnt, and to make unclear texts better",
    "You, and whoever prepares a copy of your data for you; authors read words about unclear texts without "
    "your name",
)
STATUS = DataCategory(
    "What you have to complete",
    "To tell you and those responsible what is required, by when, and what is missing",
    LEARNING.seen_by,
)
DECISIONS = DataCategory(
    "Requests and decisions",
    "To record why somebody does not have to complete something, or has more time for it",
    "Who asked, who decided, owners of the directive, auditors; you see the outcome",
)
MAIL = DataCategory(
    "Email the portal sent",
    "To remind, to invite and to tell about changes to an account",
    "You, owners of directives and administrators",
)
AUDIT = DataCategory(
    "Audit trail",
    "To show who did or looked at what, as the security of personal data requires",
    "Auditors and administrators",
)
RIGHTS = DataCategory(
    "Your requests about your data, and holds on it",
    "To answer what you asked about your data, and to keep what must not be erased yet",
    "Administrators and operators of retention, auditors; you see your requests and their answers",
)
WORK = DataCategory(
    "Work you did for the force in the portal",
    "To show who wrote, reviewed, loaded or decided something",
    "Those who do the same work, auditors and administrators",
)
SYSTEMS = DataCategory(
    "Connected systems",
    "To take over who works where, and to tell other systems of the force what changed",
    _STAFF,
)


def mark_proposals(
    name: str, noun: str, technical: str, key: Mapping[str, str] | None = None
) -> PersonalTable:
    """Marks of a table with the columns of ``ProposalColumns``.

    Args:
        name: Of the table.
        noun: What is proposed, in the plural.
        technical: Further columns that say nothing about anybody.
        key: A column that says what was proposed, with its label.
    """
    key = key or {}
    decided = " ".join((*key, "ended_at ended_as"))
    return PersonalTable(
        name,
        WORK,
        "record",
        (
            View(f"{noun} you proposed", "proposed_by_id"),
            View(f"{noun} of others that you decided", "ended_by_id", decided),
        ),
        {
            **key,
            "note": "Note",
            "proposed_at": "Proposed",
            "ended_at": "Ended",
            "ended_as": "Outcome",
            "reason": "Reason",
        },
        people={"proposed_by_id": "the author", "ended_by_id": "who ended it"},
        by_others="reason",
        technical=f"id {technical}",
    )
