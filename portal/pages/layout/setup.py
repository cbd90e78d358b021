"""What an application needs in order to look like the portal, from the log of requests to WSGI."""

from functools import partial
from typing import Any

from flask import Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import AnonymousUserMixin, current_user
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from werkzeug.routing import IntegerConverter, Map

from config import Config
from portal.domain.accounts.queries import RequestSession
from portal.pages.layout import (
    assets,
    brand,
    components,
    compression,
    error_pages,
    forms,
    item_kinds,
    proxies,
)
from portal.pages.layout.access import limiter, list_parts, public
from portal.pages.layout.error_pages import UpgradingError
from portal.pages.layout.navigation import first_page, navigation_of
from portal.pages.layout.pdf_files import register_busy_files
from portal.pages.layout.query_arguments import refuse_control_characters
from portal.pages.layout.request_log import register_request_log
from portal.pages.layout.sessions.cookies import session_limits
from portal.pages.layout.sessions.request_guard import (
    NOTE_USE_EVERY,
    register_refused_forms,
    register_sessions,
)
from portal.pages.layout.sessions.step_up import register_step_up
from portal.platform import clock, wording
from portal.platform.db import db, newest_stamp
from portal.platform.operations.readiness import SchemaWatch
from portal.platform.permissions import Permission
from portal.platform.wording import instant

# The functions of ``portal.platform.wording`` that templates use as filters.
FILTERS = (
    "date",
    "month_words",
    "instant",
    "clock_time",
    "minutes_words",
    "days_words",
    "percent_cut",
    "percent_exact",
    "marks_words",
    "number",
    "plural",
)


LARGEST_NUMBER = 2**31 - 1


class AddressNumber(IntegerConverter):
    """A number in an address: a larger one than any row has leads to no page, and not into the database."""

    def __init__(self, routes: Map) -> None:
        super().__init__(routes, max=LARGEST_NUMBER)


class SharedModule(Template):
    """A template that others import macros from: one module for all, as no page adds globals of its own."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return super()._get_default_module()


MOST_BYTES = 2 * 1024 * 1024  # of one request at the authors' desk
LIMITS = {  # of requests, as Flask names them
    "MAX_CONTENT_LENGTH": 768 * 1024,
    "MAX_FORM_MEMORY_SIZE": MOST_BYTES,
    "MAX_FORM_PARTS": 500,
}
NUMBER = "<staff_number>"  # in the address of a page about a person


def prepare_pages(app: Flask, config: Config) -> None:
    """Let every request pass what all pages need, in this order, before the rooms of pages are registered."""
    register_request_log(app)
    compression.register_compression(app)
    proxies.register_origin(app)
    register_release_guard(app, SchemaWatch(config.sqlalchemy_url, config.instance, partial(_close_all, app)))
    register_refused_forms(app)
    register_busy_files(app)
    app.before_request(refuse_control_characters)
    register(app, brand_colour=config.brand_colour)
    error_pages.tell_in_forms_of(app, config.features_on)
    item_kinds.register_templates(app)
    limiter.init_app(app)
    app.before_request(_allow_long_texts)
    register_sessions(app, config)
    register_step_up(app)
    register_frame(app, force_name=config.force_name)


def _close_all(app: Flask) -> None:
    """Close the connections to each database."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def _allow_long_texts() -> None:
    """Accept larger requests at the authors' desk, so that a text too long for its field is explained."""
    if request.blueprint == "authoring":
        request.max_content_length = max(MOST_BYTES, request.max_content_length or 0)  # an upload has more


def list_words_beside_people(app: Flask) -> set[str]:
    """The words in addresses of pages that take the place of a staff number, such as ``accounts``."""
    addresses = [tuple(rule.rule.split("/")) for rule in app.url_map.iter_rules()]
    starts = {parts[: parts.index(NUMBER)] for parts in addresses if NUMBER in parts}
    beside = {
        parts[len(start)]
        for start in starts
        for parts in addresses
        if parts[: len(start)] == start and len(parts) > len(start)
    }
    return {name for name in beside if "<" not in name}


