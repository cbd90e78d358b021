"""The register of an event: for a facilitator's phone, with or without scripts and network."""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID, uuid4, uuid5

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from wtforms import HiddenField
from wtforms.validators import InputRequired

from config import current_settings
from portal.features.events import register
from portal.features.events.feature import RUN
from portal.features.events.forms import bp
from portal.features.events.models import AttendanceOutcome
from portal.features.events.register import (
    KINDS,
    OUTCOME_WORDS,
    REASON_WORDS,
    HeadCount,
    Note,
    RegisterEvent,
    RegisterPerson,
    RegisterState,
    count_heads,
    describe_outcome,
    find_name,
    find_place,
    get_register_event,
    list_register,
    make_room_code,
    make_room_number,
    read_outcomes,
    read_states,
    seconds_to_next_number,
)
from portal.features.events.sign_off import (
    OutcomeRow,
    SignOff,
    correct_outcome,
    door_sheet_markup,
    list_outcomes,
    move_people,
    name_card_markup,
    sign_off,
    suggest_groups,
)
from portal.pages.layout.access import limiter, list_parts, requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.fields import button, text_line
from portal.pages.layout.forms import PortalForm, save_form
from portal.pages.layout.pdf_files import send_pdf
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.audit import log_file
from portal.platform.clock import london_time
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date, plural

# The register in words: the current state of a person, and how many are in the room.

BUTTONS = {"present": "Present", "late": "Late", "left_early": "Left early", "not_here": "Not here"}
_MEANS = {"code": ", by code", "staff_number": ", by staff number", "register": ""}
MOST_HEADS = 999


def describe_state(state: RegisterState | None, outcome: AttendanceOutcome | None = None) -> str:
    """What the register says of a person, in a few words; how they were signed off goes before any entry."""
    if outcome is not None:
        return f"Signed off: {describe_signed_off(outcome)}"
    if state is None:
        return "Not noted yet"
    at = london_time(state.noted_at)
    if state.is_here:
        arrival = "Here" if state.kind == "present" else "Came late, here"
        return f"{arrival} since {london_time(state.came_at or state.noted_at)}{_MEANS[state.came_by]}"
    return f"Left early at {at}" if state.kind == "left_early" else f"Not here at {at}"


def describe_signed_off(outcome: AttendanceOutcome) -> str:
    """How a person was signed off, within a sentence."""
    return describe_outcome(outcome.outcome, outcome.reason).lower()


def describe_heads(count: HeadCount, people: int, signed_off: int) -> str:
    """How many are in the room, by which means they came, and how many are signed off."""
    done = f" {plural(signed_off, 'person is', 'people are')} signed off." if signed_off else ""
    if not count.here:
        return f"Nobody is here yet, of {plural(people, 'person', 'people')} with a place.{done}"
    return (
        f"{count.here} of {plural(people, 'person', 'people')} here: {count.by_code} by code, "
        f"{count.by_staff_number} by staff number, {count.by_register} by your entries.{done}"
    )


def compare_heads(count: HeadCount, heads: int) -> str:
    """Compare the facilitator's count of heads with the register, in a sentence."""
    if heads == count.here:
        return f"You counted {heads}, as the register says."
    if heads > count.here:
        uncounted = plural(heads - count.here, "person", "people")
        return f"You counted {heads}, the register says {count.here}: {uncounted} in the room not noted."
    surplus = plural(count.here - heads, "person", "people")
    return (
        f"You counted {heads}, the register says {count.here}: {surplus} noted and not in the room. "
        "Look first at people signed in by code, and enter “Not here”."
    )


