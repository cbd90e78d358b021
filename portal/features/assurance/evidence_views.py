"""Pages of evidence: one piece at a position, and the forms that add, change and withdraw it."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field, SelectField
from wtforms.validators import InputRequired

from portal.domain.reports.parameters import Position, join_values, read_position_today
from portal.features.assurance.desk import EvidenceSnapshot, read_recommendation
from portal.features.assurance.evidence import (
    Choices,
    EvidenceEntry,
    add_evidence,
    change_evidence,
    check_evidence,
    list_countables,
    list_event_titles,
    list_evidence_versions,
    list_guides,
    list_populations,
    withdraw_evidence,
)
from portal.features.assurance.evidence_counts import MOST_MONTHS, OFFERED, Population
from portal.features.assurance.evidence_kinds import (
    IMMUTABLE,
    KINDS,
    LONGEST_ADDRESS,
    MOST_BYTES,
    keep_document,
    read_document,
)
from portal.features.assurance.feature import MANAGE, VIEW
from portal.features.assurance.forms import (
    PARENT,
    WHOSE,
    EntryForm,
    StaffNumberForm,
    bp,
    day_field,
    optional_day_field,
    read_at,
    staff_number_field,
    staff_number_of,
    template_values_of,
    text_field,
    title_field,
)
from portal.features.assurance.recommendations import name_people
from portal.features.assurance.services import EntryRefusedError
from portal.features.dip_samples.rules import MEASURES
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.fields import button, file_to_send, text_line
from portal.pages.layout.forms import (
    CheckboxesField,
    GovSelect,
    LineField,
    save_form,
)
from portal.pages.layout.pdf_files import POLICY
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError

# Forms of evidence, one for each kind; the same form adds a piece and changes it.

ORDER = (
    "title", "what", "guide", "event_type", "measure", "months", "file", "address", "text", "post",
    "unit", "role", "rank", "threshold", "owner", "review_on", "from_on", "reason", "send", "csrf_token",
)  # fmt: skip


def _choice_field(label: str, missing: str, **kwargs: Any) -> SelectField:
    return SelectField(label, widget=GovSelect(), validators=[InputRequired(missing)], **kwargs)


def _optional_field(label: str, **kwargs: Any) -> SelectField:
    return SelectField(label, widget=GovSelect(), validate_choice=False, **kwargs)


def _threshold_field() -> LineField:
    return text_line(
        "Lowest percentage that is enough",
        "State it before you look. A later change is a new version, with its reason.",
        required="Enter a percentage from 1 to 100, such as 95",
        most=10,
        width=5,
        inputmode="decimal",
    )


class EvidenceForm(StaffNumberForm):
    """What is entered about a piece of evidence of any kind."""

    title = title_field(
        "What it shows",
        "Enter what it shows",
        description=f"In a few words, as the answer will quote it. {WHOSE}",
    )
    owner = staff_number_field(
        "Staff number of its owner (optional)",
        "Gets a message when it needs attention. Blank: the owner of the recommendation.",
    )
    review_on = optional_day_field(
        "To be reviewed by (optional)",
        "After this day it needs attention, until somebody has looked at it again.",
    )
    from_on = day_field(
        description="The day from which it is evidence: today, or an earlier day if you enter it late."
    )
    reason = text_field("Why do you change it?", "Enter why you change it", rows=4, description=WHOSE)
    send = button("Save")

    def __iter__(self) -> Iterator[Field]:
        """The fields in the order of the page, so that its errors are, too; the form's token is the last."""
        return iter(sorted(self._fields.values(), key=lambda field: ORDER.index(field.name)))

    def offer_choices(self, position: Position) -> None:
        """Offer what can be chosen; nothing, where all is typed."""

    def read_values(self) -> dict[str, str]:
        """The fields of the kind, as its definition is read from them."""
        return {}

    def read_entry(self, definition: dict[str, Any], today: Position) -> EvidenceEntry:
        """What a valid form says; a form without a day holds from today."""
        day = self.day if "from_on" in self else today.as_at
        return EvidenceEntry(self.title.data, definition, self.owner_id, self.review_on.day, day)


class PeopleShareForm(EvidenceForm):
    """Evidence that is a share of people."""

    unit = _optional_field("In which unit (optional)")
    role = _optional_field("With which designated role (optional)")
    rank = CheckboxesField("Of which ranks or grades (optional)")
    threshold = _threshold_field()

    def offer_choices(self, position: Position) -> None:
        """Offer units, roles and ranks."""
        offered = list_populations(position)
        _offer_choices(self.unit, offered.units, "The whole force")
        _offer_choices(self.role, offered.roles, "All roles")
        self.rank.offer_values(list(offered.ranks), offered.ranks)

    def read_values(self) -> dict[str, str]:
        """The population and the threshold."""
        return {
            "unit": self.unit.data or "",
            "role": self.role.data or "",
            "rank": join_values(self.rank.chosen_values) if self.rank.chosen_values else "",
            "threshold": self.threshold.data,
        }


class FigureForm(PeopleShareForm):
    """How many people are complete under a directive or one of its requirements."""

    what = _choice_field("What is counted", "Choose what is counted")

    def offer_choices(self, position: Position) -> None:
        """Offer directives and requirements too."""
        super().offer_choices(position)
        _offer_choices(self.what, list_countables(position))

    def read_values(self) -> dict[str, str]:
        """With the directive and the requirement."""
        directive, _, requirement = self.what.data.partition(" ")
        return {**super().read_values(), "directive": directive, "requirement": requirement}


