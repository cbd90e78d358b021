"""The views of all pages under /returns, imported so that their routes are there."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from textwrap import wrap
from typing import Any

from flask import Response, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from portal.domain.directives.queries import list_directives
from portal.features.returns import national_views
from portal.features.returns.building import (
    CHECKS,
    find_comparison_key,
    find_own_public_key,
    is_coordinator,
    load_own_key,
    own_short_name,
    refuse_unless_coordinator,
)
from portal.features.returns.comparisons import COMPARISON_SCHEMA, keep_comparison, read_own_comparison
from portal.features.returns.content import LONGEST_LINE, MOST_PEOPLE, RETURN_SCHEMA, Schema, period_words
from portal.features.returns.feature import MANAGE, VIEW
from portal.features.returns.models import ForceReturn
from portal.features.returns.national_views import bp
from portal.features.returns.queries import (
    MadeReturn,
    find_force,
    find_own_return,
    find_received_return,
    list_comparisons,
    list_forces,
    list_keys,
    list_made_returns,
    list_periods,
    list_received_returns,
)
from portal.features.returns.services import (
    LEAST_READ_OUT,
    LONGEST_REASON,
    NEEDS_REASON,
    NOT_ITS_FINGERPRINT,
    ReturnRefusedError,
    StatedForce,
    add_key,
    ask_for_returns,
    change_force_details,
    end_key,
    keep_own_return,
    log_refused_return,
    prepare_own_return,
    receive_return,
    register_force,
)
from portal.pages.layout.access import public, requires
from portal.pages.layout.fields import button, drop_down, file_to_send, text_line, tick_box, whole_number
from portal.pages.layout.forms import (
    DayField,
    GovInput,
    LineField,
    PortalForm,
    clean_text,
    mark_wrong,
    save_form,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import read_stamps, transaction
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.months import add_months, first_of_month
from portal.platform.signing.keys import take_fingerprint
from portal.platform.wording import date as date_words

# Pages of a force's own returns: the list, making one, its file, and the force beside the others.

# The published schemas of returns and comparisons: for whoever writes or reads them, signed in or not.

SECONDS = 3_600


@bp.get("/returns/schema.json")
@public
def show_schema() -> ResponseReturnValue:
    """Show the JSON Schema of returns; it is the same for every force and holds nothing of one."""
    return _answer_schema(RETURN_SCHEMA)


@bp.get("/returns/comparison-schema.json")
@public
def show_comparison_schema() -> ResponseReturnValue:
    """Show the JSON Schema of the coordinating unit's comparisons."""
    return _answer_schema(COMPARISON_SCHEMA)


def _answer_schema(schema: Schema) -> Response:
    text = json.dumps(schema, indent=1, ensure_ascii=False)
    answer = Response(f"{text}\n", mimetype="application/schema+json")
    answer.cache_control.public = True
    answer.cache_control.max_age = SECONDS
    return answer


