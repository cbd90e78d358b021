"""Pages of event types: what each is, and proposing, publishing and sending back its next version."""

from io import BytesIO

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.catalogue import event_types
from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.sources.event_type_source import EventTypeSource
from portal.domain.directives.queries import published_titles
from portal.domain.events import type_proposals
from portal.domain.events.type_proposals import VALUES, ProposedType, describe_values
from portal.pages.events.blueprint import bp
from portal.pages.events.type_forms import EventTypeForm, NewEventTypeForm, SendTypeBackForm, entered_values
from portal.pages.layout.access import requires
from portal.pages.layout.form_fields import read_whole_number
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission


@bp.get("/events/types")
@requires(Permission.ACCOUNT_OWN)
def list_types() -> ResponseReturnValue:
    """List the published event types; to authors and publishers also what is proposed."""
    may_read = Permission.AUTHORING_VIEW in current_user.permissions
    return render_template(
        "events/types.html",
        types=event_types.current_event_types(),
        proposals=type_proposals.list_open_proposals() if may_read else [],
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


@bp.get("/events/types/<key>")
@requires(Permission.ACCOUNT_OWN)
def show_type(key: str) -> ResponseReturnValue:
    """Show one event type: what it is for, how long, how many, and what to prepare."""
    version = event_types.numbered_event_type(key)
    may_read = Permission.AUTHORING_VIEW in current_user.permissions
    return render_template(
        "events/type.html",
        version=version,
        facts=_facts_of(version),
        preparation=event_types.list_preparation(version.preparation),
        versions=event_types.list_event_type_versions(key) if may_read else [],
        proposal=type_proposals.open_proposal_of(key) if may_read else None,
        ended=type_proposals.list_ended_proposals(key) if may_read else [],
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


@bp.get("/events/types/<key>/versions/<int:number>/file.toml")
@requires(Permission.AUTHORING_VIEW)
def download_type(key: str, number: int) -> ResponseReturnValue:
    """Download the file of a published version, byte for byte."""
    version = event_types.numbered_event_type(key, number)
    content = BytesIO(version.content)
    return send_file(content, "application/toml", as_attachment=True, download_name=f"{key}.toml")


@bp.route("/events/types/new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def propose_new_type() -> ResponseReturnValue:
    """Propose an event type that does not exist yet."""
    earlier = _earlier_proposal()
    said = earlier.source if earlier else None
    key = {"key": earlier.key} if earlier else {}
    form = NewEventTypeForm(data={**entered_values(said), **key})
    return _propose_version(form, None, form.key.data or "")


@bp.route("/events/types/<key>/change", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def propose_type(key: str) -> ResponseReturnValue:
    """Propose the next version of an event type."""
    version = event_types.numbered_event_type(key)
    earlier = _earlier_proposal(key)
    form = EventTypeForm(data=entered_values(earlier.source if earlier else version))
    return _propose_version(form, version, key)


def _earlier_proposal(key: str | None = None) -> ProposedType | None:
    """The ended proposal, of this event type or a new one, with which the form begins, as ``?from=`` says."""
    text = request.args.get("from", "")
    number = read_whole_number(text)
    if number is None:
        return None
    proposal = type_proposals.get_proposal(number)
    if key is not None and proposal.key != key:
        raise NotFoundError("There is no such proposal of this event type.")
    return proposal


def _propose_version(form: EventTypeForm, version: EventTypeVersion | None, key: str) -> ResponseReturnValue:
    titles = {
        f"{kind}:{name}": title for (kind, name), title in published_titles().items() if kind != "event"
    }
    form.preparation.offer_values(list(titles), titles)
    if form.validate_on_submit():
        try:
            if version is None and event_types.current_event_type(key) is not None:
                raise RuleError(f"There is an event type “{key}” already. Choose another short name.")
            with transaction():
                proposal_id = type_proposals.propose_type(
                    key, form.content, note=form.note.data, by=current_user.person_id, at=clock.now()
                )
        except (BadInputError, ConflictError, RuleError) as error:
            form.form_errors += error.reasons if isinstance(error, BadInputError) else [str(error)]
        else:
            flash("Sent. Somebody else publishes it, or sends it back with a reason.", "success")
            return redirect(url_for(".show_proposal", proposal_id=proposal_id), 303)
    return render_template("events/type_form.html", form=form, version=version)


@bp.get("/events/types/proposals/<int:proposal_id>")
@requires(Permission.AUTHORING_VIEW)
def show_proposal(proposal_id: int) -> ResponseReturnValue:
    """Show what is proposed, what it changes, and what became of it."""
    return _render_proposal(type_proposals.get_proposal(proposal_id), SendTypeBackForm())


@bp.post("/events/types/proposals/<int:proposal_id>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_type(proposal_id: int) -> ResponseReturnValue:
    """Publish exactly what was proposed."""
    with transaction():
        number = type_proposals.publish_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash(f"Version {number} is published.", "success")
    return redirect(url_for(".show_type", key=type_proposals.get_proposal(proposal_id).key), 303)


@bp.post("/events/types/proposals/<int:proposal_id>/send-back")
@requires(Permission.VERSION_PUBLISH)
def send_type_back(proposal_id: int) -> ResponseReturnValue:
    """End the proposal without publishing, with a reason."""
    form = SendTypeBackForm()
    if not form.validate_on_submit():
        return _render_proposal(type_proposals.get_proposal(proposal_id), form), 400
    with transaction():
        type_proposals.send_proposal_back(
            proposal_id, reason=form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("Sent back. Its author sees why.", "success")
    return redirect(url_for(".show_proposal", proposal_id=proposal_id), 303)


@bp.post("/events/types/proposals/<int:proposal_id>/withdraw")
@requires(Permission.DRAFT_EDIT)
def withdraw_type(proposal_id: int) -> ResponseReturnValue:
    """Withdraw one's own proposal."""
    with transaction():
        type_proposals.withdraw_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn. You can change it and propose it again.", "success")
    return redirect(url_for(".show_proposal", proposal_id=proposal_id), 303)


def _render_proposal(proposal: ProposedType, form: SendTypeBackForm) -> str:
    current = event_types.current_event_type(proposal.key)
    return render_template(
        "events/type_proposal.html",
        proposal=proposal,
        source=proposal.source,
        current=current,
        differences=type_proposals.list_differences(current, proposal.source),
        facts=_facts_of(proposal.source),
        form=form,
        own=proposal.proposed_by_id == current_user.person_id,
        may_publish=Permission.VERSION_PUBLISH in current_user.permissions,
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


def _facts_of(said: EventTypeVersion | EventTypeSource) -> list[dict[str, str]]:
    """What an event type says, as rows of a summary list."""
    values = describe_values({name: getattr(said, name) for name in VALUES})
    return [{"key": label, "value": text} for label, text in values.items() if label != "Title"]