def register(app: Flask, *, brand_colour: str = brand.DEFAULT) -> None:
    """Give ``app`` the layouts, the components, the GOV.UK macros, the filters and the error pages.

    Raises:
        BrandColourError: White text on ``brand_colour`` could not be read.
    """
    loaders = [
        PackageLoader("portal.pages.layout"),
        PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
    ]
    if app.jinja_loader is not None:
        loaders.insert(0, app.jinja_loader)
    app.jinja_loader = ChoiceLoader(loaders)
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.template_class = SharedModule
    app.url_map.converters["int"] = AddressNumber
    colour = app.config["BRAND_COLOUR"] = brand.check_colour(brand_colour)
    if colour != brand.DEFAULT:
        app.jinja_env.globals.update(brand_colour=colour, brand_sheet=f"/brand.css?{colour[1:]}")
    for part in (assets, components, forms, error_pages):
        part.register(app)
    for name in FILTERS:
        app.add_template_filter(getattr(wording, name))


def wrap(app: Flask, *, https: bool, trusted: tuple[proxies.Network, ...] = ()) -> None:
    """Serve the compiled files in front of ``app`` and put the headers around all of it; call it last."""
    assets.wrap_static(app)
    proxies.wrap_senders(app, trusted)
    compression.wrap_headers(app, https=https)


# The frame of every page: its navigation, the person signed in, and a warning when the clock is wrong.


def register_frame(app: Flask, *, force_name: str) -> None:
    """Give the templates of ``app`` the values of the frame, and the portal its first page."""
    app.context_processor(lambda: _frame_values(force_name))
    app.jinja_env.globals.update(clock_alarm=clock_alarm, list_parts=list_parts)
    app.add_url_rule("/", "home", redirect_home)


def _frame_values(force_name: str) -> dict[str, Any]:
    account = current_user._get_current_object()  # once, not at each word of the page that asks
    signed_in = account.is_authenticated
    permissions = account.permissions if signed_in else frozenset()
    return {
        "force_name": force_name,
        "viewer": account if signed_in else None,
        "home_url": first_page(permissions) if signed_in else "/",
        "navigation": navigation_of(permissions, request.path),
        "session_seconds": session_seconds(account.session) if signed_in else None,
    }


def session_seconds(session: RequestSession) -> tuple[int, int]:
    """In how many seconds this session ends if nothing is opened, and in how many it ends in any case."""
    limits = session_limits()
    idle = limits.idle - NOTE_USE_EVERY  # its last use may be noted so much too early
    left = session.created_at + limits.absolute - clock.now()
    return int(idle.total_seconds()), max(int(left.total_seconds()), 0)


@public
def redirect_home() -> ResponseReturnValue:
    """Redirect to the page with which a person's work begins."""
    if not current_user.is_authenticated:
        return redirect(url_for("sign_in.sign_in"))
    return redirect(first_page(current_user.permissions))


def clock_alarm() -> str:
    """Warning for administrators that the server's clock is or was wrong; else empty.

    Reads the database, so a template calls it only on the few pages that show it.
    """
    if Permission.JOB_VIEW not in current_user.permissions:
        return ""
    newest, now = newest_stamp(), clock.now()
    if newest is None or not clock.is_ahead(newest, now):
        return ""
    return (
        f"The server’s clock says {instant(now)}, but the newest entry was recorded at {instant(newest)}. "
        "Ask the people who run the portal to check the clock today, and to follow docs/runbook/clock.md."
    )


# Answers that the portal is being upgraded while the database is of another release than this server.

WATCH = "schema_watch"
# What monitoring asks, and the force's colour on the page that is shown instead.
SERVED = frozenset({"operations.healthz", "operations.metrics", "operations.readyz", "statements.brand"})


def register_release_guard(app: Flask, watch: SchemaWatch) -> None:
    """Refuse pages of ``app`` while ``watch`` has a reason; call it before whatever reads the database."""
    app.extensions[WATCH] = watch
    app.before_request(refuse_other_release)


def refuse_other_release() -> None:
    """Refuse a request, unless it is one of ``SERVED``, if the database cannot be used by this release.

    Raises:
        UpgradingError: It cannot.
    """
    if request.endpoint in SERVED:
        return
    watch: SchemaWatch = current_app.extensions[WATCH]
    if watch.reason_to_wait():
        g._login_user = AnonymousUserMixin()  # or the frame of the page would look for the session
        raise UpgradingError