# Rows of the table of a force's returns: of those that it made itself, or that came from it.


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return in the table.

    Attributes:
        period: Its month.
        place: Its number in the address of its file.
        number: As the file says: 1 for the first of its month on its directive.
        directive: Its reference; "" where all are on one.
        day: On which it was made, or received.
        is_replaced: Whether a correction of it is in the table.
    """

    period: str
    place: int
    number: int
    directive: str
    day: date | datetime
    is_replaced: bool


def list_rows_of_made(made: Sequence[MadeReturn]) -> list[ReturnRow]:
    """List the rows of returns that this force made, in their order."""
    replaced = {each.row.replaces_id for each in made}
    several = len({each.content.directive for each in made}) > 1
    return [
        ReturnRow(
            each.row.period,
            each.row.number,
            each.number,
            each.content.directive if several else "",
            each.row.recorded_at,
            each.row.id in replaced,
        )
        for each in made
    ]


def list_rows_of_received(received: Iterable[ForceReturn]) -> list[ReturnRow]:
    """List the rows of returns that came from a force, the latest month first; the highest number counts."""
    rows: list[ReturnRow] = []
    for each in sorted(received, key=lambda row: (row.period, row.number), reverse=True):
        is_replaced = bool(rows) and rows[-1].period == each.period
        rows.append(ReturnRow(each.period, each.number, each.number, "", each.received_on, is_replaced))
    return rows


# Forms of returns: making one, loading a file, and what a coordinating unit states of a force.


def _period_field() -> LineField:
    return text_line(
        "Month", "Year and month, such as 2026-04", required="Enter a month such as 2026-04", width=10
    )


def _day_field(label: str, missing: str, **kwargs: Any) -> DayField:
    widget = GovInput(classes="govuk-input--width-10", autocomplete="off")
    return DayField(label, missing=missing, widget=widget, **kwargs)


class MakeReturnForm(PortalForm):
    """The month and directive of a return, and whether small numbers are hidden."""

    period = _period_field()
    directive = drop_down("Directive", required="Select a directive")
    hide_small = tick_box(
        "Hide small numbers",
        "The return then shows what the FOI pack of that day shows, and nothing else. "
        "Without it the coordinating unit gets every number, and hides small ones in what it publishes.",
    )
    reason = text_line(
        "Why it is made again (optional)",
        "Needed if you made one of this month on this directive before. "
        "The coordinating unit reads it. Name posts and meetings, not people.",
        most=LONGEST_REASON,
    )
    send = button("Make the return")

    def offer_directives(self, titles: Sequence[tuple[str, str]]) -> None:
        """Offer directives by reference; with one alone it is chosen."""
        choices = [SelectChoice(value=key, label=f"{key}: {title}") for key, title in titles]
        none = [SelectChoice(value="", label="Select a directive")] if len(choices) != 1 else []
        self.directive.choices = [*none, *choices]


class LoadFileForm(PortalForm):
    """A signed file."""

    file = file_to_send(
        "File", "A JSON file, as it came", required="Choose a file", accept=".json,application/json"
    )
    send = button("Check the file")


class ForceForm(PortalForm):
    """The name and size of a force from a day on; ``key`` only while it is registered."""

    key = text_line(
        "Short name",
        "Used in its returns. It cannot be changed later. Small letters, digits and hyphens, "
        "such as westshire",
        required="Enter a short name",
        most=60,
        width=20,
    )
    name = text_line("Name", required="Enter the name of the force", most=LONGEST_LINE)
    headcount = whole_number(
        "People in its workforce",
        "As published; figures are shown by the size of a force",
        width=10,
        autocomplete="off",
        message="Enter how many people work there",
        least=1,
        most=MOST_PEOPLE,
    )
    from_on = _day_field("From which day is this true?", "Enter the day")
    send = button("Save")

    def read_details(self) -> StatedForce:
        """The details of a valid form."""
        assert self.from_on.day is not None
        return StatedForce(self.name.data or "", self.headcount.number or 0, self.from_on.day)


class AddKeyForm(PortalForm):
    """A public key of a force."""

    public_key = text_line(
        "Public key",
        "44 characters, as the force’s own page of returns shows them",
        required="Enter the public key",
        most=100,
        spellcheck="false",
        filters=[lambda text: "".join(clean_text(text or "").split())],
    )
    read_out = text_line(
        "Its fingerprint, as the force read it out",
        f"By telephone or in person: at least {LEAST_READ_OUT} characters. Spaces do not matter",
        required=NOT_ITS_FINGERPRINT,
        most=100,
        spellcheck="false",
    )
    from_on = _day_field("From which day is it valid?", "Enter the day")
    send = button("Register the key")


class EndKeyForm(PortalForm):
    """The day from which a key is no longer valid."""

    from_on = _day_field("On which day it stopped counting", "Enter the day")
    send = button("End the key", warning=True)


class AskReturnsForm(PortalForm):
    """A month for which every force is asked, and by when."""

    period = _period_field()
    due_on = _day_field(
        "Last day on which a return is on time", "Enter the day", description="For example, 15 May 2026"
    )
    send = button("Ask for returns")


@bp.get("/returns")
@requires(VIEW)
def show_returns() -> ResponseReturnValue:
    """Show the returns that this force made, its key, and the comparisons that came."""
    public_key = find_own_public_key()
    return render_template(
        "returns/index.html",
        period_words=period_words,
        returns=list_rows_of_made(list_made_returns()),
        comparisons=list_comparisons(),
        short_name=own_short_name(),
        public_key=public_key,
        fingerprint=wrap(take_fingerprint(public_key), 4) if public_key else [],
        may_manage=MANAGE in current_user.permissions,
        coordinates=is_coordinator(),
    )


@bp.route("/returns/new", methods=["GET", "POST"])
@requires(MANAGE, recent=True)
def make_return() -> ResponseReturnValue:
    """Make a signed return of a month."""
    today = clock.today()
    last_month = add_months(first_of_month(today), -1)
    form = MakeReturnForm(data={"period": f"{last_month:%Y-%m}"})
    titles = [
        (directive.reference, directive.shown_version(today).file.title) for directive in list_directives()
    ]
    form.offer_directives(titles)
    if form.validate_on_submit():
        try:
            content = prepare_own_return(
                form.directive.data,
                form.period.data or "",
                hide=bool(form.hide_small.data),
                now=clock.now(),
                newest=read_stamps()[0],
            )
            with transaction():
                made = keep_own_return(
                    content,
                    load_own_key(),
                    at=clock.now(),
                    by=current_user.person_id,
                    reason=form.reason.data or "",
                )
                number = made.number
        except (BadInputError, RuleError, NotFoundError) as error:
            mark_wrong(form.reason if str(error) == NEEDS_REASON else form.period, str(error))
        else:
            flash(
                f"Return {number} of {period_words(content.period)} is made. Download it and send it.",
                "success",
            )
            return redirect(url_for(".show_returns"), 303)
    return render_template("returns/new.html", form=form), 400 if form.errors else 200


@bp.get("/returns/made/<period>/<int:number>.json")
@requires(VIEW)
def download_return(period: str, number: int) -> ResponseReturnValue:
    """Download a return, byte for byte as it was signed; ``number`` counts all of the month."""
    content = find_own_return(period, number).content
    name = f"{own_short_name()}-return-{period}-{number}.json"
    with transaction():
        log("return.downloaded", actor_id=current_user.person_id, period=period, number=number)
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=name)


@bp.route("/returns/comparisons/new", methods=["GET", "POST"])
@requires(MANAGE)
def load_comparison() -> ResponseReturnValue:
    """Load a comparison that the coordinating unit sent."""
    form = LoadFileForm()
    if form.validate_on_submit():
        try:
            key, file = find_comparison_key(), form.file.data.read()
            with transaction():
                period = keep_comparison(file, key, at=clock.now(), by=current_user.person_id)
        except (BadInputError, RuleError) as error:
            form.file.errors = error.reasons if isinstance(error, BadInputError) else [str(error)]
        else:
            flash(f"The comparison of {period_words(period)} is loaded.", "success")
            return redirect(url_for(".show_comparison", period=period), 303)
    return render_template("returns/load_comparison.html", form=form), 400 if form.errors else 200


@bp.get("/returns/comparisons/<period>")
@requires(VIEW)
def show_comparison(period: str) -> ResponseReturnValue:
    """Show this force beside the anonymous others."""
    comparison = read_own_comparison(period, find_comparison_key())
    return render_template(
        "returns/comparison.html", period_words=period_words, own=comparison, period=period
    )


# Pages of a coordinating unit: the forces, their names, sizes and keys, and the months it asks for.


def _day_today() -> dict[str, str]:
    return {"from_on": date_words(clock.today())}


@bp.get("/returns/forces")
@requires(VIEW)
def show_forces() -> ResponseReturnValue:
    """Show every force with its size, and how many of its keys are valid today."""
    refuse_unless_coordinator()
    today = clock.today()
    valid_keys = {force: sum(key.is_valid_on(today) for key in keys) for force, keys in list_keys().items()}
    return render_template(
        "returns/forces.html",
        forces=list_forces(today),
        valid_keys=valid_keys,
        may_manage=MANAGE in current_user.permissions,
    )


@bp.route("/returns/forces/new", methods=["GET", "POST"])
@requires(MANAGE)
def add_force() -> ResponseReturnValue:
    """Register a force."""
    refuse_unless_coordinator()
    form = ForceForm(data=_day_today())
    if form.validate_on_submit():
        with save_form(form):
            register_force(form.key.data, form.read_details(), at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The force is registered. Register its public key next.", "success")
            return redirect(url_for(".show_force", key=form.key.data), 303)
    return render_template("returns/force_form.html", form=form, force=None), 400 if form.errors else 200


@bp.get("/returns/forces/<key>")
@requires(VIEW)
def show_force(key: str) -> ResponseReturnValue:
    """Show a force, its keys, and every return that came from it."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    return render_template(
        "returns/force.html",
        period_words=period_words,
        force=force,
        keys=list_keys([force.id]).get(force.id, []),
        returns=list_rows_of_received(list_received_returns(force.id)),
        today=clock.today(),
        may_manage=MANAGE in current_user.permissions,
    )


