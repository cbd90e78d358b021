"""A person's own records, and the page of one record."""

from io import BytesIO

from flask import Blueprint, Response, current_app, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.domain.people.services import list_access_log
from portal.domain.people.visibility import may_see
from portal.domain.records import documents, queries
from portal.domain.records.documents import CertificateTexts, certificate_markup
from portal.domain.records.services import normalise_reference
from portal.pages.layout.access import requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date

# Documents of one's records: the certificate, and the record of learning by year.


def add_document_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of records."""
    bp.add_url_rule("/hours", view_func=show_hours)
    bp.add_url_rule("/hours.pdf", view_func=download_hours_pdf)
    bp.add_url_rule("/hours.csv", view_func=download_hours_csv)
    bp.add_url_rule("/<reference>/certificate.pdf", view_func=download_certificate)


@requires(Permission.RECORD_VIEW)
def show_hours() -> ResponseReturnValue:
    """Show the person what they completed in each year, and the time it states."""
    years = documents.list_learning_years(current_user.person_id, clock.today())
    return render_template("records/hours.html", years=years)


@requires(Permission.RECORD_VIEW)
def download_hours_pdf() -> ResponseReturnValue:
    """The same as a tagged PDF."""
    years = documents.list_learning_years(current_user.person_id, clock.today())
    markup = markup_of_page(render_template("records/hours_document.html", years=years))
    title = f"Learning record of {queries.holder_name(current_user.person_id)}"
    return _send_pdf(markup, title, "Continuing professional development", "learning-record.pdf")


@requires(Permission.RECORD_VIEW)
def download_hours_csv() -> ResponseReturnValue:
    """The same as CSV."""
    years = documents.list_learning_years(current_user.person_id, clock.today())
    content = "".join(documents.csv_pieces(years)).encode()
    return send_file(BytesIO(content), "text/csv", as_attachment=True, download_name="learning-record.csv")


@requires(Permission.RECORD_VIEW)
def download_certificate(reference: str) -> ResponseReturnValue:
    """The certificate of what stands today, for its owner and those who may see the owner."""
    chain = queries.record_chain(normalise_reference(reference) or "")
    person_id = chain[-1].person_id if chain else 0
    if not chain or (person_id != current_user.person_id and not may_see(current_user.viewer, person_id)):
        raise NotFoundError("There is no such record.")
    if not queries.merits_certificate(chain, clock.today()):
        raise NotFoundError("There is no certificate of this record.")
    log_disclosure(person_id, "record")
    config: Config = current_app.config["PORTAL"]
    texts = CertificateTexts(
        holder=queries.holder_name(person_id),
        force=config.force_name,
        address=f"{config.address}/records/{chain[-1].reference}",
        day=clock.today(),
    )
    markup = certificate_markup(chain[-1], chain[0], texts)
    return _send_pdf(
        markup, "Certificate", f"Record {chain[-1].reference}", f"certificate-{chain[-1].reference}.pdf"
    )


def _send_pdf(markup: str, title: str, above: str, name: str) -> Response:
    """Send the markup as a tagged PDF that says on which day it was true."""
    now = clock.now()
    foot = f"as recorded on {date(now)}"
    return send_pdf(markup, title=title, above=f"Learning portal · {above}", foot=foot, at=now, name=name)


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
    entries = documents.build_timeline(records, registrations, revocations, extra_attempts)
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
        achieved_label=documents.achieved_label(record),
        validity=documents.describe_validity(record, [row for row in decisions if row.known]),
        rows=documents.summary_rows(chain, decider, queries.evidence_of_import(chain)),
        corrections=documents.describe_corrections(decisions),
    )
