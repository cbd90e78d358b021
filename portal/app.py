"""create_app(): the one file that knows every room. First the core, then the features that are on."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Blueprint, Flask, current_app

from config import Config, current_settings, read_settings_from
from portal.commands import release, upgrade
from portal.domain.audit_desk.services import raise_alerts
from portal.domain.directives.applies import reconcile_assignments
from portal.domain.people.staff_numbers import reserve_numbers
from portal.domain.reminders import notices
from portal.domain.retention import services as retention_services
from portal.domain.status.projector import project_status
from portal.feature import Feature, list_features, load_all
from portal.pages.layout import setup
from portal.pages.layout.access import refuse_undeclared_routes
from portal.pages.layout.request_log import make_figures
from portal.platform.audit import AuditEvent, current_origin
from portal.platform.db import db, subscribe
from portal.platform.engines import POOL, prepare_engine, replica_engines
from portal.platform.jobs.registry import Task, set_tasks
from portal.platform.observability.logs import configure_logs
from portal.platform.observability.statements import log_slower_than

# The rooms of the core by name. A name without a room behind it stops the portal as it starts.
TABLES = load_all(  # in the order of docs/data-model.md
    """portal.domain.people.models portal.platform.audit portal.domain.accounts.models
    portal.domain.access_tokens portal.platform.jobs.models portal.domain.catalogue.models
    portal.domain.records.models portal.domain.directives.models portal.domain.assessment.models
    portal.domain.cases portal.domain.status.models portal.domain.authoring.models
    portal.domain.reminders.models portal.domain.decisions.models portal.domain.reports.models
    portal.domain.imports.models portal.domain.retention.models"""
)
PAGES = """sign_in account desk grants people learning assessment catalogue guides records directives
    decisions monitoring reminders authoring imports jobs health units audit statements tokens retention
    api"""
VIEWS = load_all(" ".join(f"portal.pages.{name}.views:bp" for name in PAGES.split()))
COMMANDS = load_all(
    """portal.commands.accounts:bp portal.commands.modules:bp portal.commands.content:bp
    portal.demo.create:bp portal.commands.directives:bp portal.commands.doctor:bp portal.commands.imports:bp
    portal.commands.jobs:bp portal.commands.report:bp portal.commands.backup:bp portal.commands.backups:bp
    portal.commands.people:bp portal.commands.records:bp portal.commands.reminders:bp
    portal.commands.tokens:bp portal.commands.units:bp"""
)
TASKS: Sequence[Sequence[Task]] = load_all(
    """portal.domain.status.tasks:TASKS portal.domain.reminders.tasks:TASKS
    portal.domain.reminders.tasks:INVITATION_TASKS portal.domain.imports.services:TASKS
    portal.domain.reports.export_files:TASKS portal.domain.catalogue.upkeep:TASKS
    portal.domain.authoring.reviews:TASKS portal.domain.authoring.reviews:SCHEDULE_TASKS
    portal.platform.backups.tasks:TASKS portal.domain.retention.services:TASKS"""
)


class Portal(Flask):
    """Flask without asynchronous views: it does not ask of 29 functions a request whether they are any."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(config: Config | None = None) -> Flask:
    """The application, its settings read from the environment unless given.

    Raises:
        ConfigError: A setting is missing or wrong.
        RuntimeError: A route does not say who may call it.
    """
    config = config or Config()
    app = Portal(__name__, static_folder=None, template_folder=None, instance_path=str(config.instance))
    if config.mode == "production":
        config.unmark_demo()
    app.config.update(
        PORTAL=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=POOL,
        SQLALCHEMY_BINDS=replica_engines(config.replica_url),
        **setup.LIMITS,
    )
    configure_logs(lambda: current_origin().request_id)
    log_slower_than(config.seeing.slow_seconds)
    _prepare_database(app, config)
    setup.prepare_pages(app, config)
    for views in VIEWS:
        app.register_blueprint(views)
    for commands in COMMANDS:
        _register(app, commands)
    for feature in config.features_on:
        if feature.models:
            feature.load(feature.models)
        for name in feature.blueprints:
            _register(app, feature.load(name))
    upgrade.replace_upgrade()
    refuse_undeclared_routes(app)
    reserve_numbers(setup.list_words_beside_people(app))
    make_figures(app)
    setup.wrap(app, https=config.secure, trusted=config.trusted_networks)
    return app


def list_tasks(features: Iterable[Feature]) -> list[Task]:
    """The kinds of job of the core and of these features."""
    of_features = (feature.load(name) for feature in features for name in feature.tasks)
    return [task for tasks in (*TASKS, *of_features) for task in tasks]


def list_commands() -> list[Blueprint]:
    """The commands of the core and of every feature, on or off."""
    names = ((feature, name) for feature in list_features() for name in feature.blueprints)
    return [*COMMANDS, *(feature.load(name) for feature, name in names if name == "commands:bp")]


def _register(app: Flask, blueprint: Blueprint) -> None:
    """Register commands, or the pages of a feature, which may have commands too."""
    release.refuse_other_releases(blueprint.cli)
    release.state_command_origins(blueprint.cli)
    app.register_blueprint(blueprint)


def _prepare_database(app: Flask, config: Config) -> None:
    read_settings_from(lambda: current_app.config["PORTAL"])
    db.init_app(app)
    release.migrate.init_app(app, db)
    subscribe(reconcile_assignments, project_status, announcer=_announce_acts)
    set_tasks(list_tasks(config.features_on))
    with app.app_context():
        for engine in db.engines.values():
            prepare_engine(engine)


def _announce_acts(acts: Sequence[AuditEvent]) -> None:
    notices.queue_notices([*acts, *raise_alerts(acts)])
    for feature in current_settings().features_on:
        for name in feature.hears:
            feature.load(name)(acts)
    closed = [act.subject_id for act in acts if act.action == "account.closed" and act.subject_id]
    if closed:
        retention_services.erase_own_data(closed, spare_held=True)
