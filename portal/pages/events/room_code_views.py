"""The code in the room, and signing in at an event by it."""

from math import ceil

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from wtforms import HiddenField, SubmitField
from wtforms.validators import InputRequired

from portal.domain.events.register import services
from portal.domain.events.register.merging import count_heads
from portal.domain.events.register.queries import (
    RegisterEvent,
    find_place,
    get_register_event,
    read_outcomes,
    read_states,
)
from portal.domain.events.register.room_codes import make_room_code, make_room_number, seconds_to_next_number
from portal.pages.events import register_words
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import LineField
from portal.pages.layout.form_widgets import GovInput, GovSubmit
from portal.pages.layout.forms import save_form
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.errors import ForbiddenError, RuleError
from portal.platform.permissions import Permission

LONGEST = 400  # characters of a code or a ticket that are read
AT_MOST = "6 per minute"  # of one person, so that nobody guesses the number; counted in memory alone


class RoomNumberForm(PortalForm):
    """The number that the screen shows, with the ticket for which the code was exchanged."""

    ticket = HiddenField()
    number = LineField(
        "Number on the screen",
        description="4 digits, new every 10 seconds. Wait until they change, then enter the new ones.",
        widget=GovInput(classes="govuk-input--width-4", inputmode="numeric", autocomplete="off"),
        validators=[InputRequired("Enter the number that the screen in the room shows")],
    )
    send = SubmitField("I am here", widget=GovSubmit())


@bp.get("/events/<reference>/sign-in/code")
@requires(Permission.EVENT_RUN)
def show_room_code(reference: str) -> ResponseReturnValue:
    """Show the code and the number of now, for a screen in the room; the page brings the next by itself."""
    event, now = get_register_event(reference), clock.now()
    problem = services.why_closed(event, now)
    is_over = now > event.ends_at
    count = count_heads(read_states(event.id))
    answer = make_response(
        render_template(
            "events/room_code.html",
            event=event,
            when_and_where=register_words.when_and_where(event),
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
            ticket = services.issue_ticket(_secret_key(), event.reference, code[:LONGEST], me, clock.now())
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
                kind = services.sign_in_by_ticket(
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
        when_and_where=register_words.when_and_where(event),
        has_place=find_place(event.id, me) is not None,
        state=register_words.describe_state(state) if state else "",
        signed_off=register_words.describe_signed_off(outcome) if outcome else "",
        form=form,
        problem=problem,
    )


def _secret_key() -> str:
    return cookies.current_settings().secret_key
