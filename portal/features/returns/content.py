"""The content of a return: a force's counts of a month, with their definitions. Pure.

A return holds numbers of people and no person. Its definitions are the same for every force, word for word,
so that counts of different forces mean the same; its threshold and its population are the force's own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from portal.domain.reports.foi import is_small
from portal.domain.reports.packs import status_definitions
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


# The JSON Schema of returns, published at /returns/schema.json: receivers check by it, and so does a
# force.
#
# A change that a reader of today's files would notice needs another ``FORMAT``.

Schema = dict[str, Any]

MOST_FAULTS = 20  # of one file
MOST_PEOPLE = 1_000_000
MOST_NUMBER = 1_000
LONGEST_LINE = 200
LONGEST_TEXT = 2_000
# Neither control characters nor invisible ones, so that two terms that look alike are the same term.
_UNSEEN = "\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff"
_PRINTED = f"^[^\\x00-\\x1f\\x7f-\\x9f{_UNSEEN}]*$"
REQUIREMENT = "^(?:module|event|guide):[a-z0-9-]{1,60}$"
PERIOD = "^20[0-9]{2}-(?:0[1-9]|1[0-2])$"
_INSTANT = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,6})?Z$"


def _make_object(heading: str, /, **properties: Any) -> dict[str, Any]:
    return {
        "title": heading,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _make_line(description: str, least: int = 1, most: int = LONGEST_LINE) -> dict[str, Any]:
    return {
        "description": description,
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": _PRINTED,
    }


def _make_list(items: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


_COUNT = {"$ref": "#/$defs/count"}
_NAME = {"type": "string", "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$", "maxLength": 60}

RETURN_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "A signed return of a force: people by requirement, role and rank, for one month.",
    "$defs": {
        "count": {
            "description": "A number of people; null is hidden.",
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MOST_PEOPLE,
        }
    },
    **_make_object(
        "Return",
        format={"const": FORMAT},
        force=_make_object("Force", key=_NAME, name=_make_line("Its name.")),
        period={"description": "The month.", "type": "string", "pattern": PERIOD},
        number={
            "description": "1 for the first return of a period; each correction has the next.",
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_NUMBER,
        },
        reason=_make_line("Why a correction is made; empty in the first return.", 0, 500),
        as_at={
            "description": "The last day of the period.",
            "type": "string",
            "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        },
        as_known_on={
            "description": "Nothing that was recorded later is counted.",
            "type": "string",
            "pattern": _INSTANT,
        },
        directive=_make_object(
            "Directive",
            reference=_make_line("Its reference."),
            title=_make_line("Its title.", most=LONGEST_TEXT),
            version={"type": "integer", "minimum": 1, "maximum": 1_000_000},
        ),
        threshold={
            "description": "The share that the force aims at, from 0 to 1.",
            "type": "string",
            "pattern": "^(?:0(?:\\.[0-9]{1,4})?|1(?:\\.0{1,4})?)$",
        },
        population=_make_line("To whom the directive applies.", most=LONGEST_TEXT),
        small_number={
            "description": "Numbers are multiples of it, or null where hidden. Null: all are as they are.",
            "type": ["integer", "null"],
            "minimum": 3,
            "maximum": 100,
        },
        definitions=_make_list(
            _make_object(
                "Definition",
                term=_make_line("A word."),
                meaning=_make_line("What it means.", most=LONGEST_TEXT),
            ),
            1,
            100,
        ),
        requirements=_make_list(
            _make_object(
                "Requirement",
                key={"type": "string", "pattern": REQUIREMENT},
                title=_make_line("Its title.", most=LONGEST_TEXT),
            ),
            1,
            100,
        ),
        figures=_make_list(
            _make_object(
                "Counts of one group",
                requirement={
                    "description": "Kind and key of a requirement; empty for the whole directive.",
                    "type": "string",
                    "pattern": f"^(?:{REQUIREMENT.removeprefix('^').removesuffix('$')})?$",
                },
                grouping={"enum": list(GROUPINGS)},
                group=_make_line("The role, rank or grade; empty for the force.", 0),
                **dict.fromkeys(COUNTS, _COUNT),
            ),
            1,
            20_000,
        ),
        signature=_make_object(
            "Signature over the canonical bytes of everything else",
            algorithm={"const": "Ed25519"},
            public_key={"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
            value={"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"},
        ),
    ),
}


def list_schema_faults(value: Any, schema: Schema) -> list[str]:
    """List the faults of a value, a sentence each, at most ``MOST_FAULTS``; empty: it fits its schema.

    Each begins with where it is, counting entries of lists from 1: "figures 3, assigned: …". The value itself
    is not quoted, since it may be long.
    """
    import jsonschema_rs  # 7 MiB, for whoever receives files of others

    validator = jsonschema_rs.Draft202012Validator(schema, mask="it")
    faults = islice(validator.iter_errors(value), MOST_FAULTS)
    return [f"{_name_position(fault.instance_path)}: {fault.message}." for fault in faults]


def _name_position(path: list[str | int]) -> str:
    position = ""
    for step in path:
        position += f" {step + 1}" if isinstance(step, int) else f", {step[:60]}"
    return position.removeprefix(", ").strip() or "The file"


# Checks that the counts of a return add up, and that small numbers are hidden where it says so. Pure.


def list_sum_faults(content: ReturnContent) -> list[str]:
    """List what does not add up, a sentence each, at most ``MOST_FAULTS``; empty: everything does."""
    faults = []
    for find in (_find_missing_or_double, _find_line_faults, _find_group_faults, _find_whole_faults):
        faults += list(find(content))
        if faults:  # what follows would be no more than their echo
            break
    return faults[:MOST_FAULTS]


def describe_group(count: ReturnCount) -> str:
    """The requirement and the group of a count, in words.

    >>> describe_group(ReturnCount("module:respond", "role", "response", 1, 0, 1))
    'module:respond, role response'
    """
    requirement = count.requirement or "the whole directive"
    group = "the force" if count.grouping == FORCE else f"{count.grouping} {count.group}"
    return f"{requirement}, {group}"


def _find_missing_or_double(content: ReturnContent) -> Iterator[str]:
    """Find counts that are there twice, of no requirement of the return, or missing."""
    keys = [key for key, _ in content.requirements]
    yield from (f"{key} is a requirement twice." for key, times in Counter(keys).items() if times > 1)
    known_keys = {WHOLE_DIRECTIVE, *keys}
    for key, times in Counter(count.counted_group for count in content.counts).items():
        if times > 1:
            yield f"{describe_group(ReturnCount(*key, 0, 0, 0))}: is given {times} times."
    for count in content.counts:
        if count.requirement not in known_keys:
            yield f"{describe_group(count)}: is of no requirement of this return."
        if (count.grouping == FORCE) == bool(count.group):
            yield f"{describe_group(count)}: a role or rank has a name, and the force has none here."
    yield from _find_missing(content, keys)


def _find_missing(content: ReturnContent, keys: Sequence[str]) -> Iterator[str]:
    """Find requirements without counts of the force or, where none is hidden, by role and by rank."""
    counted_keys = {(count.requirement, count.grouping) for count in content.counts}
    for key in [WHOLE_DIRECTIVE, *keys]:
        for grouping in GROUPINGS:
            is_needed = grouping == FORCE or content.small_number is None
            if is_needed and (key, grouping) not in counted_keys and not _is_empty(content, key):
                yield f"{key or 'the whole directive'}: has no counts by {grouping}."


def _is_empty(content: ReturnContent, key: str) -> bool:
    """Whether a requirement is counted for the force and applies to nobody, so that no group has people."""
    return any(count.counted_group == (key, FORCE, "") and count.assigned == 0 for count in content.counts)


def _find_line_faults(content: ReturnContent) -> Iterator[str]:
    """Find counts that cannot all be true, and small numbers that should be hidden."""
    for count in content.counts:
        assigned, excluded, complete = count.numbers
        if assigned is not None and (excluded or 0) + (complete or 0) > assigned:
            yield f"{describe_group(count)}: more people are excluded or complete than assigned."
        if content.small_number is None:
            if None in count.numbers:
                yield f"{describe_group(count)}: hides a number, and the return says that none is hidden."
            continue
        shown_numbers = [number for number in count.numbers if number is not None]
        if assigned is not None and excluded is not None and complete is not None:
            shown_numbers.append(assigned - excluded - complete)
        if any(is_small(number, content.small_number) for number in shown_numbers):
            yield f"{describe_group(count)}: shows a number below {content.small_number}."


def _find_group_faults(content: ReturnContent) -> Iterator[str]:
    """Find groups that do not add up to the force, or whose hidden numbers add up to a small one."""
    groups: dict[tuple[str, str], list[ReturnCount]] = defaultdict(list)
    for count in content.counts:
        groups[count.requirement, count.grouping].append(count)
    for (requirement, grouping), counts in groups.items():
        if grouping == FORCE:
            continue
        (force,) = groups[requirement, FORCE]
        part = f"{requirement or 'the whole directive'}, by {grouping}"
        for index, name in enumerate(COUNTS):
            yield from _compare_sum(
                part, name, [count.numbers[index] for count in counts], force.numbers[index], content
            )


def _compare_sum(
    part: str, name: str, numbers: Sequence[int | None], total: int | None, content: ReturnContent
) -> Iterator[str]:
    if total is None:
        return
    difference = total - sum(number for number in numbers if number is not None)
    if None not in numbers:
        if difference:
            yield f"{part}: {name} add up to {total - difference}, and the force has {total}."
    elif difference < 0:
        yield f"{part}: {name} add up to more than the {total} of the force."
    elif is_small(difference, content.small_number or 0):
        yield f"{part}: the hidden {name} add up to a number below {content.small_number}."


def _find_whole_faults(content: ReturnContent) -> Iterator[str]:
    """Find requirements of more people than the whole directive has."""
    whole = next(count for count in content.counts if count.counted_group == (WHOLE_DIRECTIVE, FORCE, ""))
    if whole.assigned is None:
        return
    for count in content.counts:
        if count.grouping == FORCE and (count.assigned or 0) > whole.assigned:
            yield f"{describe_group(count)}: more people are assigned than to the whole directive."
