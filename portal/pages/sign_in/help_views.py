"""Pages for people who cannot sign in: whom to ask, and a link by mail."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.accounts.sign_in.reset_requests import record_request
from portal.pages.layout.access import public
from portal.pages.layout.sessions import cookies
from portal.pages.sign_in.forms import LinkRequestForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.observability.logs import get_logger

_log = get_logger("portal.sign_in")


def add_help_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of signing in."""
    for path, view, methods in (
        ("/sign-in/help", sign_in_help, ["GET"]),
        ("/sign-in/help", request_link, ["POST"]),
        ("/sign-in/help/sent", link_requested, ["GET"]),
    ):
        bp.add_url_rule(path, view.__name__, view, methods=methods)


@public
def sign_in_help() -> ResponseReturnValue:
    """Say what to do if one cannot sign in, and offer a link by mail."""
    return _render_help(LinkRequestForm(formdata=None))


@public
def request_link() -> ResponseReturnValue:
    """Note that somebody asked for a link by mail; the answer is the same for every name.

    A worker finds out later who gets a mail, so that neither the words nor the time of the answer tell.
    """
    form = LinkRequestForm()
    if not cookies.current_settings().smtp_host:
        return redirect(url_for("sign_in.sign_in_help"), 303)
    if not form.validate_on_submit():
        return _render_help(form)
    address = cookies.request_origin().address
    with transaction():
        is_within_limit = record_request(form.name.data or "", address, clock.now())
    if not is_within_limit:
        _log.warning("links_by_mail.throttled", address=address)
    return redirect(url_for("sign_in.link_requested"), 303)


@public
def link_requested() -> ResponseReturnValue:
    """Say what happens after a link was asked for, whether or not there is such an account."""
    settings = cookies.current_settings()
    return render_template("sign_in/link_requested.html", sign_in_help=settings.sign_in_help)


def _render_help(form: LinkRequestForm) -> ResponseReturnValue:
    settings = cookies.current_settings()
    return render_template(
        "sign_in/help.html",
        form=form,
        relay=bool(settings.smtp_host),
        sign_in_help=settings.sign_in_help,
        provider_label=settings.provider_label,
        passwords_for_everyone=settings.passwords_for_everyone,
    )
