"""Issuing directives: a file or a form becomes the next version; assignments follow in its transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.audit import services as audit
from portal.db import db, stamp, touch
from portal.directives import package
from portal.directives.exclusions import exclude
from portal.directives.models import Directive, DirectiveVersion, Requirement
from portal.directives.package import DirectiveFile
from portal.directives.proposals import Proposal, propose, propose_withdrawal
from portal.errors import ConflictError

__all__ = ["Issued", "exclude", "issue", "issue_file", "withdraw"]

MOVED_ON = (
    "Posts, units or this directive changed after you looked, so it would not do what you saw. "
    "Nothing was issued. Read the preview below, which is new."
)


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
    return issue_file(package.read(content), at=at, by=by)


def issue_file(
    file: DirectiveFile, *, at: datetime, by: int | None = None, previewed: str | None = None
) -> Issued:
    """Issue what a file says that was read already, or a form; see ``issue``.

    Args:
        file: What to issue.
        at: As in ``issue``.
        by: As in ``issue``.
        previewed: The token of the preview that was confirmed; None: there was none.

    Raises:
        BadInputError: As in ``issue``.
        ConflictError: It would not do what was previewed any more.
    """
    stamped = stamp()
    return _record(propose(file), stamped, at=at, by=by, previewed=previewed)


def withdraw(
    reference: str, on: date, *, at: datetime, by: int | None = None, previewed: str | None = None
) -> Issued:
    """Withdraw a directive from a day; what it asked before that day stays as it was.

    Raises:
        NotFoundError: There is no such directive.
        BadInputError: It is withdrawn already, or a version takes effect on that day or later.
        ConflictError: It would not do what was previewed any more.
    """
    stamped = stamp()
    return _record(propose_withdrawal(reference, on), stamped, at=at, by=by, previewed=previewed)


def _record(
    proposal: Proposal, stamped: datetime, *, at: datetime, by: int | None, previewed: str | None
) -> Issued:
    if proposal.same and proposal.newest is not None:
        return Issued(
            proposal.reference,
            proposal.newest.directive_id,
            proposal.number,
            proposal.newest.effective_on,
            False,
        )
    if previewed is not None and not proposal.still_holds(previewed):
        raise ConflictError(MOVED_ON)
    directive_id = proposal.directive_id or _add_directive(proposal.reference, stamped)
    version = DirectiveVersion(
        recorded_at=stamped, directive_id=directive_id, number=proposal.number, **proposal.columns
    )
    db.session.add(version)
    db.session.flush()
    _require(version, proposal.activities)
    touch(directives=[directive_id])
    audit.log(
        "directive.withdrawn" if version.withdrawn else "directive.issued",
        actor_id=by,
        reference=proposal.reference,
        number=proposal.number,
        decided_at=at.isoformat(),
    )
    return Issued(proposal.reference, directive_id, proposal.number, proposal.effective_on, True)


def _add_directive(reference: str, stamped: datetime) -> int:
    directive = Directive(recorded_at=stamped, reference=reference)
    db.session.add(directive)
    db.session.flush()
    return directive.id


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
