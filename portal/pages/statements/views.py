"""Help, the statements in the footer, the force's style sheet, and where to report a weakness."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue.version_cache import shared_content
from portal.domain.retention.queries import months_by_class
from portal.domain.subject_access.periods import list_disposed, list_periods
from portal.pages.layout import brand
from portal.pages.layout.access import public
from portal.pages.layout.sessions import cookies
from portal.platform import clock

CONTACT_VALID = timedelta(days=90)  # a reader asks again after that; the RFC advises less than a year
STATEMENTS = ("help", "cookies")
PREPARED_ON = date(2026, 11, 28)  # the accessibility statement; a new day when its words change


def _statement_view(name: str) -> Callable[[], ResponseReturnValue]:
    def view() -> ResponseReturnValue:
        return render_template(f"statements/{name}.html")

    view.__name__ = name
    view.__doc__ = f"Show the page ``/{name}``."
    return view


def _force_values() -> dict[str, str]:
    """What the force filled in, by key, for sentences that end with it."""
    return {key: value.rstrip(".") for key, value in shared_content().values.items()}


def accessibility() -> ResponseReturnValue:
    """Show the accessibility statement in the form that the regulations of 2018 ask for."""
    return render_template(
        "statements/accessibility.html",
        force=_force_values(),
        address=cookies.current_settings().address,
        prepared_on=PREPARED_ON,
    )


def privacy() -> ResponseReturnValue:
    """Show the privacy notice, with the periods that the portal keeps to."""
    periods = list_periods(cookies.current_settings())
    disposed = list_disposed(months_by_class())
    return render_template(
        "statements/privacy.html", force=_force_values(), periods=periods, disposed=disposed
    )


def brand_sheet() -> ResponseReturnValue:
    """Serve the force's colour as a style sheet; browsers may cache it by its address."""
    style = Response(brand.style_sheet(current_app.config["BRAND_COLOUR"]), mimetype="text/css")
    style.headers["Cache-Control"] = "public, max-age=86400"
    return style


def show_security_contact() -> ResponseReturnValue:
    """Say where to report a weakness, as RFC 9116 asks; 404 where the force has set no contact."""
    settings = cookies.current_settings()
    if not settings.security_contact:
        abort(404)
    expires = datetime.combine(clock.today() + CONTACT_VALID, time(), UTC)
    lines = (
        f"Contact: {settings.security_contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.address}/.well-known/security.txt",
    )
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")


bp = Blueprint("statements", __name__, template_folder="templates")
for _name in STATEMENTS:
    bp.add_url_rule(f"/{_name}", _name, public(_statement_view(_name)))
bp.add_url_rule("/accessibility", "accessibility", public(accessibility))
bp.add_url_rule("/privacy", "privacy", public(privacy))
bp.add_url_rule("/brand.css", "brand", public(brand_sheet))
bp.add_url_rule("/.well-known/security.txt", "security_contact", public(show_security_contact))
