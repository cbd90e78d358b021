"""Resolves a directive's next version against the recorded facts, before anything is recorded."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.domain.catalogue.archiving import archived_activities
from portal.domain.catalogue.models import Activity
from portal.domain.directives.audience import AudienceVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.pending import ALL_KNOWN, NEW_DIRECTIVE, NEW_VERSION
from portal.domain.directives.preview import AudienceEffect, effect_of_version, preview_basis
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
    activities: list[int]  # ids of the required activities, in order
    newest: DirectiveVersion | None
    is_unchanged: bool  # the newest version already says the same
    withdraws_version: bool = False  # it withdraws the newest version before that takes effect

    @property
    def effective_on(self) -> date:
        """The first day on which it is in force."""
        day: date = self.columns["effective_on"]
        return day

    def preview(self) -> tuple[AudienceEffect, str]:
        """Its effect on the audience, and the token with which ``matches_preview`` recognises that effect."""
        basis = preview_basis()  # before the effect, so that facts recorded in between make it outdated
        effect = self.compute_effect()
        return effect, f"{self.number}:{basis}:{effect.digest}"

    def compute_effect(self) -> AudienceEffect:
        """Compute the change to the directive's audience."""
        return effect_of_version(self.pending_version(), self.reference)

    def matches_preview(self, token: str) -> bool:
        """Whether its effect is still the one previewed with this token.

        The effect is computed again only if posts, units or versions were recorded since.
        """
        number, _, rest = token.partition(":")
        known_then, _, digest = rest.partition(":")
        if number != str(self.number):
            return False
        return known_then == preview_basis() or digest == self.compute_effect().digest

    def pending_version(self) -> AudienceVersion:
        """The version as a pending fact: its id is a placeholder, and so is the id of a new directive."""
        columns = self.columns
        return AudienceVersion(
            id=NEW_VERSION,
            recorded_at=ALL_KNOWN,
            void=self.withdraws_version,
            replaces_id=self.newest.id if self.withdraws_version and self.newest else None,
            directive_id=self.directive_id or NEW_DIRECTIVE,
            number=self.number,
            effective=self.effective_on.toordinal(),
            withdrawn=columns["withdrawn"],
            due_fixed_on=columns["due_fixed_on"],
            due_days_after_joining=columns["due_days_after_joining"],
            validity_months=columns["validity_months"],
            yearly_on=columns["yearly_on"],
            minimum_gap_months=columns["minimum_gap_months"],
            expiring_days=columns["expiring_days"],
            audience=columns["audience"]["audience"],
            exceptions=columns["audience"]["except"],
            positions=self.requirement_positions(),
        )

    def requirement_positions(self) -> tuple[tuple[int, int], ...]:
        """Position and id of each activity: the one it had in the directive, else the next free one."""
        if self.withdraws_version:
            return ()  # it requires nothing; activities of the withdrawn version keep their positions
        rows = db.session.execute(
            select(Requirement.activity_id, Requirement.position)
            .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
            .where(DirectiveVersion.directive_id == self.directive_id)
        )
        position_of = {activity_id: position for activity_id, position in rows}
        for activity_id in self.activities:
            position_of.setdefault(activity_id, max(position_of.values(), default=0) + 1)
        return tuple(sorted((position_of[activity_id], activity_id) for activity_id in self.activities))


def find_directive_id(reference: str) -> int | None:
    """The id of the directive with this reference; None if there is none."""
    directive_id: int | None = db.session.scalar(select(Directive.id).where(Directive.reference == reference))
    return directive_id


