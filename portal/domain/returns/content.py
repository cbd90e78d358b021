"""The content of a return: a force's counts of a month, with their definitions. Pure.

A return holds numbers of people and no person. Its definitions are the same for every force, word for word,
so that counts of different forces mean the same; its threshold and its population are the force's own.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.reports.packs.texts import status_definitions
from portal.platform.months import last_of_month
from portal.platform.wording import month_words

FORMAT = "oic-return/1"
WHOLE_DIRECTIVE = ""  # in place of a requirement
FORCE, ROLE, RANK = "force", "role", "rank"
GROUPINGS = (FORCE, ROLE, RANK)
COUNTS = ("assigned", "excluded", "complete")

DEFINITIONS: tuple[tuple[str, str], ...] = (
    (
        "Assigned",
        "Everybody to whom the directive applied at the end of the last day of the period, UK time.",
    ),
    ("Excluded", "Those assigned who were exempt or deferred. They are not counted."),
    ("Counted", "Those assigned who were not excluded."),
    (
        "Complete",
        "Those counted whose completion counted on that day: of one requirement, or of every one where no "
        "requirement is named.",
    ),
    ("Role", "The designated role of the post that counted for the person on that day."),
    ("Rank", "The rank or grade of that post."),
    ("Hidden number", "null: a number that is small, or from which a small one could be worked out."),
    *status_definitions(),
)


@dataclass(frozen=True, slots=True)
class ReturnCount:
    """Counts of one group of people under one requirement; None is hidden."""

    requirement: str  # kind and key, such as module:respond; "" for the whole directive
    grouping: str  # one of ``GROUPINGS``
    group: str  # "" for the force
    assigned: int | None
    excluded: int | None
    complete: int | None

    @property
    def counted_group(self) -> tuple[str, str, str]:
        """Requirement, grouping and group: no two counts of a return have the same."""
        return self.requirement, self.grouping, self.group

    @property
    def numbers(self) -> tuple[int | None, int | None, int | None]:
        """The three numbers, in the order of ``COUNTS``."""
        return self.assigned, self.excluded, self.complete


@dataclass(frozen=True, slots=True)
class ReturnContent:
    """A return without its signature."""

    force: str  # short name
    force_name: str
    period: str  # a month, such as 2026-04
    number: int  # 1 for the first of the period; a correction has the next
    reason: str  # why a correction is made; "" of the first
    as_at: str  # the last day of the period
    as_known_on: str  # an instant, UTC
    directive: str  # reference
    title: str
    version: int
    threshold: str  # the share that the force set itself, such as 0.9500
    population: str  # to whom the directive applies, in words
    small_number: int | None  # below which numbers are hidden; None: none is
    requirements: tuple[tuple[str, str], ...]  # kind and key, and title
    counts: tuple[ReturnCount, ...]
    definitions: tuple[tuple[str, str], ...] = DEFINITIONS

    def to_document(self) -> dict[str, Any]:
        """Write the return as the document of its file."""
        return {
            "format": FORMAT,
            "force": {"key": self.force, "name": self.force_name},
            "period": self.period,
            "number": self.number,
            "reason": self.reason,
            "as_at": self.as_at,
            "as_known_on": self.as_known_on,
            "directive": {"reference": self.directive, "title": self.title, "version": self.version},
            "threshold": self.threshold,
            "population": self.population,
            "small_number": self.small_number,
            "definitions": [{"term": term, "meaning": meaning} for term, meaning in self.definitions],
            "requirements": [{"key": key, "title": title} for key, title in self.requirements],
            "figures": [
                {
                    "requirement": count.requirement,
                    "grouping": count.grouping,
                    "group": count.group,
                    **dict(zip(COUNTS, count.numbers, strict=True)),
                }
                for count in self.counts
            ],
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "ReturnContent":
        """Read a document that fits the schema."""
        directive = document["directive"]
        return cls(
            force=document["force"]["key"],
            force_name=document["force"]["name"],
            period=document["period"],
            number=document["number"],
            reason=document["reason"],
            as_at=document["as_at"],
            as_known_on=document["as_known_on"],
            directive=directive["reference"],
            title=directive["title"],
            version=directive["version"],
            threshold=document["threshold"],
            population=document["population"],
            small_number=document["small_number"],
            requirements=tuple((row["key"], row["title"]) for row in document["requirements"]),
            counts=tuple(ReturnCount(**row) for row in document["figures"]),
            definitions=tuple((row["term"], row["meaning"]) for row in document["definitions"]),
        )


def last_day_of(period: str) -> date:
    """The last day of a month such as 2026-04.

    Raises:
        ValueError: The text is no month.
    """
    return last_of_month(date.fromisoformat(f"{period}-01"))


def period_words(period: str) -> str:
    """A month as pages write it.

    >>> period_words("2026-04")
    'April 2026'
    """
    return month_words(last_day_of(period))
