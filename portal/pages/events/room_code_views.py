"""The code in the room, and signing in at an event by it."""

from math import ceil

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from portal.domain.events.register import services
from portal.domain.events.register.merging import count_heads
from portal.domain.events.register.queries import RegisterEvent, find_place, get_register_event, read_states
from portal.domain.events.register.room_codes import make_room_code, seconds_to_next_code
from portal.pages.events import register_words
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ForbiddenError, RuleError
from portal.platform.permissions import Permission

LONGEST = 400  # characters of a code or a ticket that are read


@bp.get("/events/<reference>/sign-in/code")
@requires(Permission.EVENT_RUN)
def show_room_code(reference: str) -> ResponseReturnValue:
    """Show the code of these thirty seconds, for a screen in the room; the page brings the next by itself."""
    event, now = get_register_event(reference), clock.now()
    problem = ""
    try:
        services.require_open(event, now)
    except RuleError as error:
        problem = str(error)
    is_over = now > event.ends_at
    count = count_heads(read_states(event.id))
    answer = make_response(
        render_template(
            "events/room_code.html",
            event=event,
            when_and_where=register_words.when_and_where(event),
            problem=problem or ("This event has ended." if is_over else ""),
            code="" if problem or is_over else _draw_room_code(event.reference),
            signed_in=count.here,
        )
    )
    if not is_over:  # a header, because nothing on the page is to be read or filled in meanwhile
        answer.headers["Refresh"] = str(max(1, ceil(seconds_to_next_code(now))))
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
    ticket, problem, status = "", "", 200
    if code:
        try:
            ticket = services.issue_ticket(_secret_key(), event.reference, code[:LONGEST], me, clock.now())
        except (RuleError, ForbiddenError) as error:
            problem = str(error)
            status = 403 if isinstance(error, ForbiddenError) else 409
    return _render_sign_in(event, ticket, problem), status


@bp.post("/events/<reference>/sign-in")
@requires(Permission.LEARN)
def sign_in_at_event(reference: str) -> ResponseReturnValue:
    """Note that the person whose phone read the code is here."""
    ticket = request.form.get("ticket", "")[:LONGEST]
    try:
        with transaction():
            kind = services.sign_in_by_ticket(
                _secret_key(), reference, ticket, current_user.person_id, clock.now()
            )
    except RuleError as error:
        return _render_sign_in(get_register_event(reference), "", str(error)), 409
    flash("You are signed in." if kind == "present" else "You are signed in, as late.", "success")
    return redirect(url_for(".show_sign_in", reference=reference), 303)


def _render_sign_in(event: RegisterEvent, ticket: str, problem: str) -> str:
    me = current_user.person_id
    state = read_states(event.id).get(me)
    return render_template(
        "events/sign_in.html",
        event=event,
        when_and_where=register_words.when_and_where(event),
        has_place=find_place(event.id, me) is not None,
        state=register_words.describe_state(state) if state else "",
        ticket=ticket,
        problem=problem,
    )


def _secret_key() -> str:
    return cookies.current_settings().secret_key
