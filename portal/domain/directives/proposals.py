"""What a version would say, resolved against what is held, before anything is recorded."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.audience import AudienceVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.pending import ALL_KNOWN, NEW_DIRECTIVE, NEW_VERSION
from portal.domain.directives.preview import AudienceEffect, basis, effect_of_version
from portal.domain.directives.toml_reader import DirectiveFile, Selectors
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import person_by_staff_number, unit_paths
from portal.platform.db import db
from portal.platform.errors import BadInputError, NotFoundError, RuleError

COLUMNS = (
    "effective_on",
    "withdrawn",
    "title",
    "source",
    "wording",
    "owner_id",
    "target",
    "notice_days",
    "due_fixed_on",
    "due_days_after_joining",
    "validity_months",
    "yearly_on",
    "minimum_gap_months",
    "expiring_days",
    "audience",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next version of a directive, not recorded yet."""

    reference: str
    directive_id: int | None  # None: a new directive
    number: int
    columns: dict[str, Any]  # of the version's row
    activities: list[int]  # asked for, in order
    newest: DirectiveVersion | None
    same: bool  # it says what the newest version says already
    takes_back: bool = False  # it says that the newest version never takes effect

    @property
    def effective_on(self) -> date:
        """The first day on which it holds."""
        day: date = self.columns["effective_on"]
        return day

    def preview(self) -> tuple[AudienceEffect, str]:
        """Whom it would reach otherwise, and what holds a later ``still_holds`` to exactly this."""
        before = basis()  # first: what is recorded meanwhile makes it work out the effect again
        effect = self.effect()
        return effect, f"{self.number}:{before}:{effect.digest}"

    def effect(self) -> AudienceEffect:
        """Whom it would reach otherwise."""
        return effect_of_version(self.version(), self.reference)

    def still_holds(self, token: str) -> bool:
        """Whether it would still do what the preview of this token said.

        It is worked out again only where posts, units or versions were recorded since.
        """
        number, _, rest = token.partition(":")
        known_then, _, digest = rest.partition(":")
        if number != str(self.number):
            return False
        return known_then == basis() or digest == self.effect().digest

    def version(self) -> AudienceVersion:
        """The version as a pending fact: its id is a placeholder, as is that of a new directive."""
        of = self.columns
        return AudienceVersion(
            id=NEW_VERSION,
            recorded_at=ALL_KNOWN,
            void=self.takes_back,
            replaces_id=self.newest.id if self.takes_back and self.newest else None,
            directive_id=self.directive_id or NEW_DIRECTIVE,
            number=self.number,
            effective=self.effective_on.toordinal(),
            withdrawn=of["withdrawn"],
            due_fixed_on=of["due_fixed_on"],
            due_days_after_joining=of["due_days_after_joining"],
            validity_months=of["validity_months"],
            yearly_on=of["yearly_on"],
            minimum_gap_months=of["minimum_gap_months"],
            expiring_days=of["expiring_days"],
            audience=of["audience"]["audience"],
            exceptions=of["audience"]["except"],
            positions=self.positions(),
        )

    def positions(self) -> tuple[tuple[int, int], ...]:
        """The activity of each position: the one it ever had in the directive, else the next."""
        if self.takes_back:
            return ()  # it asks for nothing, and what the version asked for keeps its position
        rows = db.session.execute(
            select(Requirement.activity_id, Requirement.position)
            .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
            .where(DirectiveVersion.directive_id == self.directive_id)
        )
        held = {activity_id: position for activity_id, position in rows}
        for activity_id in self.activities:
            held.setdefault(activity_id, max(held.values(), default=0) + 1)
        return tuple(sorted((held[activity_id], activity_id) for activity_id in self.activities))


def propose(file: DirectiveFile) -> Proposal:
    """The file as the next version of its directive.

    Raises:
        BadInputError: It names what does not exist, or would change a version that holds already.
    """
    columns, activities = _resolve(file)
    directive_id = db.session.scalar(select(Directive.id).where(Directive.reference == file.reference))
    if directive_id is None:
        _refuse_other_spelling(file.reference)
    newest = newest_of(directive_id) if directive_id is not None else None
    return _next(file.reference, directive_id, newest, columns, activities)


def _refuse_other_spelling(reference: str) -> None:
    """Refuse a new reference that differs from another in capital letters alone."""
    alike = select(Directive.reference).where(func.lower(Directive.reference) == reference.lower())
    held = db.session.scalar(alike.limit(1))
    if held is not None:
        raise BadInputError(
            [
                f"reference: there is a directive {held} already, and capital letters do not make another. "
                "Write it so, or choose another reference."
            ]
        )


def propose_withdrawal(reference: str, on: date) -> Proposal:
    """The directive's next version, which asks nobody from ``on``.

    Raises:
        NotFoundError: There is no such directive.
        BadInputError: It is withdrawn already, or a version takes effect on that day or later.
    """
    directive_id = db.session.scalar(select(Directive.id).where(Directive.reference == reference))
    newest = newest_of(directive_id) if directive_id is not None else None
    if newest is None:
        raise NotFoundError(f"There is no directive {reference}.")
    if newest.withdrawn:
        raise BadInputError([f"effective_on: {reference} is withdrawn already."])
    columns = {name: getattr(newest, name) for name in COLUMNS}
    asked = select(Requirement.activity_id).where(Requirement.directive_version_id == newest.id)
    activities = list(db.session.scalars(asked.order_by(Requirement.position)))
    columns |= {"withdrawn": True, "effective_on": on}
    return _next(reference, directive_id, newest, columns, activities)


