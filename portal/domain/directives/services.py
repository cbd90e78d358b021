"""Issues and withdraws directive versions; assignments follow in the same transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.directives import toml_reader
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.proposals import Proposal, propose_version
from portal.platform.audit import services as audit
from portal.platform.db import db, stamp, touch
from portal.platform.errors import ConflictError

CHANGED_SINCE_PREVIEW = (
    "Posts, units or this directive have changed since your preview. Nothing was issued. "
    "Check the new preview below."
)


@dataclass(frozen=True, slots=True)
class IssueResult:
    """What issuing or withdrawing a version did."""

    reference: str
    directive_id: int
    version_id: int
    number: int
    effective_on: date
    new: bool  # False: the newest version already says the same, so nothing was recorded


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed that a version is issued or withdrawn, when, and what they had seen."""

    at: datetime  # kept in the audit trail; facts carry the transaction's stamp
    by: int | None = None  # the person whose account acted; None: a command
    previewed: str | None = None  # the token of the preview that was confirmed; None: there was none


def issue_toml(content: bytes, *, at: datetime, by: int | None = None) -> IssueResult:
    """Issue the directive in a TOML file, or its next version; the same file twice changes nothing.

    Unit paths of the audience are those of ``effective_on``. A position keeps its activity for the
    directive's life.

    Args:
        content: The file's bytes.
        at: The instant of the decision.
        by: The person whose account acted; None for a command.

    Raises:
        BadInputError: The file is wrong, names what does not exist, or does not take effect later than
            the newest version. Nothing is changed.
    """
    file = toml_reader.read_directive(content)
    return record_proposal(lambda: propose_version(file), Confirmation(at, by))


def record_proposal(propose: Callable[[], Proposal], confirmation: Confirmation) -> IssueResult:
    """Issue or withdraw a version, or withdraw a directive; reports as known before do not change.

    Args:
        propose: Gives the version, as of the facts that are recorded once the stamp is taken.
        confirmation: Who confirmed it, and when.

    Raises:
        PortalError: As ``propose`` refuses.
        ConflictError: Its effect is no longer the one that was previewed.
    """
    stamped, proposal = stamp(), propose()
    if proposal.is_unchanged and proposal.newest is not None:
        return IssueResult(
            proposal.reference,
            proposal.newest.directive_id,
            proposal.newest.id,
            proposal.number,
            proposal.newest.effective_on,
            False,
        )
    if confirmation.previewed is not None and not proposal.matches_preview(confirmation.previewed):
        raise ConflictError(CHANGED_SINCE_PREVIEW)
    version = _add_version(proposal, stamped)
    touch(directives=[version.directive_id])
    withdrawn = "directive.withdrawn" if version.withdrawn else "directive.issued"
    audit.log(
        "directive.version_withdrawn" if version.void else withdrawn,
        actor_id=confirmation.by,
        reference=proposal.reference,
        number=proposal.number,
        decided_at=confirmation.at.isoformat(),
    )
    ids = (version.directive_id, version.id)
    return IssueResult(proposal.reference, *ids, proposal.number, proposal.effective_on, new=True)


def _add_version(proposal: Proposal, stamped: datetime) -> DirectiveVersion:
    positions = proposal.requirement_positions()
    directive_id = proposal.directive_id or add_directive(proposal.reference, stamped)
    withdrawn_id = proposal.newest.id if proposal.withdraws_version and proposal.newest else None
    version = DirectiveVersion(
        recorded_at=stamped,
        void=proposal.withdraws_version,
        replaces_id=withdrawn_id,
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


def add_directive(reference: str, stamped: datetime) -> int:
    """Add a directive's identity; without a version it applies to nobody and is shown nowhere."""
    directive = Directive(recorded_at=stamped, reference=reference)
    db.session.add(directive)
    db.session.flush()
    return directive.id