def read_heads(text: str) -> int | None:
    """Read the number of heads that a facilitator counted; None: the text is no such number."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_HEADS))
    return int(text) if is_number and int(text) <= MOST_HEADS else None


def when_and_where(event: RegisterEvent) -> str:
    """The date, the times and the place of an event."""
    times = f"{london_time(event.starts_at)} to {london_time(event.ends_at)}"
    return f"{date(event.held_on)}, {times}, {event.room}"


def group_by_syndicate(people: Sequence[RegisterPerson]) -> Mapping[str, list[RegisterPerson]]:
    """The people of each syndicate, in order, under its name; first those in none."""
    groups: dict[str, list[RegisterPerson]] = {}
    for person in people:
        name = f"Syndicate {person.syndicate}" if person.syndicate else "In no syndicate"
        groups.setdefault(name, []).append(person)
    return groups


_UNREADABLE = "The register cannot read these entries."
_ASK_HEADS = f"Enter a whole number from 0 to {MOST_HEADS}"
_LONGEST_AGO = timedelta(days=30)


@bp.get("/events/<reference>/register")
@requires(RUN)
def show_register(reference: str) -> ResponseReturnValue:
    """Show who has a place and who is here, with a button for each thing to note."""
    event = get_register_event(reference)
    people, states, outcomes = list_register(event), read_states(event.id), read_outcomes(event.id)
    problem, count = register.why_closed(event, clock.now()), count_heads(states)
    typed = None if problem else request.args.get("heads")  # None: no heads were counted
    heads = None if typed is None else read_heads(typed.strip())
    errors = [] if typed is None or heads is not None else [(_ASK_HEADS, "#counted")]
    html = render_template(
        "events/register.html",
        event=event,
        when_and_where=when_and_where(event),
        groups=group_by_syndicate(people),
        states=_describe_states(people, states, outcomes),
        signed_off=outcomes,
        problem=problem,
        heads_words=describe_heads(count, len(people), len(outcomes)),
        typed=typed,
        errors=errors,
        compared="" if heads is None else compare_heads(count, heads),
        buttons=BUTTONS,
        key=uuid4(),
        owner=_owner_of_entries(),
    )
    return html, 400 if errors else 200


@bp.post("/events/<reference>/register")
@requires(RUN)
def mark_person(reference: str) -> ResponseReturnValue:
    """Note one thing of one person: what a button without scripts sends."""
    booking, _, kind = request.form.get("mark", "").partition(":")
    try:
        key = uuid5(UUID(request.form.get("key", "")), f"{booking} {kind}")
        note = Note(key, _read_booking(booking), kind, timedelta())
    except ValueError as error:
        raise RuleError(_UNREADABLE) from error
    with _flash_refusal(), transaction():
        noted = register.note_entries(reference, [note], by=current_user.person_id, at=clock.now())
        if noted.refused:
            flash(noted.refused, "error")
    return redirect(url_for(".show_register", reference=reference, _anchor=f"person-{note.booking_id}"), 303)


@bp.post("/events/<reference>/register/staff-number")
@requires(RUN)
def note_staff_number(reference: str) -> ResponseReturnValue:
    """Note that somebody without a phone is here, by their staff number."""
    staff_number = "".join(filter(str.isprintable, request.form.get("staff_number", "")[:50])).strip()
    with _flash_refusal(), transaction():
        if not staff_number:
            raise RuleError("Enter their staff number.")
        person_id = register.note_staff_number(
            reference, staff_number, by=current_user.person_id, at=clock.now()
        )
        flash(f"{find_name(person_id)} is noted as here.", "success")
    return redirect(url_for(".show_register", reference=reference), 303)


@bp.post("/events/<reference>/register/entries")
@requires(RUN)
def send_entries(reference: str) -> ResponseReturnValue:
    """Take the entries that a device kept, and answer with the current register; sent twice is once.

    The device forgets them then, because a second try would end the same: ``refused`` says why some of
    them were not taken, or with 409 why none was.
    """
    try:
        notes = _read_notes(request.form.get("entries", ""))
        with transaction():
            noted = register.note_entries(reference, notes, by=current_user.person_id, at=clock.now())
    except (RuleError, NotFoundError) as error:
        return jsonify(refused=str(error)), 409
    refused = {"refused": noted.refused} if noted.refused else {}
    return jsonify(_describe_now(get_register_event(reference)) | refused)


@bp.get("/events/<reference>/register/states")
@requires(RUN)
def send_states(reference: str) -> ResponseReturnValue:
    """Answer with the current register, for a page that is open on another phone."""
    return jsonify(_describe_now(get_register_event(reference)))


def _describe_now(event: RegisterEvent) -> dict[str, Any]:
    people, states, outcomes = list_register(event), read_states(event.id), read_outcomes(event.id)
    return {
        "states": _describe_states(people, states, outcomes),
        "heads": describe_heads(count_heads(states), len(people), len(outcomes)),
    }


def _describe_states(
    people: list[RegisterPerson], states: dict[int, RegisterState], outcomes: dict[int, AttendanceOutcome]
) -> dict[int, str]:
    """What the register says of each person, by booking."""
    return {
        person.booking_id: describe_state(states.get(person.person_id), outcomes.get(person.person_id))
        for person in people
    }


def _read_notes(text: str) -> list[Note]:
    """The entries that a device sent."""
    try:
        rows = json.loads(text)
        return [_read_note(row) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise RuleError(_UNREADABLE) from error


def _read_note(row: dict[str, Any]) -> Note:
    if row["kind"] not in KINDS:
        raise ValueError
    ago = timedelta(milliseconds=int(row["ago"]))
    return Note(UUID(row["key"]), _read_booking(row["id"]), row["kind"], min(ago, _LONGEST_AGO))


def _read_booking(value: Any) -> int:
    booking_id = int(value)
    if not 0 < booking_id < 2**53:
        raise ValueError
    return booking_id


def _owner_of_entries() -> str:
    """Whose entries a device keeps, opaque: another person's are erased, not sent."""
    secret = current_settings().secret_key
    said = f"register of {current_user.person_id}"
    return hmac.new(secret.encode(), said.encode(), "sha256").hexdigest()[:16]


