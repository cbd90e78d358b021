"""A person's own records, and the page of one record."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.access_log import list_access_log
from portal.domain.people.queries import may_see
from portal.domain.records import descriptions, queries
from portal.domain.records.references import normalise_reference
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.records.document_views import add_document_pages
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

bp = Blueprint("records", __name__, url_prefix="/records", template_folder="templates")
add_document_pages(bp)


@bp.get("")
@requires(Permission.RECORD_VIEW)
def show_own_records() -> ResponseReturnValue:
    """The person's own records, and a timeline of what they started and passed."""
    records = queries.list_records(current_user.person_id)
    registrations = queries.list_registrations(current_user.person_id)
    revocations = queries.list_revocations([row.id for row in records])
    extra_attempts = queries.list_extra_attempts(current_user.person_id)
    entries = descriptions.build_timeline(records, registrations, revocations, extra_attempts)
    revoked_from = {row.record_id: row.from_on for row in revocations}
    accesses = list_access_log(current_user.person_id)
    return render_template(
        "records/records.html", records=records, revoked_from=revoked_from, entries=entries, accesses=accesses
    )


@bp.get("/<reference>")
@requires(Permission.RECORD_VIEW)
def show_record(reference: str) -> ResponseReturnValue:
    """One record, for its owner and those who may see the owner."""
    chain = queries.record_chain(normalise_reference(reference) or "")
    if not chain:
        raise NotFoundError("There is no such record.")
    record = chain[-1]
    own = record.person_id == current_user.person_id
    if not own and not may_see(current_user.viewer, record.person_id):
        raise NotFoundError("There is no such record.")
    log_disclosure(record.person_id, "record")
    decisions = queries.list_revocation_decisions([row.id for row in chain])
    decider = queries.record_decider(chain)
    return render_template(
        "records/record.html",
        own=own,
        has_certificate=queries.merits_certificate(chain, clock.today()),
        record=record,
        chain=chain,
        holder=queries.holder_name(record.person_id),
        achieved_label=descriptions.achieved_label(record),
        validity=descriptions.describe_validity(record, [row for row in decisions if row.known]),
        rows=descriptions.summary_rows(chain, decider, queries.evidence_of_import(chain)),
        corrections=descriptions.describe_corrections(decisions),
    )