@bp.route("/returns/forces/<key>/details", methods=["GET", "POST"])
@requires(MANAGE)
def change_force(key: str) -> ResponseReturnValue:
    """State what a force is called and how large it is, from a day on."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    form = ForceForm(data={"name": force.name, "headcount": str(force.headcount), **_day_today()})
    del form.key
    if form.validate_on_submit():
        with save_form(form):
            change_force_details(key, form.read_details(), at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The details are saved.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    return render_template("returns/force_form.html", form=form, force=force), 400 if form.errors else 200


@bp.route("/returns/forces/<key>/keys/new", methods=["GET", "POST"])
@requires(MANAGE, recent=True)
def register_key(key: str) -> ResponseReturnValue:
    """Register a public key of a force."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    form = AddKeyForm(data=_day_today())
    if form.validate_on_submit() and form.from_on.day:
        with save_form(form):
            add_key(
                key,
                form.public_key.data,
                read_out=form.read_out.data or "",
                from_on=form.from_on.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash("The key is registered.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    return render_template("returns/key.html", form=form, force=force), 400 if form.errors else 200


@bp.route("/returns/forces/<key>/keys/<fingerprint>/end", methods=["GET", "POST"])
@requires(MANAGE, recent=True)
def end_force_key(key: str, fingerprint: str) -> ResponseReturnValue:
    """End a key of a force: from a day on no return signed with it is received."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    force_keys = list_keys([force.id]).get(force.id, [])
    if not any(row.fingerprint == fingerprint and row.ended_on is None for row in force_keys):
        raise NotFoundError("The force has no such key, or it has ended already.")
    form = EndKeyForm(data=_day_today())
    if form.validate_on_submit() and form.from_on.day:
        with save_form(form):
            end_key(key, fingerprint, from_on=form.from_on.day, at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The key is ended.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    html = render_template("returns/end_key.html", form=form, force=force, fingerprint=fingerprint)
    return html, 400 if form.errors else 200


@bp.route("/returns/periods", methods=["GET", "POST"])
@requires(MANAGE)
def ask_returns() -> ResponseReturnValue:
    """Show the months that are asked for, ask for another, or change the day by which one is due."""
    refuse_unless_coordinator()
    form = AskReturnsForm()
    if form.validate_on_submit() and form.due_on.day:
        with save_form(form):
            period = ask_for_returns(
                form.period.data, form.due_on.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash(f"Every force is asked for its return of {period_words(period)}.", "success")
            return redirect(url_for(".ask_returns"), 303)
    html = render_template(
        "returns/periods.html", period_words=period_words, form=form, periods=list_periods()
    )
    return html, 400 if form.errors else 200


# Pages of a coordinating unit on which it receives a return, and downloads a received one.

NOT_TAKEN = "This file does not pass, so it is not received. The page says what each check found"


@bp.route("/returns/received/new", methods=["GET", "POST"])
@requires(MANAGE)
def load_return() -> ResponseReturnValue:
    """Receive a return; one that fails a check is not kept, and the page says what each check found."""
    refuse_unless_coordinator()
    form, refused = LoadFileForm(), None
    if form.validate_on_submit():
        try:
            with transaction():
                received = receive_return(form.file.data.read(), at=clock.now(), by=current_user.person_id)
        except ReturnRefusedError as error:
            with transaction():
                log_refused_return(error, by=current_user.person_id)
            refused = error.checked
            form.file.errors = error.reasons[:1] if refused.has_passed else [NOT_TAKEN]
        else:
            title = f"Return {received.number} of {period_words(received.period)}"
            if received.was_known:
                flash(f"{title} had come before. Nothing was changed.", "success")
            else:
                flash(" ".join((f"{title} is received.", *received.notes)), "success")
            return redirect(url_for(".show_force", key=received.force), 303)
    html = render_template(
        "returns/load_return.html", period_words=period_words, form=form, refused=refused, checks=CHECKS
    )
    return html, 400 if form.errors else 200


@bp.get("/returns/forces/<key>/returns/<period>/<int:number>.json")
@requires(VIEW)
def download_received(key: str, period: str, number: int) -> ResponseReturnValue:
    """Download a received return, byte for byte."""
    refuse_unless_coordinator()
    received = find_received_return(find_force(key, clock.today()).id, period, number)
    if received is None:
        raise NotFoundError("This return has not arrived.")
    content = received.content
    with transaction():
        log("return.taken_out", actor_id=current_user.person_id, force=key, period=period, number=number)
    name = f"{key}-return-{period}-{number}.json"
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=name)


__all__ = ["bp", "national_views"]
