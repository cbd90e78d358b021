"""Pages of event types: what each is, and proposing, publishing and sending back its next version."""

import re
from collections.abc import Mapping
from dataclasses import fields
from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import ValidationError

from portal.domain.catalogue import publishing
from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.other_sources import (
    EVENT_TYPE_FILES,
    LONGEST,
    MOST_FACILITATORS,
    MOST_MINUTES,
    MOST_PLACES,
    SYNDICATE,
    EventTypeSource,
    write_event_type,
)
from portal.domain.directives.queries import published_titles
from portal.features.events import type_proposals
from portal.features.events.forms import bp
from portal.features.events.type_proposals import VALUES, ProposedType, describe_values
from portal.pages.layout.access import requires
from portal.pages.layout.fields import (
    button,
    long_line,
    one_day,
    text_line,
    text_lines,
    tick_box,
    whole_number,
)
from portal.pages.layout.forms import (
    CheckboxesField,
    LineField,
    PortalForm,
    WholeNumberField,
    read_whole_number,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.proposals import LONGEST_NOTE
from portal.platform.wording import date as date_words

# Forms of event types: what a version says, and sending a proposal back.

LABEL = "govuk-label--s"
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBERS = ("minutes", "facilitators", "syndicate_least", "syndicate_most", "places_least", "places_most")


def _number_field(label: str, most: int, hint: str = "") -> WholeNumberField:
    return whole_number(
        label,
        hint,
        bold=True,
        autocomplete="off",
        least=1,
        most=most,
        message=f"Enter a whole number from 1 to {most:,}",
    )


class EventTypeForm(PortalForm):
    """What the next version of an event type says, and why."""

    title = text_line(
        "Title",
        "What learners and managers see in their lists, such as “OIC Hydra”.",
        required="Enter a title",
        most=LONGEST["title"],
        bold=True,
    )
    aim = long_line(
        "What it is for",
        "In a sentence or two, for the people who will attend.",
        required="Enter what it is for",
        most=LONGEST["aim"],
        bold=True,
        rows=3,
    )
    audience = text_line(
        "Who it is for",
        "In words. A directive says who must attend.",
        required="Enter who it is for",
        most=LONGEST["audience"],
        bold=True,
    )
    minutes = _number_field("Length in minutes", MOST_MINUTES, "From beginning to end, with breaks.")
    syndicate_least = _number_field("Fewest people in a syndicate", MOST_PLACES)
    syndicate_most = _number_field("Most people in a syndicate", MOST_PLACES)
    places_least = _number_field(
        "Fewest people at an event", MOST_PLACES, "With fewer it does not take place."
    )
    places_most = _number_field("Most people at an event", MOST_PLACES)
    facilitators = _number_field("Facilitators needed", MOST_FACILITATORS)
    approval = tick_box("A manager approves what learners book", classes="govuk-checkboxes--small")
    preparation = CheckboxesField("To prepare before coming")
    owner = text_line(
        "Owner",
        "The team that answers questions about it.",
        required="Enter the team that owns it",
        most=LONGEST["owner"],
        bold=True,
    )
    review_on = one_day(
        "To be reviewed by",
        bold=True,
        missing="Enter the day by which it is to be reviewed, such as 31 May 2027",
    )
    note = text_lines(
        "Why",
        "For the person who looks at it and publishes it.",
        required="Enter why, for the person who publishes it",
        most=LONGEST_NOTE,
        bold=True,
        rows=3,
    )
    send = button("Send to a publisher")

    def validate_syndicate_most(self, field: WholeNumberField) -> None:
        """Refuse fewer people than the least."""
        self._refuse_disorder(self.syndicate_least, field)

    def validate_places_most(self, field: WholeNumberField) -> None:
        """Refuse fewer people than the least, or than one syndicate has."""
        self._refuse_disorder(self.places_least, field)
        self._refuse_disorder(self.syndicate_least, field)

    def _refuse_disorder(self, least: WholeNumberField, most: WholeNumberField) -> None:
        if least.number is not None and most.number is not None and most.number < least.number:
            raise ValidationError(f"Enter {least.number} or more, which is the fewest")

    @property
    def content(self) -> bytes:
        """The file of the event type as it was filled in."""
        values: dict[str, Any] = {name: self[name].data for name in (*LONGEST, "approval")}
        values |= {name: self[name].number for name in _NUMBERS}
        values |= {"review_on": self.review_on.day, "preparation": self.preparation.chosen_values}
        return write_event_type(values)


class NewEventTypeForm(EventTypeForm):
    """A new event type, with its short name."""

    key = text_line(
        "Short name",
        "A few words for addresses and for directives, such as “oic-hydra”: small letters, "
        "digits and hyphens. It cannot be changed later.",
        required="Enter a short name, such as “oic-hydra”",
        most=40,
        width=20,
        bold=True,
        spellcheck=False,
    )

    def validate_key(self, field: LineField) -> None:
        """Refuse a key that is not fit for addresses, or is another page's."""
        if not _KEY.fullmatch(str(field.data)):
            raise ValidationError(
                "Enter the short name with small letters, digits and hyphens, such as “oic-hydra”"
            )
        if field.data in EVENT_TYPE_FILES.reserved_keys:
            raise ValidationError(f"“{field.data}” is the address of another page. Choose another")


class SendTypeBackForm(PortalForm):
    """Why a proposal is not published as it is."""

    reason = text_lines(
        "Send it back: what has to change",
        required="Enter what has to change",
        most=LONGEST_NOTE,
        bold=True,
        rows=3,
    )
    send_back = button("Send back", secondary=True)


def entered_values(said: EventTypeVersion | EventTypeSource | None) -> Mapping[str, Any]:
    """What a form begins with: the values of a version or a proposal; the usual ones where there is none."""
    if said is None:
        return {"syndicate_least": SYNDICATE[0], "syndicate_most": SYNDICATE[1], "facilitators": 1}
    names = [each.name for each in fields(EventTypeSource) if each.name not in ("key", "content")]
    return {name: getattr(said, name) for name in names} | {"review_on": date_words(said.review_on)}


@bp.get("/events/types")
@requires(Permission.ACCOUNT_OWN)
def list_types() -> ResponseReturnValue:
    """List the published event types; to authors and publishers also what is proposed."""
    may_read = Permission.AUTHORING_VIEW in current_user.permissions
    return render_template(
        "events/types.html",
        types=publishing.current_event_types(),
        proposals=type_proposals.list_open_proposals() if may_read else [],
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


@bp.get("/events/types/<key>")
@requires(Permission.ACCOUNT_OWN)
def show_type(key: str) -> ResponseReturnValue:
    """Show one event type: what it is for, how long, how many, and what to prepare."""
    version = publishing.numbered_event_type(key)
    may_read = Permission.AUTHORING_VIEW in current_user.permissions
    return render_template(
        "events/type.html",
        version=version,
        facts=_facts_of(version),
        preparation=publishing.list_preparation(version.preparation),
        versions=publishing.list_event_type_versions(key) if may_read else [],
        proposal=type_proposals.open_proposal_of(key) if may_read else None,
        ended=type_proposals.list_ended_proposals(key) if may_read else [],
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


@bp.get("/events/types/<key>/versions/<int:number>/file.toml")
@requires(Permission.AUTHORING_VIEW)
def download_type(key: str, number: int) -> ResponseReturnValue:
    """Download the file of a published version, byte for byte."""
    version = publishing.numbered_event_type(key, number)
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
    version = publishing.numbered_event_type(key)
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
            if version is None and publishing.current_event_type(key) is not None:
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
    current = publishing.current_event_type(proposal.key)
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