def propose_version(file: DirectiveFile) -> Proposal:
    """The file as the next version of its directive.

    Raises:
        BadInputError: It names what does not exist, or does not take effect later than the newest version.
    """
    columns, activities = _resolve_columns(file)
    directive_id = find_directive_id(file.reference)
    if directive_id is None:
        _refuse_other_spelling(file.reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    _refuse_archived(file, activities, newest)
    return _build_proposal(file.reference, directive_id, newest, columns, activities)


def _refuse_archived(file: DirectiveFile, activities: list[int], newest: DirectiveVersion | None) -> None:
    """Refuse an archived module that the directive does not require yet."""
    archived = archived_activities(activities)
    if not archived:
        return
    required = _required_activities(newest) if newest is not None else set()
    if faults := [
        f"requirement {number}: the module {key!r} is archived. Require the one that replaces it."
        for number, ((_, key), activity_id) in enumerate(zip(file.requirements, activities, strict=True), 1)
        if activity_id in archived - required
    ]:
        raise BadInputError(faults)


def _required_activities(version: DirectiveVersion) -> set[int]:
    required = select(Requirement.activity_id).where(Requirement.directive_version_id == version.id)
    return set(db.session.scalars(required))


def _refuse_other_spelling(reference: str) -> None:
    """Refuse a new reference that equals an existing one but for capital letters."""
    alike = select(Directive.reference).where(func.lower(Directive.reference) == reference.lower())
    existing = db.session.scalar(alike.limit(1))
    if existing is not None:
        raise BadInputError(
            [
                f"reference: there is already a directive {existing}. Write it with the same capitals, "
                "or choose another reference."
            ]
        )


def propose_withdrawal(reference: str, on: date) -> Proposal:
    """The directive's next version, which withdraws it from ``on``.

    Raises:
        NotFoundError: There is no such directive.
        BadInputError: It is withdrawn already, or a version takes effect on that day or later.
    """
    directive_id = find_directive_id(reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    if newest is None:
        raise NotFoundError(f"There is no directive {reference}.")
    if newest.withdrawn:
        raise BadInputError([f"effective_on: {reference} is already withdrawn."])
    columns = {name: getattr(newest, name) for name in COLUMNS}
    required = select(Requirement.activity_id).where(Requirement.directive_version_id == newest.id)
    activities = list(db.session.scalars(required.order_by(Requirement.position)))
    columns |= {"withdrawn": True, "effective_on": on}
    return _build_proposal(reference, directive_id, newest, columns, activities)


def propose_version_withdrawal(reference: str, number: int, today: date) -> Proposal:
    """The withdrawal of the directive's newest version before it takes effect.

    The withdrawal has a version number of its own. The version before, if any, stays in force.

    Raises:
        NotFoundError: There is no such directive, or it has no such version.
        RuleError: The version has taken effect, or a later version exists.
    """
    directive_id = find_directive_id(reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    if directive_id is None or newest is None or not 0 < number <= newest.number:
        raise NotFoundError(f"{reference} has no version {number}.")
    if number != newest.number:
        raise RuleError(
            f"Version {number} of {reference} is not the newest. "
            f"You can withdraw only version {newest.number} before it takes effect."
        )
    if newest.effective_on <= today:
        raise RuleError(
            f"Version {number} of {reference} took effect on {newest.effective_on:%-d %B %Y}, so you can no "
            "longer withdraw it. Withdraw the directive, or issue a new version."
        )
    columns = {name: getattr(newest, name) for name in COLUMNS}
    following = _last_number(directive_id) + 1
    return Proposal(
        reference, directive_id, following, columns, [], newest, is_unchanged=False, withdraws_version=True
    )


def _last_number(directive_id: int | None) -> int:
    """The highest version number of the directive, withdrawn versions included."""
    highest = select(func.max(DirectiveVersion.number)).where(DirectiveVersion.directive_id == directive_id)
    return db.session.scalar(highest) or 0


def newest_version_of(directive_id: int) -> DirectiveVersion | None:
    """The directive's known version of the highest number."""
    return db.session.scalar(
        select(DirectiveVersion)
        .where(DirectiveVersion.directive_id == directive_id, is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number.desc())
        .limit(1)
    )


def _build_proposal(
    reference: str,
    directive_id: int | None,
    newest: DirectiveVersion | None,
    columns: dict[str, Any],
    activities: list[int],
) -> Proposal:
    is_unchanged = newest is not None and _is_unchanged(newest, columns, activities)
    if newest is not None and not is_unchanged and columns["effective_on"] <= newest.effective_on:
        raise BadInputError(
            [
                f"effective_on: version {newest.number} of {reference} takes effect on "
                f"{newest.effective_on} and is different. "
                "Choose a later date for a new version."
            ]
        )
    number = newest.number if newest is not None and is_unchanged else _last_number(directive_id) + 1
    return Proposal(reference, directive_id, number, columns, activities, newest, is_unchanged)


def _resolve_columns(file: DirectiveFile) -> tuple[dict[str, Any], list[int]]:
    """The version's columns, and the required activities in the order of the file."""
    faults: list[str] = []
    owner_id, audience = _resolve_owner(file.owner, faults), _resolve_audience(file, faults)
    activities = _resolve_activities(file, faults)
    if faults:
        raise BadInputError(faults)
    columns = {name: getattr(file, name) for name in COLUMNS if name not in ("owner_id", "audience")}
    return {**columns, "owner_id": owner_id, "audience": audience}, activities


def _resolve_audience(file: DirectiveFile, faults: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The audience's tables, with the ids of ``effective_on`` for unit paths."""
    units = {path: unit for unit, path in unit_paths(file.effective_on).items()}

    def by_id(name: str, number: int, table: Selectors) -> dict[str, Any]:
        resolved: dict[str, Any] = dict(table)
        paths = table.get("unit_under", [])
        faults.extend(
            f"{name} {number}: unit_under: no unit has the path {path!r} on {file.effective_on}."
            for path in paths
            if path not in units
        )
        if paths:
            resolved["unit_under"] = sorted(units[path] for path in paths if path in units)
        return resolved

    return {
        "audience": [by_id("audience", n, t) for n, t in enumerate(file.audience, 1)],
        "except": [by_id("except", n, t) for n, t in enumerate(file.exceptions, 1)],
    }


def _resolve_owner(staff_number: str, faults: list[str]) -> int | None:
    try:
        return person_by_staff_number(staff_number)
    except NotFoundError as error:
        faults.append(f"owner: {error}")
        return None


def _resolve_activities(file: DirectiveFile, faults: list[str]) -> list[int]:
    rows = db.session.execute(select(Activity.kind, Activity.key, Activity.id))
    activity_ids = {(kind, key): activity_id for kind, key, activity_id in rows}
    for number, (kind, key) in enumerate(file.requirements, 1):
        if (kind, key) not in activity_ids:
            faults.append(f"requirement {number}: there is no {kind} {key!r}. Publish it first.")
    return [activity_ids[requirement] for requirement in file.requirements if requirement in activity_ids]


def _is_unchanged(newest: DirectiveVersion, columns: dict[str, Any], activities: list[int]) -> bool:
    if _required_activities(newest) != set(activities):
        return False
    current = {name: getattr(newest, name) for name in columns}
    return _sort_audience_lists(current) == _sort_audience_lists(columns)


def _sort_audience_lists(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with each list of the audience sorted: the order of choices means nothing."""
    audience = {
        name: [{key: sorted(values) for key, values in table.items()} for table in tables]
        for name, tables in columns["audience"].items()
    }
    return {**columns, "audience": audience}
