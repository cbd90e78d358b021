"""Describes directives in plain sentences: who must do what, by when, for how long, and what changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from portal.domain.directives.toml_reader import DirectiveFile, Selectors
from portal.domain.people.units import paths
from portal.platform import wording as say
from portal.platform.errors import RuleError

Titles = Mapping[tuple[str, str], str]  # of modules, guides and event types, by kind and key


def join_words(words: Sequence[str], link: str = "or") -> str:
    """The words as a list of a sentence.

    >>> joined(["response", "contact", "custody"])
    'response, contact or custody'
    """
    return f" {link} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def unit_label(path: str) -> str:
    """The names of a unit and of those above it, below the force.

    >>> unit("Westshire Police/Response/Team A")
    'Response › Team A'
    """
    try:
        names = paths.split(path)
    except RuleError:  # not a path; the form or the file's reader says so
        return path
    return " › ".join(names[1:] or names)


def describe_group(table: Selectors, people: str = "everyone") -> str:
    """The people of one table of an audience."""
    parts = []
    if roles := table.get("designated_role"):
        parts.append(f"with the role {join_words(roles)}")
    if units := table.get("unit_under"):
        parts.append(f"in {join_words([unit_label(path) for path in units])} or any unit below")
    if ranks := table.get("rank_or_grade"):
        parts.append(f"of the rank or grade {join_words(ranks)}")
    return f"{people} {', '.join(parts)}" if parts else people


def describe_audience(file: DirectiveFile) -> str:
    """The audience, as one sentence."""
    included = join_words([describe_group(table) for table in file.audience], "and")
    excluded = join_words([describe_group(table, "those") for table in file.exceptions], "and")
    return f"{included[:1].upper()}{included[1:]}{f', except {excluded}' if excluded else ''}."


def explain_requirement(
    table: Mapping[str, Sequence[object]], role: str, rank: str, units: Sequence[tuple[int, str]]
) -> str:
    """Why a directive applies to a person, as one sentence to them: what the audience names of their post.

    Args:
        table: The table that the post meets, with unit ids.
        role: The post's designated role.
        rank: The post's rank or grade.
        units: Ids and names of the post's unit and of those above it, lowest first.
    """
    reasons = []
    if "designated_role" in table:
        reasons.append(f"your role is {role}")
    if "unit_under" in table:
        top = next((name for key, name in units if key in table["unit_under"]), "")
        own = units[0][1] if units else ""
        reasons.append(f"you are in {own}" + (f", which is part of {top}" if top not in ("", own) else ""))
    if "rank_or_grade" in table:
        reasons.append(f"your rank or grade is {rank}")
    return (
        f"You have to do this because {join_words(reasons, 'and')}."
        if reasons
        else "Everyone has to do this."
    )


def describe_due_date(file: DirectiveFile) -> str:
    """The due date, as one sentence."""
    fixed, days = file.due_fixed_on, file.due_days_after_joining
    joining = f"{say.plural(days, 'day')} after joining the audience" if days is not None else ""
    if fixed and joining:
        return f"On {say.date(fixed)} or {joining}, whichever is later."
    return f"On {say.date(fixed)}." if fixed else f"{joining[:1].upper()}{joining[1:]}."


def describe_validity(file: DirectiveFile) -> str:
    """How long a pass counts, as one or two sentences."""
    if file.validity_months:
        return f"A pass counts for {say.plural(file.validity_months, 'month')}. {_describe_ending_soon(file)}"
    if file.yearly_on:
        month, day = map(int, file.yearly_on.split("-"))
        gap = say.plural(file.minimum_gap_months or 0, "month")
        until = f"A pass counts until the first {date(2001, month, day):%-d %B}"
        return f"{until} that is at least {gap} later. {_describe_ending_soon(file)}"
    return "A pass does not expire."


def _describe_ending_soon(file: DirectiveFile) -> str:
    return f"It shows as ending soon from {say.plural(file.expiring_days, 'day')} before."


def describe_notices(file: DirectiveFile) -> str:
    """When learners are reminded, as one sentence."""
    if not file.notice_days:
        return "No notice before the due date."
    days = sorted(set(file.notice_days), reverse=True)
    return (
        f"{join_words([str(n) for n in days], 'and')} {'day' if days == [1] else 'days'} before the due date."
    )


def requirement_titles(file: DirectiveFile, titles: Titles) -> list[str]:
    """The titles of the required modules, guides and event types."""
    return [titles.get(requirement, requirement[1]) for requirement in file.requirements]


def describe_people_affected(kind: str, people: int) -> str:
    """How many people a change to an audience affects, and how.

    >>> describe_people_affected("due_changes", 1)
    '1 person gets a new due date'
    """
    one, many = _EFFECTS[kind]
    return f"{say.plural(people, 'person', 'people')} {one if people == 1 else many}"


def list_changes(old: DirectiveFile | None, new: DirectiveFile, titles: Titles) -> list[str]:
    """What a version changes, a sentence each.

    Args:
        old: The version before; None: there is none.
        new: The version.
        titles: Of modules, guides and event types.
    """
    if old is None:
        return ["First issued."]
    if new.withdrawn:
        return ["Withdrawn." if not old.withdrawn else "Still withdrawn."]
    sentences = ["In force again after it was withdrawn."] if old.withdrawn else []
    if sorted_audience(old) != sorted_audience(new):
        sentences.append(
            f"Who: “{describe_audience(new).rstrip('.')}” (was “{describe_audience(old).rstrip('.')}”)."
        )
    for name, describe in _DESCRIPTIONS.items():
        before, after = describe(old), describe(new)
        if before != after:
            sentences.append(f"{name}: “{after.rstrip('.')}” (was “{before.rstrip('.')}”).")
    sentences += [f"{name} has changed." for name, key in _TEXTS if _is_changed(old, new, key)]
    sentences += _requirement_changes(old, new, titles)
    return sentences or ["Nothing has changed."]


def sorted_audience(file: DirectiveFile) -> list[list[list[tuple[str, list[str]]]]]:
    """The audience with its choices sorted, for comparing: their order means nothing."""
    return [
        [sorted((key, sorted(values)) for key, values in table.items()) for table in tables]
        for tables in (file.audience, file.exceptions)
    ]


_EFFECTS = {  # by field of ``AudienceEffect``, of one person and of several
    "joins": ("will have to do this", "will have to do this"),
    "leaves": ("will no longer have to do this", "will no longer have to do this"),
    "due_changes": ("gets a new due date", "get a new due date"),
}
_TEXTS = (("The exact wording", "wording"), ("The recommendation", "source"))
_DESCRIPTIONS: dict[str, Callable[[DirectiveFile], str]] = {
    "Title": lambda file: str(file.title),
    "Due": describe_due_date,
    "Validity": describe_validity,
    "Notices": describe_notices,
    "Target": lambda file: say.percent_exact(file.target),
    "Owner": lambda file: str(file.owner),
}


def _is_changed(old: DirectiveFile, new: DirectiveFile, key: str) -> bool:
    return bool(getattr(old, key) != getattr(new, key))


def _requirement_changes(old: DirectiveFile, new: DirectiveFile, titles: Titles) -> Iterable[str]:
    for requirement in new.requirements:
        if requirement not in old.requirements:
            yield f"{titles.get(requirement, requirement[1])} is now required."
    for requirement in old.requirements:
        if requirement not in new.requirements:
            yield f"{titles.get(requirement, requirement[1])} is no longer required."