@contextmanager
def _flash_refusal() -> Iterator[None]:
    """Say on the page that follows why something was not noted."""
    try:
        yield
    except (RuleError, NotFoundError) as error:
        flash(str(error), "error")


# The code in the room, and signing in at an event by it.

LONGEST = 400  # characters of a code or a ticket that are read
AT_MOST = "6 per minute"  # of one person, so that nobody guesses the number; counted in memory alone


class RoomNumberForm(PortalForm):
    """The number that the screen shows, with the ticket for which the code was exchanged."""

    ticket = HiddenField()
    number = text_line(
        "Number on the screen",
        "4 digits, new every 10 seconds. Wait until they change, then enter the new ones.",
        checks=[InputRequired("Enter the number that the screen in the room shows")],
        width=4,
        inputmode="numeric",
    )
    send = button("I am here")


@bp.get("/events/<reference>/sign-in/code")
@requires(RUN)
def show_room_code(reference: str) -> ResponseReturnValue:
    """Show the code and the number of now, for a screen in the room; the page brings the next by itself."""
    event, now = get_register_event(reference), clock.now()
    problem = register.why_closed(event, now)
    is_over = now > event.ends_at
    count = count_heads(read_states(event.id))
    answer = make_response(
        render_template(
            "events/room_code.html",
            event=event,
            when_and_where=when_and_where(event),
            problem=problem or ("This event has ended." if is_over else ""),
            code="" if problem or is_over else _draw_room_code(event.reference),
            number="" if problem or is_over else make_room_number(_secret_key(), event.reference, now),
            signed_in=count.here,
        )
    )
    if not is_over:  # a header, because nothing on the page is to be read or filled in meanwhile
        answer.headers["Refresh"] = str(max(1, ceil(seconds_to_next_number(now))))
    return answer


def _draw_room_code(reference: str) -> Markup:
    """The QR code whose address signs in who reads it now."""
    import segno  # most processes draw none

    settings = cookies.current_settings()
    code = make_room_code(settings.secret_key, reference, clock.now())
    link = f"{settings.address}{url_for('.show_sign_in', reference=reference, code=code)}"
    drawing = segno.make_qr(link, error="m", mask=4).svg_inline(
        omitsize=True, light="#fff", svgclass=None, lineclass=None, title="QR code to sign in at this event"
    )
    return Markup(drawing.replace("<svg ", '<svg role="img" ', 1))  # noqa: S704 - the portal's own texts


@bp.get("/events/<reference>/sign-in")
@requires(Permission.LEARN)
def show_sign_in(reference: str) -> ResponseReturnValue:
    """Show a person with a place whether they are signed in, or the button for it if they read the code."""
    event, code, me = get_register_event(reference), request.args.get("code", ""), current_user.person_id
    form, problem, status = None, "", 200
    if code:
        try:
            ticket = register.issue_ticket(_secret_key(), event.reference, code[:LONGEST], me, clock.now())
            form = RoomNumberForm(formdata=None, data={"ticket": ticket})
        except (RuleError, ForbiddenError) as error:
            problem = str(error)
            status = 403 if isinstance(error, ForbiddenError) else 409
    return _render_sign_in(event, form, problem), status


