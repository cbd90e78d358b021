"""Pages of a coordinating unit on which it receives a return, and downloads a received one."""

from io import BytesIO

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.returns.checking import CHECKS
from portal.domain.returns.content import period_words
from portal.domain.returns.own_key import refuse_unless_coordinator
from portal.domain.returns.queries import find_force, find_received_return
from portal.domain.returns.services import ReturnRefusedError, log_refused_return, receive_return
from portal.pages.layout.access import requires
from portal.pages.returns.blueprint import bp
from portal.pages.returns.forms import LoadFileForm
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

NOT_TAKEN = "This file does not pass, so it is not received. The page says what each check found"


@bp.route("/returns/received/new", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE)
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
@requires(Permission.RETURN_VIEW)
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
