"""Pages on which a facilitator plans, copies, changes, moves and cancels events."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events import services
from portal.domain.events.planning import (
    PlanRefusedError,
    event_type_with_id,
    list_event_types,
    list_possible_facilitators,
)
from portal.domain.events.queries import EventDetails, event_details
from portal.domain.events.rooms import list_rooms
from portal.domain.reminders.settings import relay_is_set
from portal.pages.events.blueprint import bp
from portal.pages.events.forms import (
    CancelEventForm,
    ChangeEventForm,
    NewEventForm,
    PlanChoices,
    form_values_of,
)
from portal.pages.layout.access import requires
from portal.pages.layout.form_widgets import mark_wrong
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

_WITHOUT_MAIL = "Email is not set up, so nobody gets an email yet."


@bp.route("/events/new", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
def plan_event() -> ResponseReturnValue:
    """Plan an event or a series, from nothing or as a copy of another."""
    choices = _read_plan_choices()
    form = NewEventForm(data=_first_values(choices.types))
    form.offer_types(choices.types)
    form.offer_choices(choices)
    if form.validate_on_submit() and (references := _plan_all(form, choices.types[form.kind.data])):
        flash(
            _planned_words(len(references), has_facilitators=bool(form.facilitators.chosen_values)), "success"
        )
        return redirect(url_for(".show_event", reference=references[0]), 303)
    html = render_template("events/new.html", form=form, offered=choices)
    return html, 400 if form.errors or form.asks_which else 200


def _first_values(types: dict[str, EventTypeVersion]) -> dict[str, object]:
    """What the fields hold at first: a copy of the event that the address names, or what its type says."""
    if copied := request.args.get("copy", ""):
        event = event_details(copied)
        values = form_values_of(services.plan_of(event)) | {"kind": event.key}
        return {name: value for name, value in values.items() if name not in {"day", "which"}}
    key = request.args.get("type", "") or (next(iter(types)) if len(types) == 1 else "")
    event_type = types.get(key)
    if event_type is None:
        return {}
    syndicates = -(-event_type.places_most // event_type.syndicate_most)
    return {"kind": key, "places": str(event_type.places_most), "syndicates": str(syndicates)}


def _plan_all(form: NewEventForm, event_type: EventTypeVersion) -> list[str]:
    """Plan every date of a valid form; if one is refused, plan none and say so in the form."""
    starts = form.read_starts(form.count.number or 1, form.weeks.number or 1)
    if not starts:
        return []
    plans = [form.make_plan(starts_at, event_type) for starts_at in starts]
    try:
        with transaction():
            return services.plan_events(plans, by=current_user.person_id, at=clock.now())
    except PlanRefusedError as error:
        form.show_refusal(error.field, str(error))
    return []


@bp.route("/events/<reference>/change", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
def change_event(reference: str) -> ResponseReturnValue:
    """Give an event another time, room or size, or other people who run it."""
    event = event_details(reference)
    if event.cancelled or event.starts_at <= clock.now():
        raise RuleError("This event is over or cancelled, so it cannot be changed.")
    choices = _read_plan_choices()
    form = ChangeEventForm(data=form_values_of(services.plan_of(event)) | {"number": str(event.number)})
    form.offer_choices(choices, kept_room=event.room_id)
    if form.validate_on_submit() and (notified_count := _change_event(form, event)) is not None:
        flash(f"The change is saved. {_email_words(notified_count)}", "success")
        return redirect(url_for(".show_event", reference=reference), 303)
    shows_which = form.asks_which or bool(form.which.data)
    html = render_template("events/change.html", form=form, event=event, shows_which=shows_which)
    return html, 400 if form.errors or form.asks_which else 200


def _change_event(form: ChangeEventForm, event: EventDetails) -> int | None:
    """Change the event as a valid form says; None: it is refused, and the form has the error."""
    starts = form.read_starts()
    if not starts:
        return None
    plan = form.make_plan(starts[0], event_type_with_id(event.type_version_id))
    reason, by = form.reason.data or "", current_user.person_id
    if services.is_moved(event, plan) and not reason:
        mark_wrong(form.reason, "Enter why it is moved")
        return None
    try:
        with transaction():
            return services.change_event(
                event.reference,
                plan,
                number=_number_of(form.number.data),
                reason=reason,
                by=by,
                at=clock.now(),
            )
    except PlanRefusedError as error:
        form.show_refusal(error.field, str(error))
    return None


@bp.route("/events/<reference>/cancel", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
def cancel_event(reference: str) -> ResponseReturnValue:
    """Cancel an event, with the reason that its people are told."""
    event = event_details(reference)
    if event.cancelled or event.starts_at <= clock.now():
        raise RuleError("This event is over or cancelled, so it cannot be cancelled.")
    form = CancelEventForm(data={"number": str(event.number)})
    if form.validate_on_submit():
        with transaction():
            notified_count = services.cancel_event(
                reference,
                number=_number_of(form.number.data),
                reason=form.reason.data,
                by=current_user.person_id,
                at=clock.now(),
            )
        flash(f"The event is cancelled. {_email_words(notified_count)}", "success")
        return redirect(url_for(".show_event", reference=reference), 303)
    return render_template("events/cancel.html", form=form, event=event), 400 if form.errors else 200


def _read_plan_choices() -> PlanChoices:
    return PlanChoices(list_event_types(), list_rooms(), list_possible_facilitators(clock.today()))


def _number_of(text: str | None) -> int:
    """The number of the version that a form was opened with.

    Raises:
        NotFoundError: The text is no number.
    """
    if not (text or "").isascii() or not (text or "").isdigit() or len(text or "") > 6:
        raise NotFoundError("The form is not complete. Open it again.")
    return int(text or "0")


def _planned_words(count: int, *, has_facilitators: bool) -> str:
    """How many events are planned, and who gets an email if somebody runs them."""
    planned = f"{plural(count, 'event is', 'events are')} planned."
    if not has_facilitators:
        return planned
    notified = f"Who runs {'it' if count == 1 else 'them'} gets an email."
    return f"{planned} {notified if relay_is_set() else _WITHOUT_MAIL}"


def _email_words(notified_count: int) -> str:
    """How many people get an email, as a sentence."""
    if not notified_count:
        return "Nobody gets an email."
    notified = f"{plural(notified_count, 'person gets', 'people get')} an email."
    return notified if relay_is_set() else _WITHOUT_MAIL