@bp.post("/events/<reference>/sign-in")
@requires(Permission.LEARN)
@limiter.limit(AT_MOST, key_func=lambda: str(current_user.person_id))
def sign_in_at_event(reference: str) -> ResponseReturnValue:
    """Note that the person whose phone read the code is here, and sees the screen still."""
    form, kind, me = RoomNumberForm(), "", current_user.person_id
    ticket = (form.ticket.data or "")[:LONGEST]
    if form.validate_on_submit():
        try:
            with save_form(form):
                kind = register.sign_in_by_ticket(
                    _secret_key(), reference, ticket, form.number.data, me, clock.now()
                )
        except RuleError as error:
            return _render_sign_in(get_register_event(reference), None, str(error)), 409
    if form.errors:
        return _render_sign_in(get_register_event(reference), form, ""), 400
    flash("You are signed in." if kind == "present" else "You are signed in, as late.", "success")
    return redirect(url_for(".show_sign_in", reference=reference), 303)


def _render_sign_in(event: RegisterEvent, form: RoomNumberForm | None, problem: str) -> str:
    me = current_user.person_id
    state, outcome = read_states(event.id).get(me), read_outcomes(event.id).get(me)
    return render_template(
        "events/sign_in.html",
        event=event,
        when_and_where=when_and_where(event),
        has_place=find_place(event.id, me) is not None,
        state=describe_state(state) if state else "",
        signed_off=describe_signed_off(outcome) if outcome else "",
        form=form,
        problem=problem,
        notes=list_parts("events.signed_in"),
    )


def _secret_key() -> str:
    return cookies.current_settings().secret_key


# Signing off who attended an event, and corrections by a second person.

FIELD = "outcome-"  # before the number of the booking
# What the register suggests; for a person without an entry it suggests nothing.
_SUGGESTED = {
    "present": "attended:",
    "late": "attended:",
    "left_early": "part:left_early",
    "not_here": "absent:not_known",
}


@bp.get("/events/<reference>/sign-off")
@requires(RUN)
def show_sign_off(reference: str) -> ResponseReturnValue:
    """Show who was signed off, and a choice for everybody else, as the register suggests."""
    event = get_register_event(reference)
    people, states, outcomes = list_register(event), read_states(event.id), list_outcomes(event.id)
    return render_template(
        "events/sign_off.html",
        event=event,
        when_and_where=when_and_where(event),
        has_begun=clock.now() >= event.starts_at,
        open=[(person, _state_of(person, states)) for person in people if person.person_id not in outcomes],
        done=[(person, outcomes[person.person_id]) for person in people if person.person_id in outcomes],
        suggested=_SUGGESTED,
        choices=list_choices(),
        describe_state=describe_state,
        me=current_user.person_id,
    )


@bp.post("/events/<reference>/sign-off")
@requires(RUN)
def sign_off_people(reference: str) -> ResponseReturnValue:
    """Sign off everybody with a chosen outcome."""
    decisions = [
        _read_decision(name.removeprefix(FIELD), value)
        for name, value in request.form.items()
        if name.startswith(FIELD) and value
    ]
    try:
        with transaction():
            count = sign_off(reference, decisions, by=current_user.person_id, at=clock.now())
        people = plural(count, "person", "people")
        flash(f"{people} signed off." if count else "You signed nobody off.", "success")
    except (RuleError, ConflictError) as error:
        flash(str(error), "error")
    return redirect(url_for(".show_sign_off", reference=reference), 303)


@bp.get("/events/<reference>/sign-off/<int:booking>")
@requires(RUN)
def show_correction(reference: str, booking: int) -> ResponseReturnValue:
    """Show how one person was signed off, and the form by which a second person corrects it."""
    event = get_register_event(reference)
    person, outcome = _find_signed_off(event, booking)
    log_disclosure(person.person_id, "record")
    return render_template(
        "events/correction.html",
        event=event,
        when_and_where=when_and_where(event),
        person=person,
        outcome=outcome,
        choices=list_choices(),
        may_correct=current_user.person_id not in {outcome.signed_off_by_id, person.person_id},
    )


@bp.post("/events/<reference>/sign-off/<int:booking>")
@requires(RUN)
def correct_attendance(reference: str, booking: int) -> ResponseReturnValue:
    """Correct how one person was signed off, as a second person."""
    decision = _read_decision(str(booking), request.form.get("outcome", ""))
    try:
        with transaction():
            correct_outcome(reference, decision, by=current_user.person_id, at=clock.now())
        flash("Corrected.", "success")
    except (RuleError, ConflictError) as error:
        flash(str(error), "error")
        return redirect(url_for(".show_correction", reference=reference, booking=booking), 303)
    return redirect(url_for(".show_sign_off", reference=reference), 303)