class AcknowledgementsForm(PeopleShareForm):
    """How many people acknowledged a guide."""

    guide = _choice_field("Which guide", "Choose a guide")

    def offer_choices(self, position: Position) -> None:
        """Offer guides too."""
        super().offer_choices(position)
        _offer_choices(self.guide, list_guides())

    def read_values(self) -> dict[str, str]:
        """With the guide."""
        return {**super().read_values(), "guide": self.guide.data}


class EventAttendanceForm(PeopleShareForm):
    """How many people attended an event type."""

    event_type = _choice_field("Which event", "Choose an event")

    def offer_choices(self, position: Position) -> None:
        """Offer event types too."""
        super().offer_choices(position)
        _offer_choices(self.event_type, list_event_titles())

    def read_values(self) -> dict[str, str]:
        """With the event type."""
        return {**super().read_values(), "event_type": self.event_type.data}


class SampleShareForm(EvidenceForm):
    """A share of intelligence documents."""

    measure = _choice_field("What is counted", "Choose what is counted")
    months = text_line(
        "Over how many full months",
        f"Up to the day of the page; at most {MOST_MONTHS}.",
        required=f"Enter a whole number from 1 to {MOST_MONTHS}",
        most=3,
        width=5,
        inputmode="numeric",
    )
    unit = _optional_field("In which unit (optional)")
    threshold = _threshold_field()

    def offer_choices(self, position: Position) -> None:
        """Offer measures and units."""
        _offer_choices(self.measure, {key: MEASURES[key].meaning for key in OFFERED})
        _offer_choices(self.unit, list_populations(position).units, "The whole force")

    def read_values(self) -> dict[str, str]:
        """The measure, the months, the unit and the threshold."""
        return {name: self[name].data or "" for name in ("measure", "months", "unit", "threshold")}


class EvidenceLinkForm(EvidenceForm):
    """A page of the web."""

    address = text_line(
        "Address of the page",
        "It begins with https. The portal asks once a week whether it answers, where the force lets it.",
        required="Enter the address of a page",
        most=LONGEST_ADDRESS,
        spellcheck=False,
    )

    def read_values(self) -> dict[str, str]:
        """The address."""
        return {"address": self.address.data}


class EvidenceDocumentForm(EvidenceForm):
    """A PDF."""

    file = file_to_send(
        "PDF file",
        f"Up to {MOST_BYTES // 1024 // 1024} MB. It is kept as it is, and never removed: put"
        " nothing about a case or a person in it.",
        accept=".pdf",
    )


class SignedStatementForm(EvidenceForm):
    """What its author signs."""

    text = text_field(
        "Statement", "Write the statement", rows=8, description="You sign this, and it never changes."
    )
    post = title_field(
        "You sign as",
        "Enter the post in which you sign",
        description="Your post, such as Assistant Chief Constable (crime).",
    )

    def read_values(self) -> dict[str, str]:
        """The text and the post."""
        return {"text": self.text.data, "post": self.post.data}


FORMS: dict[str, type[EvidenceForm]] = {
    "figure": FigureForm,
    "acknowledgements": AcknowledgementsForm,
    "attendance": EventAttendanceForm,
    "samples": SampleShareForm,
    "link": EvidenceLinkForm,
    "document": EvidenceDocumentForm,
    "statement": SignedStatementForm,
}


class WithdrawEvidenceForm(EntryForm):
    """From which day a piece of evidence is withdrawn, and why."""

    from_on = day_field("From which day is it no evidence?", description="For earlier days it stays.")
    reason = text_field("Why do you withdraw it?", "Enter why you withdraw it", rows=4, description=WHOSE)
    send = button("Withdraw it")


def describe_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a piece of evidence as data of its form."""
    data = dict(definition)
    if "threshold" in data:
        percentage = f"{100 * float(definition['threshold']):.1f}"
        data["threshold"] = percentage.removesuffix(".0")
        data["rank"] = list(Population.from_json(definition).filters.ranks)
    if "directive" in data:
        data["what"] = f"{data['directive']} {data['requirement']}"
    return data


def _offer_choices(field: SelectField, choices: Choices, nothing: str = "") -> None:
    """Offer choices, first the one of nothing; what was chosen and is gone is offered still."""
    offered = {"": nothing or "Choose one", **choices}
    if field.data and field.data not in offered:
        offered[field.data] = field.data
    field.choices = list(offered.items())


ENVELOPE = 64 * 1024  # bytes of a form around its file
WITH_FILE = {"assurance.add_document", "assurance.change_piece"}


@bp.url_value_preprocessor
def _allow_documents(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a document be larger than other requests; runs before the form is read."""
    if endpoint in WITH_FILE:
        request.max_content_length = MOST_BYTES + ENVELOPE


@bp.get("/assurance/<key>/evidence/<reference>")
@requires(VIEW)
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
@requires(MANAGE)
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
@requires(MANAGE)
def add_piece(key: str, kind: str) -> ResponseReturnValue:
    """Add a figure or a link."""
    return _add_evidence(key, kind)


@bp.route("/assurance/<key>/evidence/new/document", methods=["GET", "POST"])
@requires(MANAGE)
def add_document(key: str) -> ResponseReturnValue:
    """Add a PDF."""
    return _add_evidence(key, "document")


@bp.route("/assurance/<key>/evidence/new/statement", methods=["GET", "POST"])
@requires(MANAGE, recent=True)
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
@requires(MANAGE)
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
@requires(MANAGE)
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
@requires(VIEW)
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
