"""A directive in words that anyone understands: whom it asks, by when, for how long, and what changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from portal.domain.directives.toml_reader import DirectiveFile, Selectors
from portal.domain.people.units import paths
from portal.platform import wording as say
from portal.platform.errors import RuleError

Titles = Mapping[tuple[str, str], str]  # of modules and guides, by kind and key


def joined(words: Sequence[str], link: str = "or") -> str:
    """The words as a list of a sentence.

    >>> joined(["response", "contact", "custody"])
    'response, contact or custody'
    """
    return f" {link} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def unit(path: str) -> str:
    """A unit by its names below the force, from above.

    >>> unit("Westshire Police/Response/Team A")
    'Response › Team A'
    """
    try:
        names = paths.split(path)
    except RuleError:  # somebody wrote no path at all; what is wrong with it is said elsewhere
        return path
    return " › ".join(names[1:] or names)


def group(table: Selectors, whom: str = "everyone") -> str:
    """The people of one table of an audience."""
    parts = []
    if roles := table.get("designated_role"):
        parts.append(f"with the role {joined(roles)}")
    if units := table.get("unit_under"):
        parts.append(f"in {joined([unit(path) for path in units])} or any unit below")
    if ranks := table.get("rank_or_grade"):
        parts.append(f"of the rank or grade {joined(ranks)}")
    return f"{whom} {', '.join(parts)}" if parts else whom


def audience(file: DirectiveFile) -> str:
    """Whom the directive asks, as one sentence."""
    asked = joined([group(table) for table in file.audience], "and")
    left_out = joined([group(table, "those") for table in file.exceptions], "and")
    return f"{asked[:1].upper()}{asked[1:]}{f', except {left_out}' if left_out else ''}."


def why(table: Mapping[str, Sequence[object]], role: str, rank: str, units: Sequence[tuple[int, str]]) -> str:
    """Why somebody is asked, as one sentence to them: what of their post the table of the audience names.

    Args:
        table: The table that the post meets, its units by id.
        role: The post's.
        rank: The post's rank or grade.
        units: Ids and names of the post's unit and of those above it, from below.
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
    return f"You are asked because {joined(reasons, 'and')}." if reasons else "Everyone is asked."


def due(file: DirectiveFile) -> str:
    """By when, as one sentence."""
    fixed, days = file.due_fixed_on, file.due_days_after_joining
    joining = f"{say.plural(days, 'day')} after joining the audience" if days is not None else ""
    if fixed and joining:
        return f"On {say.date(fixed)} or {joining}, whichever is later."
    return f"On {say.date(fixed)}." if fixed else f"{joining[:1].upper()}{joining[1:]}."


def validity(file: DirectiveFile) -> str:
    """How long a completion counts, as one or two sentences."""
    if file.validity_months:
        return f"A completion counts for {say.plural(file.validity_months, 'month')}. {_ends_soon(file)}"
    if file.yearly_on:
        month, day = map(int, file.yearly_on.split("-"))
        gap = say.plural(file.minimum_gap_months or 0, "month")
        until = f"A completion counts until {date(2001, month, day):%-d %B}"
        return f"{until}, the first that is at least {gap} later. {_ends_soon(file)}"
    return "A completion counts without end."


def _ends_soon(file: DirectiveFile) -> str:
    return f"It is shown as ending soon from {say.plural(file.expiring_days, 'day')} before."


def notices(file: DirectiveFile) -> str:
    """When learners are reminded, as one sentence."""
    if not file.notice_days:
        return "No notice before the due date."
    days = sorted(set(file.notice_days), reverse=True)
    return f"{joined([str(n) for n in days], 'and')} {'day' if days == [1] else 'days'} before the due date."


def target(share: Decimal) -> str:
    """The share that must be complete."""
    return f"{(share * 100).normalize():f}%"


def requirements(file: DirectiveFile, titles: Titles) -> list[str]:
    """What is asked, by title."""
    return [titles.get(asked, asked[1]) for asked in file.requirements]


def changes(old: DirectiveFile | None, new: DirectiveFile, titles: Titles) -> list[str]:
    """What a version changes from the one before it, a sentence each; None: it is the first."""
    if old is None:
        return ["First issued."]
    if new.withdrawn:
        return ["Withdrawn." if not old.withdrawn else "Stays withdrawn."]
    found = ["Asked again after it was withdrawn."] if old.withdrawn else []
    if told_in_order(old) != told_in_order(new):
        found.append(f"Who: “{audience(new).rstrip('.')}”, before “{audience(old).rstrip('.')}”.")
    for name, told in _TOLD.items():
        was, now = told(old), told(new)
        if was != now:
            found.append(f"{name}: “{now.rstrip('.')}”, before “{was.rstrip('.')}”.")
    found += [f"{name} is written otherwise." for name, key in _TEXTS if _differs(old, new, key)]
    found += _asked_otherwise(old, new, titles)
    return found or ["The same as before."]


def told_in_order(file: DirectiveFile) -> list[list[list[tuple[str, list[str]]]]]:
    """The audience in an order that does not depend on how it was written, for comparing."""
    return [
        [sorted((key, sorted(values)) for key, values in table.items()) for table in tables]
        for tables in (file.audience, file.exceptions)
    ]


_TEXTS = (("The exact wording", "wording"), ("The recommendation", "source"))
_TOLD: dict[str, Callable[[DirectiveFile], str]] = {
    "Title": lambda file: str(file.title),
    "Due": due,
    "Validity": validity,
    "Notices": notices,
    "Target": lambda file: target(file.target),
    "Owner": lambda file: str(file.owner),
}


def _differs(old: DirectiveFile, new: DirectiveFile, key: str) -> bool:
    return bool(getattr(old, key) != getattr(new, key))


def _asked_otherwise(old: DirectiveFile, new: DirectiveFile, titles: Titles) -> Iterable[str]:
    for asked in new.requirements:
        if asked not in old.requirements:
            yield f"{titles.get(asked, asked[1])} is asked from now on."
    for asked in old.requirements:
        if asked not in new.requirements:
            yield f"{titles.get(asked, asked[1])} is no longer asked."
