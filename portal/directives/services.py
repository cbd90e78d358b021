"""Issuing directives: a file becomes the next version, and assignments follow in the same transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from portal.audit import services as audit
from portal.catalogue.models import Activity
from portal.db import db, stamp, touch
from portal.directives import package
from portal.directives.exclusions import exclude
from portal.directives.models import Directive, DirectiveVersion, Requirement
from portal.directives.package import DirectiveFile, Selectors
from portal.errors import BadInputError, NotFoundError
from portal.people.known import known
from portal.people.queries import person_by_staff_number, unit_paths

__all__ = ["Issued", "exclude", "issue"]


@dataclass(frozen=True, slots=True)
class Issued:
    """What issuing a file did."""

    reference: str
    directive_id: int
    number: int
    effective_on: date
    new: bool  # False: the file says what the newest version says already


def issue(content: bytes, *, at: datetime, by: int | None = None) -> Issued:
    """Issue the directive in a TOML file, or its next version; the same file twice changes nothing.

    Units of the audience are resolved as of ``effective_on``. A position keeps its activity for the
    directive's life. Assignments follow before the transaction ends.

    Args:
        content: The file's bytes.
        at: The instant of the decision, kept in the audit trail; facts carry the transaction's stamp.
        by: The person whose account acted; None for a command.

    Raises:
        BadInputError: The file is wrong, names what does not exist, or would change a version that
            holds already. Nothing is changed.
    """
    file = package.read(content)
    stamped = stamp()
    resolved, activities = _resolve(file)
    directive_id = db.session.scalar(select(Directive.id).where(Directive.reference == file.reference))
    newest = _newest(directive_id) if directive_id is not None else None
    if newest is not None:
        if _same(newest, resolved, activities):
            return Issued(file.reference, newest.directive_id, newest.number, newest.effective_on, False)
        _refuse_earlier(file, newest)
    if directive_id is None:
        directive_id = _add_directive(file.reference, stamped)
    number = newest.number + 1 if newest else 1
    version = DirectiveVersion(recorded_at=stamped, directive_id=directive_id, number=number, **resolved)
    db.session.add(version)
    db.session.flush()
    _require(version, activities)
    touch(directives=[directive_id])
    audit.log(
        "directive.issued",
        actor_id=by,
        reference=file.reference,
        number=number,
        decided_at=at.isoformat(),
    )
    return Issued(file.reference, directive_id, number, file.effective_on, True)


def _add_directive(reference: str, stamped: datetime) -> int:
    directive = Directive(recorded_at=stamped, reference=reference)
    db.session.add(directive)
    db.session.flush()
    return directive.id


def _resolve(file: DirectiveFile) -> tuple[dict[str, Any], list[int]]:
    """The version's columns, and the activities asked for, in the order of the file."""
    faults: list[str] = []
    resolved = {
        "effective_on": file.effective_on,
        "withdrawn": file.withdrawn,
        "title": file.title,
        "source": file.source,
        "wording": file.wording,
        "owner_id": _owner(file.owner, faults),
        "target": file.target,
        "notice_days": file.notice_days,
        "due_fixed_on": file.due_fixed_on,
        "due_days_after_joining": file.due_days_after_joining,
        "validity_months": file.validity_months,
        "yearly_on": file.yearly_on,
        "minimum_gap_months": file.minimum_gap_months,
        "expiring_days": file.expiring_days,
        "audience": _audience(file, faults),
    }
    activities = _activities(file, faults)
    if faults:
        raise BadInputError(faults)
    return resolved, activities


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


def _newest(directive_id: int) -> DirectiveVersion | None:
    return db.session.scalar(
        select(DirectiveVersion)
        .where(DirectiveVersion.directive_id == directive_id, known(DirectiveVersion))
        .order_by(DirectiveVersion.number.desc())
        .limit(1)
    )


def _same(newest: DirectiveVersion, resolved: dict[str, Any], activities: list[int]) -> bool:
    held = db.session.scalars(
        select(Requirement.activity_id).where(Requirement.directive_version_id == newest.id)
    )
    return set(held) == set(activities) and all(getattr(newest, k) == v for k, v in resolved.items())


def _refuse_earlier(file: DirectiveFile, newest: DirectiveVersion) -> None:
    if file.effective_on <= newest.effective_on:
        raise BadInputError(
            [
                f"effective_on: version {newest.number} of {file.reference} takes effect on "
                f"{newest.effective_on} and differs from this file. "
                "A new version needs a later date."
            ]
        )


def _require(version: DirectiveVersion, activities: list[int]) -> None:
    """A position for each activity: the one it ever had in the directive, else the next."""
    rows = db.session.execute(
        select(Requirement.activity_id, Requirement.position)
        .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
        .where(DirectiveVersion.directive_id == version.directive_id)
    )
    positions = {activity_id: position for activity_id, position in rows}
    for activity_id in activities:
        position = positions.setdefault(activity_id, max(positions.values(), default=0) + 1)
        db.session.add(
            Requirement(directive_version_id=version.id, position=position, activity_id=activity_id)
        )
