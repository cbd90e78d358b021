"""What the portal knows of the values that files name: requirements, units, ranks and roles."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process
from sqlalchemy import select

from portal.domain.directives.named_roles import read_named_values
from portal.domain.imports import queries
from portal.domain.imports.column_mapping import name_activities
from portal.domain.imports.written_values import (
    COMPLETED,
    EMPLOYED,
    ENDS,
    LEFT_OUT,
    read_employment,
    read_outcome,
)
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.units import paths
from portal.domain.people.units.search import find_current_unit
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.spelling import find_mistyped
from portal.platform.tables.column_names import plain_name

MOST_NEAR = 5  # known units that are shown beside a new one
_SEPARATORS = (" > ", " | ", "\\", "; ", " - ")  # between the names of a unit's path
_SHORT_RANKS = {
    "pc": "constable",
    "dc": "detective constable",
    "ps": "sergeant",
    "sgt": "sergeant",
    "ds": "detective sergeant",
    "insp": "inspector",
    "di": "detective inspector",
    "ci": "chief inspector",
    "ch insp": "chief inspector",
    "dci": "detective chief inspector",
    "supt": "superintendent",
    "ch supt": "chief superintendent",
}
_EMPLOYMENTS = (
    (EMPLOYED, "Still employed"),
    (LEFT_OUT, "Leave these rows out: what the portal has stays as it is"),
    (ENDS, "Has left: the post ends on the day of the import"),
)
_OUTCOMES = ((COMPLETED, "Completed"), (LEFT_OUT, "Not completed: leave these rows out"))

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Requirements, units, ranks and roles of today; empty ones mean that everything is new."""

    activities: Mapping[str, str] = field(default_factory=dict)  # title by "kind/key"
    units: Mapping[int, UnitRow] = field(default_factory=dict)
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)  # ranks and roles, by our name

    @property
    def forces(self) -> list[str]:
        """The names of the units that are below no other."""
        return sorted(unit.name for unit in self.units.values() if unit.parent_id is None)

    def find(self, target: str, text: str) -> str | None:
        """What the value means beyond doubt; None if a person must say.

        Where no rank, role or unit is known yet, each is a new one, and means itself.
        """
        if target == "outcome":
            return read_outcome(text)
        if target == "employment":
            return read_employment(text)
        if target == "requirement":
            return self._find_activity(text)
        if target == "unit_path":
            return self._find_unit(text)
        return text if text in self.texts[target] or not self.texts[target] else None

    def take_answer(self, target: str, text: str, answers: Mapping[str, str]) -> str | None:
        """The saved answer for a value; of a unit only that the path in the file is a new one.

        Any other path that was answered for a unit is read in place of the file's: see ``follow_answers``.
        """
        answer = answers.get(text)
        return answer if target != "unit_path" or answer == self._new_path(text) else None

    def follow_answers(self, text: str, answers: Mapping[str, str]) -> str:
        """The path that was answered for a unit, which is then read or asked about as if the file had it."""
        followed = {text}
        while (answer := answers.get(text)) and answer != self._new_path(text) and answer not in followed:
            text = answer
            followed.add(text)
        return text

    def find_answer_fault(self, answer: str) -> str:
        """Why the path that somebody typed for a unit cannot be taken; empty if it can."""
        if self._find_unit(answer):
            return ""
        try:
            top = paths.split(self._new_path(answer) or answer)[0]
        except RuleError as error:
            return str(error)
        if top in self.forces:
            return ""
        begin = " or ".join(f"“{name}/”" for name in self.forces)
        return f"No force is called “{top}”. Begin the unit’s path with {begin}"

    def name_new_force(self, path: str) -> str:
        """That the first name of a path would be a new force, in words; empty if it would not."""
        top = path.replace("//", "\0").partition("/")[0].replace("\0", "/")
        if not self.forces or top in self.forces:
            return ""
        return f"a new force beside {' and '.join(f'“{name}”' for name in self.forces)}"

    def choices(self, target: str, text: str) -> tuple[Choices, str]:
        """What a person may choose for a value, and the likeliest of it; no choices mean any text."""
        if target == "outcome":
            return _OUTCOMES, ""
        if target == "employment":
            return _EMPLOYMENTS, ""
        if target == "requirement":
            named = tuple(self.activities.items())
            words = re.findall(r"[a-z0-9]+", text.lower())
            alike = [activity for activity in self.activities if activity.partition("/")[2] in words]
            choices = (*named, (LEFT_OUT, "Not one of ours: leave these rows out"))
            return choices, alike[0] if len(alike) == 1 else ""
        if target == "unit_path":
            return self._choose_unit(text), ""
        known = sorted(self.texts[target])
        return ((text, f"New: “{text}”"), *((name, name) for name in known)), self.find_alike(target, text)

    def _find_activity(self, text: str) -> str | None:
        """The activity that the text names by its key, its title or the title's first words."""
        wanted = plain_name(text)
        matching = {activity for name, activity in name_activities(self.activities) if name == wanted}
        return matching.pop() if len(matching) == 1 else None

    def _find_unit(self, text: str) -> str | None:
        """The path of the unit that the text names."""
        for path, _ in self._list_paths(text):
            with suppress(NotFoundError, RuleError):
                return self.units[find_current_unit(path, self.units)].path
        return None if self.units else text

    def _list_paths(self, text: str) -> Iterator[tuple[str, bool]]:
        """Each path that the text may be, and whether it is one from the force down."""
        forces = self.forces
        for separator in ("/", *_SEPARATORS):
            names = [name.strip() for name in text.split(separator)]
            path = text if separator == "/" and "//" in text else paths.join(names)
            yield path, len(names) > 1 and (separator == "/" or names[0] in forces)

    def _new_path(self, text: str) -> str:
        """The path of the new unit that the text would make; empty for a name."""
        return next((path for path, is_whole in self._list_paths(text) if is_whole), "")

    def _choose_unit(self, text: str) -> Choices:
        """The new unit that a path would make, and known ones that are written nearly so; none for a name."""
        new = self._new_path(text)
        if not new:
            return ()
        force = self.name_new_force(new)
        label = f"New: create the unit “{new}”" + (f", in {force}" if force else "")
        known = [unit.path for unit in self.units.values()]
        near = process.extract(new, known, scorer=fuzz.ratio, limit=MOST_NEAR)
        return ((new, label), *((path, path) for path, _, _ in near))

    def find_alike(self, target: str, text: str) -> str:
        """The known rank or role that the text is perhaps another writing of; empty for none."""
        words = " ".join(text.casefold().replace(".", "").replace("_", " ").split())
        return find_mistyped(_SHORT_RANKS.get(words, text), self.texts[target])


def read_known_values(shape: str) -> KnownValues:
    """What a file with rows of this shape may name. A few statements, whatever the file's size."""
    if shape != "post":
        return KnownValues(activities=queries.activity_titles())
    columns = {"rank_or_grade": Post.rank_or_grade, "designated_role": Post.designated_role}
    today = clock.today()
    named = read_named_values(today)
    by_directives = {"rank_or_grade": named.ranks, "designated_role": named.roles}
    texts = {
        name: by_directives[name].union(
            db.session.scalars(select(column).where(is_known_fact(Post)).distinct())
        )
        for name, column in columns.items()
    }
    return KnownValues(units=live_units(today), texts=texts)


def staff_numbers_by_email() -> dict[str, str]:
    """Everybody's staff number by their address, in lower case. One statement."""
    rows = db.session.execute(select(PersonName.email, PersonName.staff_number))
    return {email: number for email, number in rows if email}
