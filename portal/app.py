"""create_app(): the one file that knows every feature."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.access import public, refuse_undeclared_routes
from portal.accounts import boot as accounts_boot
from portal.accounts import cli as accounts_cli
from portal.accounts import models as accounts_models
from portal.accounts import views as accounts_views
from portal.assessment import cli as assessment_cli
from portal.assessment import models as assessment_models
from portal.assessment import views as assessment_views
from portal.audit import models as audit_models
from portal.authoring import cli as authoring_cli
from portal.authoring import models as authoring_models
from portal.authoring import views as authoring_views
from portal.catalogue import models as catalogue_models
from portal.catalogue import views as catalogue_views
from portal.db import db, prepare_engine, subscribe
from portal.decisions import models as decisions_models
from portal.decisions import views as decisions_views
from portal.demo import cli as demo_cli
from portal.directives import cli as directives_cli
from portal.directives import models as directives_models
from portal.directives import reconcile
from portal.directives import views as directives_views
from portal.extensions import csrf, limiter, migrate
from portal.guides import views as guides_views
from portal.imports import cli as imports_cli
from portal.imports import models as imports_models
from portal.imports import views as imports_views
from portal.jobs import cli as jobs_cli
from portal.jobs import models as jobs_models
from portal.jobs import views as jobs_views
from portal.kinds import templates as kind_templates
from portal.learning import views as learning_views
from portal.monitoring import cli as monitoring_cli
from portal.monitoring import models as monitoring_models
from portal.monitoring import views as monitoring_views
from portal.operations import alarms, release
from portal.operations import cli as operations_cli
from portal.operations import tasks as operations_tasks
from portal.operations import views as operations_views
from portal.people import cli as people_cli
from portal.people import models as people_models
from portal.people import units_cli
from portal.permissions import Permission
from portal.records import cli as records_cli
from portal.records import models as records_models
from portal.records import views as records_views
from portal.reminders import cli as reminders_cli
from portal.reminders import models as reminders_models
from portal.reminders import notices
from portal.reminders import tasks as reminders_tasks
from portal.reminders import views as reminders_views
from portal.standing import lines
from portal.standing import models as standing_models
from portal.standing import tasks as standing_tasks
from portal.units import views as units_views
from portal.web import characters, face, pages

TABLES = (
    people_models,
    audit_models,
    accounts_models,
    jobs_models,
    catalogue_models,
    records_models,
    directives_models,
    assessment_models,
    standing_models,
    authoring_models,
    reminders_models,
    decisions_models,
    imports_models,
    monitoring_models,
)

VIEWS = (
    accounts_views,
    learning_views,
    assessment_views,
    catalogue_views,
    guides_views,
    records_views,
    directives_views,
    decisions_views,
    monitoring_views,
    reminders_views,
    authoring_views,
    imports_views,
    jobs_views,
    operations_views,
    units_views,
)

COMMANDS = (
    accounts_cli,
    assessment_cli,
    authoring_cli,
    demo_cli,
    directives_cli,
    imports_cli,
    jobs_cli,
    monitoring_cli,
    operations_cli,
    people_cli,
    records_cli,
    reminders_cli,
    units_cli,
)

TASKS = (operations_tasks, reminders_tasks, standing_tasks)  # each registers its kinds as it is imported


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the service navigation."""

    text: str
    href: str
    current: bool


NAVIGATION = (
    ("Monitoring", "/monitoring", Permission.COMPLETION_VIEW),
    ("People", "/people", Permission.PERSON_VIEW),
    ("Directives", "/directives", Permission.DIRECTIVE_ISSUE),
    ("Authoring", "/authoring", Permission.AUTHORING_VIEW),
    ("My learning", "/learning", Permission.LEARN),
    ("Modules", "/modules", Permission.LEARN),
    ("Guides", "/guides", Permission.LEARN),
    ("Records", "/records", Permission.LEARN),
)
MOST_BYTES = 2 * 1024 * 1024  # of one request at the authors' desk
MOST_ENTRIES = 5  # more would not be read; My learning leads to the rest


def create_app(config: Config | None = None) -> Flask:
    """The application, its settings read from the environment unless given.

    Raises:
        ConfigError: A setting is missing or wrong.
        RuntimeError: A route does not say who may call it.
    """
    config = config or Config()
    app = Flask(__name__, static_folder=None, template_folder=None, instance_path=str(config.instance))
    if config.mode == "production":
        config.unmark_demo()
    app.config.update(
        PORTAL=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        MAX_CONTENT_LENGTH=768 * 1024,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        MAX_FORM_PARTS=500,
    )
    app.logger.setLevel(logging.INFO)
    _prepare_database(app)
    _prepare_pages(app, config)
    for feature in VIEWS:
        app.register_blueprint(feature.bp)
    for feature in COMMANDS:
        release.refuse_other_releases(feature.bp.cli)
        app.register_blueprint(feature.bp)
    app.register_blueprint(pages.blueprint(public))
    app.add_url_rule("/", "home", home)
    refuse_undeclared_routes(app)
    face.wrap(app, https=config.secure, trusted=config.trusted_networks)
    return app


def _prepare_database(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(app, db)
    subscribe(reconcile.reconcile, lines.lines, announcer=notices.post_notices)
    with app.app_context():
        prepare_engine(db.engine)


def _prepare_pages(app: Flask, config: Config) -> None:
    characters.register(app)
    face.register(app, brand_colour=config.brand_colour)
    kind_templates.register(app)
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(_take_long_texts)
    accounts_boot.register(app, config)
    app.context_processor(lambda: _frame(config))
    app.jinja_env.globals["clock_alarm"] = alarms.clock_alarm


def _take_long_texts() -> None:
    """At the authors' desk, let files in, and a text too long for its field come back with a sentence."""
    if request.blueprint == authoring_views.bp.name:
        request.max_content_length = max(MOST_BYTES, request.max_content_length or 0)  # an upload has more


def _frame(config: Config) -> dict[str, Any]:
    """What the layout of every page needs."""
    account = current_user._get_current_object()  # once, not at each word of the page that asks
    signed_in = account.is_authenticated
    held = account.permissions if signed_in else frozenset()
    return {
        "force_name": config.force_name,
        "viewer": account if signed_in else None,
        "navigation": _navigation(held, "/" + request.path.split("/", 2)[1]),
    }


@lru_cache(maxsize=256)
def _navigation(held: frozenset[Permission], section: str) -> tuple[Entry, ...]:
    """The entries of one who holds these permissions, on a page of this section."""
    entries = [Entry(text, href, href == section) for text, href, asked in NAVIGATION if asked in held]
    return tuple(entries[:MOST_ENTRIES])


@public
def home() -> ResponseReturnValue:
    """The page with which a person's work begins."""
    if not current_user.is_authenticated:
        return redirect(url_for("accounts.sign_in"))
    desks = (href for _, href, permission in NAVIGATION if permission in current_user.permissions)
    return redirect(next(desks, "/account"))
