"""The syndicates of an event: a suggestion, moving people, door sheets and name cards."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.register.queries import (
    RegisterEvent,
    RegisterPerson,
    get_register_event,
    list_register,
)
from portal.domain.events.syndicates.printing import door_sheet_markup, name_card_markup
from portal.domain.events.syndicates.services import move_people, suggest_groups
from portal.pages.events import register_words
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.pdf_files import send_pdf
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

FIELD = "syndicate-"  # before the number of the booking
WAS = "was-"  # where the person was when the page was shown: who was not moved is not written
PRINTS = {"door-sheets": ("Door sheets", door_sheet_markup), "name-cards": ("Name cards", name_card_markup)}


@bp.get("/events/<reference>/syndicates")
@requires(Permission.EVENT_RUN)
def show_syndicates(reference: str) -> ResponseReturnValue:
    """Show who is in which syndicate, each with a choice; with a suggestion filled in where asked."""
    event = get_register_event(reference)
    people = list_register(event)
    is_suggested = bool(request.args.get("suggest"))
    choices = suggest_groups(event, people) if is_suggested else {p.booking_id: p.syndicate for p in people}
    return render_template(
        "events/syndicates.html",
        event=event,
        when_and_where=register_words.when_and_where(event),
        groups=_group_by_choice(event, people, choices),
        chosen=choices,
        is_suggested=is_suggested,
        people=people,
        mix=_describe_mix(people),
    )


@bp.post("/events/<reference>/syndicates")
@requires(Permission.EVENT_RUN)
def move_between_syndicates(reference: str) -> ResponseReturnValue:
    """Move everybody for whom another syndicate was chosen."""
    moves = {
        int(booking): int(value) if value.isdigit() else None
        for name, value in request.form.items()
        if name.startswith(FIELD)
        and _is_number(booking := name.removeprefix(FIELD))
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
@requires(Permission.EVENT_RUN)
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
        above=f"{event.title}, {register_words.when_and_where(event)}",
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
