"""Issuing directives: a file or a form becomes the next version; assignments follow in its transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.directives import toml_reader
from portal.domain.directives.exclusions import exclude
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.proposals import Proposal, propose, propose_taking_back, propose_withdrawal
from portal.domain.directives.toml_reader import DirectiveFile
from portal.platform.audit import services as audit
from portal.platform.db import db, stamp, touch
from portal.platform.errors import ConflictError

__all__ = ["Issued", "exclude", "issue", "issue_file", "take_back", "withdraw"]

MOVED_ON = (
    "Posts, units or this directive changed after you looked, so it would not do what you saw. "
    "Nothing was issued. Read the preview below, which is new."
)


@dataclass(frozen=True, slots=True)
class Issued:
    """What issuing a file did."""

    reference: str
    directive_id: int
    version_id: int
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
    return issue_file(toml_reader.read(content), at=at, by=by)


def issue_file(
    file: DirectiveFile,
    *,
    at: datetime,
    by: int | None = None,
    previewed: str | None = None,
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
    reference: str,
    on: date,
    *,
    at: datetime,
    by: int | None = None,
    previewed: str | None = None,
) -> Issued:
    """Withdraw a directive from a day; what it asked before that day stays as it was.

    Raises:
        NotFoundError: There is no such directive.
        BadInputError: It is withdrawn already, or a version takes effect on that day or later.
        ConflictError: It would not do what was previewed any more.
    """
    stamped = stamp()
    proposal = propose_withdrawal(reference, on)
    return _record(proposal, stamped, at=at, by=by, previewed=previewed)


def take_back(
    reference: str,
    number: int,
    *,
    at: datetime,
    today: date,
    by: int | None = None,
    previewed: str | None = None,
) -> Issued:
    """Withdraw a version that is still to come: a new fact says that it never takes effect.

    Nothing is changed that was recorded: as known before, every report answers as it did.

    Raises:
        NotFoundError: There is no such directive, or it has no such version.
        RuleError: The version holds already, or another one follows it.
        ConflictError: It would not do what was previewed any more.
    """
    stamped = stamp()
    proposal = propose_taking_back(reference, number, today)
    return _record(proposal, stamped, at=at, by=by, previewed=previewed)


def _record(
    proposal: Proposal,
    stamped: datetime,
    *,
    at: datetime,
    by: int | None,
    previewed: str | None,
) -> Issued:
    if proposal.same and proposal.newest is not None:
        return Issued(
            proposal.reference,
            proposal.newest.directive_id,
            proposal.newest.id,
            proposal.number,
            proposal.newest.effective_on,
            False,
        )
    if previewed is not None and not proposal.still_holds(previewed):
        raise ConflictError(MOVED_ON)
    version = _add_version(proposal, stamped)
    touch(directives=[version.directive_id])
    withdrawn = "directive.withdrawn" if version.withdrawn else "directive.issued"
    audit.log(
        "directive.version_withdrawn" if version.void else withdrawn,
        actor_id=by,
        reference=proposal.reference,
        number=proposal.number,
        decided_at=at.isoformat(),
    )
    ids = (version.directive_id, version.id)
    return Issued(proposal.reference, *ids, proposal.number, proposal.effective_on, new=True)


def _add_version(proposal: Proposal, stamped: datetime) -> DirectiveVersion:
    positions = proposal.positions()
    directive_id = proposal.directive_id or _add_directive(proposal.reference, stamped)
    taken_back = proposal.newest.id if proposal.takes_back and proposal.newest else None
    version = DirectiveVersion(
        recorded_at=stamped,
        void=proposal.takes_back,
        replaces_id=taken_back,
        directive_id=directive_id,
        number=proposal.number,
        **proposal.columns,
    )
    db.session.add(version)
    db.session.flush()
    for position, activity_id in positions:
        db.session.add(
            Requirement(directive_version_id=version.id, position=position, activity_id=activity_id)
        )
    db.session.flush()
    return version


def _add_directive(reference: str, stamped: datetime) -> int:
    directive = Directive(recorded_at=stamped, reference=reference)
    db.session.add(directive)
    db.session.flush()
    return directive.id