def list_choices() -> dict[str, list[tuple[str, str]]]:
    """Outcomes with their reasons as one list to choose from, by outcome."""
    return {
        words: [(f"{key}:{reason}", text) for reason, text in REASON_WORDS[key].items()]
        or [(f"{key}:", words)]
        for key, words in OUTCOME_WORDS.items()
    }


def _read_decision(booking: str, value: str) -> SignOff:
    outcome, _, reason = value.partition(":")
    number = int(booking) if booking.isascii() and booking.isdigit() and len(booking) < 16 else 0
    return SignOff(number, outcome, reason)


def _state_of(person: RegisterPerson, states: dict[int, RegisterState]) -> RegisterState | None:
    return states.get(person.person_id)


def _find_signed_off(event: RegisterEvent, booking: int) -> tuple[RegisterPerson, OutcomeRow]:
    outcomes = list_outcomes(event.id)
    for person in list_register(event):
        if person.booking_id == booking and person.person_id in outcomes:
            return person, outcomes[person.person_id]
    raise NotFoundError("This person was not signed off at this event.")


# The syndicates of an event: a suggestion, moving people, door sheets and name cards.

SYNDICATE_FIELD = "syndicate-"  # before the number of the booking
WAS = "was-"  # where the person was when the page was shown: who was not moved is not written
PRINTS = {"door-sheets": ("Door sheets", door_sheet_markup), "name-cards": ("Name cards", name_card_markup)}


@bp.get("/events/<reference>/syndicates")
@requires(RUN)
def show_syndicates(reference: str) -> ResponseReturnValue:
    """Show who is in which syndicate, each with a choice; with a suggestion filled in where asked."""
    event = get_register_event(reference)
    people = list_register(event)
    is_suggested = bool(request.args.get("suggest"))
    choices = suggest_groups(event, people) if is_suggested else {p.booking_id: p.syndicate for p in people}
    return render_template(
        "events/syndicates.html",
        event=event,
        when_and_where=when_and_where(event),
        groups=_group_by_choice(event, people, choices),
        chosen=choices,
        is_suggested=is_suggested,
        people=people,
        mix=_describe_mix(people),
    )


@bp.post("/events/<reference>/syndicates")
@requires(RUN)
def move_between_syndicates(reference: str) -> ResponseReturnValue:
    """Move everybody for whom another syndicate was chosen."""
    moves = {
        int(booking): int(value) if value.isdigit() else None
        for name, value in request.form.items()
        if name.startswith(SYNDICATE_FIELD)
        and _is_number(booking := name.removeprefix(SYNDICATE_FIELD))
        and (value == "" or _is_number(value))
        and value != request.form.get(f"{WAS}{booking}", "")
    }
    try:
        with transaction():
            changed = move_people(reference, moves, by=current_user.person_id)
        flash(f"{plural(changed, 'person', 'people')} moved." if changed else "You moved nobody.", "success")
    except RuleError as error:
        flash(str(error), "error")
    return redirect(url_for(".show_syndicates", reference=reference), 303)


@bp.get("/events/<reference>/syndicates/<any('door-sheets', 'name-cards'):what>.pdf")
@requires(RUN)
@limiter.limit("30 per minute")
def print_syndicates(reference: str, what: str) -> ResponseReturnValue:
    """A tagged PDF to print: a sheet for each door, or cards with names."""
    event, now = get_register_event(reference), clock.now()
    people = list_register(event)
    title, markup_of_people = PRINTS[what]
    with transaction():
        log_file(
            "event.printed",
            [person.person_id for person in people],
            actor_id=current_user.person_id,
            event=event.reference,
            file=what,
        )
    return send_pdf(
        markup_of_people(people),
        title=title,
        above=f"{event.title}, {when_and_where(event)}",
        foot=event.reference,
        at=now,
        name=f"{event.reference}-{what}.pdf",
    )


def _group_by_choice(
    event: RegisterEvent, people: list[RegisterPerson], choices: Mapping[int, int | None]
) -> dict[int | None, list[RegisterPerson]]:
    """The people of each syndicate of the event, those in none first; empty ones as well."""
    groups: dict[int | None, list[RegisterPerson]] = {None: []}
    groups |= {number: [] for number in range(1, event.syndicates + 1)}
    for person in people:
        groups.setdefault(choices[person.booking_id], []).append(person)
    return groups


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _describe_mix(people: list[RegisterPerson]) -> dict[int, str]:
    """What is mixed, for each person: role, rank and unit."""
    return {
        person.booking_id: ", ".join(filter(None, (person.role, person.rank, person.unit)))
        for person in people
    }