def propose_taking_back(reference: str, number: int, today: date) -> Proposal:
    """That the directive's newest version, which is still to come, never takes effect.

    What is recorded takes a number of its own. The version before it, if any, goes on.

    Raises:
        NotFoundError: There is no such directive, or it has no such version.
        RuleError: The version holds already, or another one follows it.
    """
    directive_id = db.session.scalar(select(Directive.id).where(Directive.reference == reference))
    newest = newest_of(directive_id) if directive_id is not None else None
    if directive_id is None or newest is None or not 0 < number <= newest.number:
        raise NotFoundError(f"{reference} has no version {number}.")
    if number != newest.number:
        raise RuleError(
            f"Version {newest.number} of {reference} follows version {number}: only the newest version can "
            "be withdrawn before it takes effect."
        )
    if newest.effective_on <= today:
        raise RuleError(
            f"Version {number} of {reference} took effect on {newest.effective_on:%-d %B %Y}, so it stays on "
            "record. Withdraw the directive, or issue another version, from a day on."
        )
    columns = {name: getattr(newest, name) for name in COLUMNS}
    following = _last_number(directive_id) + 1
    return Proposal(reference, directive_id, following, columns, [], newest, same=False, takes_back=True)


def _last_number(directive_id: int | None) -> int:
    """The highest number that a version of the directive ever had."""
    held = select(func.max(DirectiveVersion.number)).where(DirectiveVersion.directive_id == directive_id)
    return db.session.scalar(held) or 0


def newest_of(directive_id: int) -> DirectiveVersion | None:
    """The directive's known version of the highest number."""
    return db.session.scalar(
        select(DirectiveVersion)
        .where(DirectiveVersion.directive_id == directive_id, is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number.desc())
        .limit(1)
    )


def _next(
    reference: str,
    directive_id: int | None,
    newest: DirectiveVersion | None,
    columns: dict[str, Any],
    activities: list[int],
) -> Proposal:
    same = newest is not None and _same(newest, columns, activities)
    if newest is not None and not same and columns["effective_on"] <= newest.effective_on:
        raise BadInputError(
            [
                f"effective_on: version {newest.number} of {reference} takes effect on "
                f"{newest.effective_on} and differs from this one. "
                "A new version needs a later date."
            ]
        )
    number = newest.number if newest is not None and same else _last_number(directive_id) + 1
    return Proposal(reference, directive_id, number, columns, activities, newest, same)


def _resolve(file: DirectiveFile) -> tuple[dict[str, Any], list[int]]:
    """The version's columns, and the activities asked for, in the order of the file."""
    faults: list[str] = []
    owner_id, audience = _owner(file.owner, faults), _audience(file, faults)
    activities = _activities(file, faults)
    if faults:
        raise BadInputError(faults)
    columns = {name: getattr(file, name) for name in COLUMNS if name not in ("owner_id", "audience")}
    return {**columns, "owner_id": owner_id, "audience": audience}, activities


def _audience(file: DirectiveFile, faults: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The tables with unit ids for paths, as the tree stands on ``effective_on``."""
    units = {path: unit for unit, path in unit_paths(file.effective_on).items()}

    def by_id(name: str, number: int, table: Selectors) -> dict[str, Any]:
        made: dict[str, Any] = dict(table)
        paths = table.get("unit_under", [])
        faults.extend(
            f"{name} {number}: unit_under: no unit has the path {path!r} on {file.effective_on}."
            for path in paths
            if path not in units
        )
        if paths:
            made["unit_under"] = sorted(units[path] for path in paths if path in units)
        return made

    return {
        "audience": [by_id("audience", n, t) for n, t in enumerate(file.audience, 1)],
        "except": [by_id("except", n, t) for n, t in enumerate(file.exceptions, 1)],
    }


def _owner(staff_number: str, faults: list[str]) -> int | None:
    try:
        return person_by_staff_number(staff_number)
    except NotFoundError as error:
        faults.append(f"owner: {error}")
        return None


def _activities(file: DirectiveFile, faults: list[str]) -> list[int]:
    rows = db.session.execute(select(Activity.kind, Activity.key, Activity.id))
    held = {(kind, key): activity_id for kind, key, activity_id in rows}
    for number, (kind, key) in enumerate(file.requirements, 1):
        if (kind, key) not in held:
            faults.append(f"requirement {number}: there is no {kind} {key!r}. Publish it first.")
    return [held[asked] for asked in file.requirements if asked in held]


def _same(newest: DirectiveVersion, columns: dict[str, Any], activities: list[int]) -> bool:
    held = db.session.scalars(
        select(Requirement.activity_id).where(Requirement.directive_version_id == newest.id)
    )
    if set(held) != set(activities):
        return False
    said = {name: getattr(newest, name) for name in columns}
    return _in_order(said) == _in_order(columns)


def _in_order(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with each list of the audience sorted: any of them will do, in whatever order."""
    audience = {
        name: [{key: sorted(values) for key, values in table.items()} for table in tables]
        for name, tables in columns["audience"].items()
    }
    return {**columns, "audience": audience}
