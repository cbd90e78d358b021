"""Pages of evidence: one piece at a position, and the forms that add, change and withdraw it."""

from io import BytesIO
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance.desk import EvidenceSnapshot, read_recommendation
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence.document import MOST_BYTES, keep_document, read_document
from portal.domain.assurance.evidence.kinds import IMMUTABLE, KINDS
from portal.domain.assurance.evidence.writing import (
    add_evidence,
    change_evidence,
    list_evidence_versions,
    withdraw_evidence,
)
from portal.domain.assurance.wording import name_people
from portal.domain.reports.parameters import Position, read_position_today
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, read_at, template_values_of
from portal.pages.assurance.entry_forms import staff_number_of
from portal.pages.assurance.evidence_forms import (
    FORMS,
    EvidenceForm,
    WithdrawEvidenceForm,
    describe_definition,
)
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.forms import save_form
from portal.pages.layout.media_response import POLICY
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission

ENVELOPE = 64 * 1024  # bytes of a form around its file
WITH_FILE = {"assurance.add_document", "assurance.change_piece"}


@bp.url_value_preprocessor
def _allow_documents(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a document be larger than other requests; runs before the form is read."""
    if endpoint in WITH_FILE:
        request.max_content_length = MOST_BYTES + ENVELOPE


@bp.get("/assurance/<key>/evidence/<reference>")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_piece(position: Position, key: str, reference: str) -> ResponseReturnValue:
    """Show a piece of evidence: what it shows, how that is counted, and what was recorded about it."""
    recommendation = read_at(lambda at: read_recommendation(key, at), position, "This recommendation")

    def find_piece(at: Position) -> EvidenceSnapshot:
        then = recommendation if at is position else read_recommendation(key, at)
        return _find_piece(then.evidence, reference)

    piece = read_at(find_piece, position, reference)
    versions = list_evidence_versions(reference, position)
    people = {each.owner_id for each in versions} | {each.recorded_by_id for each in versions}
    return render_template(
        "assurance/evidence.html",
        recommendation=recommendation,
        piece=piece,
        state=check_evidence([piece], position)[reference],
        kind=KINDS[piece.version.kind],
        versions=versions,
        names=name_people({*people, recommendation.owner_id}),
        **template_values_of(position),
    )


@bp.get("/assurance/<key>/evidence/new")
@requires(Permission.ASSURANCE_MANAGE)
def choose_kind(key: str) -> ResponseReturnValue:
    """Choose what kind of evidence to add."""
    recommendation = read_recommendation(key, read_position_today(clock.now()))
    kinds = [(kind, _form_address(key, kind.key)) for kind in KINDS.values()]
    return render_template("assurance/evidence_kinds.html", recommendation=recommendation, kinds=kinds)


def _form_address(key: str, kind: str) -> str:
    if kind == "document":
        return url_for(".add_document", key=key)
    if kind == "statement":
        return url_for(".sign_statement", key=key)
    return url_for(".add_piece", key=key, kind=kind)


@bp.route(
    "/assurance/<key>/evidence/new/<any('figure','acknowledgements','attendance','samples','link'):kind>",
    methods=["GET", "POST"],
)
@requires(Permission.ASSURANCE_MANAGE)
def add_piece(key: str, kind: str) -> ResponseReturnValue:
    """Add a figure or a link."""
    return _add_evidence(key, kind)


@bp.route("/assurance/<key>/evidence/new/document", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def add_document(key: str) -> ResponseReturnValue:
    """Add a PDF."""
    return _add_evidence(key, "document")


@bp.route("/assurance/<key>/evidence/new/statement", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE, recent=True)
def sign_statement(key: str) -> ResponseReturnValue:
    """Sign a statement, after a sign-in of the last ten minutes."""
    return _add_evidence(key, "statement")


def _add_evidence(key: str, kind: str) -> ResponseReturnValue:
    now = clock.now()
    today = read_position_today(now)
    recommendation = read_recommendation(key, today)
    form = _prepare_form(kind, today)
    del form.reason
    if form.validate_on_submit():
        with save_form(form, PortalError):
            entry = form.read_entry(_read_definition(kind, form, today, None), today)
            reference = add_evidence(key, kind, entry, by=current_user.person_id, at=now)
        if not form.errors:
            flash(f"{reference} is added.", "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    html = render_template(
        "assurance/evidence_form.html", form=form, recommendation=recommendation, kind=KINDS[kind], piece=None
    )
    return html, 400 if form.errors else 200


@bp.route("/assurance/<key>/evidence/<reference>/change", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def change_piece(key: str, reference: str) -> ResponseReturnValue:
    """Change a piece of evidence from a day on, with a reason."""
    now = clock.now()
    today = read_position_today(now)
    recommendation = read_recommendation(key, today)
    piece = _find_piece(recommendation.evidence, reference)
    kind = piece.version.kind
    form = _prepare_form(kind, today, _begin_change(piece))
    if kind in IMMUTABLE:
        del form.text, form.post
    if form.validate_on_submit():
        with save_form(form, PortalError):
            entry = form.read_entry(_read_definition(kind, form, today, piece), today)
            change_evidence(reference, entry, reason=form.reason.data, by=current_user.person_id, at=now)
        if not form.errors:
            flash(f"{reference} is changed.", "success")
            return redirect(url_for(".show_piece", key=key, reference=reference), 303)
    html = render_template(
        "assurance/evidence_form.html",
        form=form,
        recommendation=recommendation,
        kind=KINDS[kind],
        piece=piece,
    )
    return html, 400 if form.errors else 200


@bp.route("/assurance/<key>/evidence/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.ASSURANCE_MANAGE)
def withdraw_piece(key: str, reference: str) -> ResponseReturnValue:
    """Withdraw a piece of evidence from a day on, with a reason."""
    now = clock.now()
    recommendation = read_recommendation(key, read_position_today(now))
    piece = _find_piece(recommendation.evidence, reference)
    form = WithdrawEvidenceForm()
    form.offer_day(clock.london_day(now))
    if form.validate_on_submit():
        with save_form(form, PortalError):
            withdraw_evidence(
                reference, from_on=form.day, reason=form.reason.data, by=current_user.person_id, at=now
            )
        if not form.errors:
            flash(f"{reference} is withdrawn.", "success")
            return redirect(url_for(".show_recommendation", key=key), 303)
    html = render_template(
        "assurance/evidence_withdrawal.html", form=form, recommendation=recommendation, piece=piece
    )
    return html, 400 if form.errors else 200


@bp.get("/assurance/documents/<digest>.pdf")
@requires(Permission.ASSURANCE_VIEW)
@limiter.limit("30 per minute")
def download_document(digest: str) -> ResponseReturnValue:
    """Download a document that is evidence, as it was kept."""
    document = read_document(digest)
    with transaction():
        log("evidence.downloaded", actor_id=current_user.person_id, digest=digest)
    response: Response = send_file(
        BytesIO(document.content),
        document.media_type,
        as_attachment=True,
        download_name=document.file_name,
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _find_piece(evidence: tuple[EvidenceSnapshot, ...], reference: str) -> EvidenceSnapshot:
    match = next((piece for piece in evidence if piece.reference == reference), None)
    if match is None:
        raise NotFoundError("There is no such piece of evidence on this day.")
    return match


def _prepare_form(kind: str, today: Position, data: dict[str, Any] | None = None) -> EvidenceForm:
    form = FORMS[kind](data=data)
    if kind in IMMUTABLE and data is None:
        del form.from_on
    else:
        form.offer_day(today.as_at)
    form.offer_choices(today)
    return form


def _begin_change(piece: EvidenceSnapshot) -> dict[str, Any]:
    """The data with which the form of a change begins."""
    version = piece.version
    return {
        **describe_definition(version.definition),
        "title": version.title,
        "owner": staff_number_of(version.owner_id),
        "review_on": say.date(version.review_on),
    }


def _read_definition(
    kind: str, form: EvidenceForm, today: Position, piece: EvidenceSnapshot | None
) -> dict[str, Any]:
    """The definition that a form gives; of a change, the one of before where it cannot or need not change."""
    parse = KINDS[kind].parse
    if piece is not None and kind in IMMUTABLE:
        return piece.version.definition
    if parse is not None:
        definition = parse(form.read_values(), today)
        if piece is not None and definition.get("guide") == piece.version.definition.get("guide"):
            definition |= {
                name: piece.version.definition[name] for name in ("version",) if name in definition
            }
        return definition
    upload = form.file.data
    if not upload:
        if piece is not None:
            return piece.version.definition
        raise EntryRefusedError("file", "Choose a PDF file.")
    return keep_document(upload.read(), upload.filename or "", by=current_user.person_id)
